"""Databases that do not run here: what kind ``sql`` asks them, and how their real drivers are called."""

from __future__ import annotations

import datetime as dt
from typing import Any

import dmPython
import oracledb
import pymssql
import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, OperationalError

from ckanext.openhuizhou.errors import AddressRefused, SourceDenied, SourceMalformed, SourceUnreachable
from ckanext.openhuizhou.harvesters import statements
from ckanext.openhuizhou.harvesters.database import DATABASES, connect
from ckanext.openhuizhou.harvesters.database_errors import explained
from ckanext.openhuizhou.transport.guard import Guard

ADDRESSES = {
    "oracle": "oracle+oracledb://reader:pw@front.example/?service_name=front",
    "mssql": "mssql+pymssql://reader:pw@front.example/front",
    "dm": "dm+dmPython://reader:pw@front.example",
    "mysql": "mysql+pymysql://reader:pw@front.example/front",
}
PORTS = {"oracle": 1521, "mssql": 1433, "dm": 5236, "mysql": 3306}
PINNED = "192.0.2.7"
#: One table in one schema, as each database writes it.
TABLES = {"oracle": 'qzk."公示表"', "mssql": "qzk.[公示表]", "dm": 'qzk."公示表"', "mysql": "qzk.`公示表`"}


def engine_of(name: str, dsn: str | None = None, seconds: int = 30) -> sa.Engine:
    approved = Guard(frozenset({f"front.example:{PORTS[name]}"}), resolver=lambda _host, _port: [PINNED])
    return connect(dsn or ADDRESSES[name], approved, seconds)


def compiled(name: str, query: sa.Select[Any]) -> str:
    text = str(query.compile(dialect=engine_of(name).dialect, compile_kwargs={"literal_binds": True}))
    return " ".join(text.split())


def arguments_of(engine: sa.Engine) -> dict[str, Any]:
    """What the driver's ``connect`` is called with."""
    seen: dict[str, Any] = {}

    @event.listens_for(engine, "do_connect")
    def stop(_dialect: object, _record: object, arguments: Any, parameters: dict[str, Any]) -> None:
        seen.update(parameters, positional=list(arguments))
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        engine.connect()
    return seen


class TestStatements:
    """Quoting of Chinese names, schema, order, and the limit of each database's own."""

    @pytest.mark.parametrize(("name", "table"), TABLES.items())
    def test_count_and_latest(self, name: str, table: str):
        text = f"SELECT count(*) AS count_1, count({table}.gxsj) AS count_2, max({table}.gxsj) AS max_1 FROM {table}"
        assert compiled(name, statements.summary("公示表", "qzk", "gxsj")) == text

    @pytest.mark.parametrize(("name", "table"), TABLES.items())
    def test_rows_in_the_order_of_the_key(self, name: str, table: str):
        key = f"{table}.{table.removeprefix('qzk.').replace('公示表', '编号')}"
        text = f"SELECT {key}, {table}.mc FROM {table} ORDER BY {key}"
        assert compiled(name, statements.rows("公示表", "qzk", ["编号", "mc"], ["编号"])) == text

    @pytest.mark.parametrize(("name", "table"), TABLES.items())
    def test_latest_rows(self, name: str, table: str):
        query = statements.rows_since("公示表", "qzk", ["mc"], "gxsj", dt.datetime(2018, 3, 1, 8))  # noqa: DTZ001 - civil time
        moment = "'2018-03-01 08:00:00'"
        if name == "oracle":
            moment = f"TO_DATE({moment}, 'YYYY-MM-DD HH24:MI:SS')"
        assert compiled(name, query) == f"SELECT {table}.mc FROM {table} WHERE gxsj >= {moment}"


class TestArguments:
    def test_oracle(self):
        arguments = arguments_of(engine_of("oracle"))
        assert f"(HOST={PINNED})(PORT=1521)" in arguments["dsn"]
        assert arguments["tcp_connect_timeout"] == 10
        assert DATABASES["oracle"].begin == ("SET TRANSACTION READ ONLY",)

    def test_sql_server(self):
        arguments = arguments_of(engine_of("mssql"))
        assert (arguments["host"], arguments["login_timeout"], arguments["timeout"]) == (f"{PINNED}:1433", 10, 30)

    def test_dameng(self):
        arguments = arguments_of(engine_of("dm"))
        assert (arguments["host"], arguments["port"], arguments["dsn"]) == (PINNED, 5236, f"{PINNED}:5236")
        assert (arguments["login_timeout"], arguments["connection_timeout"]) == (10, 30)
        assert arguments["access_mode"] == dmPython.DSQL_MODE_READ_ONLY
        assert arguments["txn_isolation"] == dmPython.ISO_LEVEL_SERIALIZABLE
        assert arguments["autoCommit"] is False

    def test_mariadb_and_mysql(self):
        arguments = arguments_of(engine_of("mysql"))
        assert (arguments["host"], arguments["port"], arguments["local_infile"]) == (PINNED, 3306, False)
        assert (arguments["connect_timeout"], arguments["read_timeout"]) == (10, 40)

    @pytest.mark.parametrize("name", ADDRESSES)
    def test_the_real_driver_takes_them(self, name: str):
        """Nobody listens there: the driver gets as far as the network, and no argument is unknown to it."""
        engine = connect(ADDRESSES[name].replace("front.example", "127.0.0.1:9"), Guard(frozenset({"127.0.0.1:9"})), 5)
        with pytest.raises((OperationalError, DatabaseError)) as error:
            engine.connect()
        assert isinstance(explained(error.value), SourceUnreachable)

    @pytest.mark.parametrize("name", ADDRESSES)
    def test_an_address_that_nobody_approved_is_refused(self, name: str):
        with pytest.raises(AddressRefused):
            connect(ADDRESSES[name], Guard(resolver=lambda _host, _port: ["10.0.0.5"]), 30)

    @pytest.mark.parametrize(
        ("name", "dsn"),
        [
            ("oracle", "oracle+oracledb://reader:pw@front.example"),
            ("dm", "dm+dmPython://reader:pw@front.example/front"),
        ],
        ids=["Oracle would take the host for a name of its own list", "达梦's driver knows no such argument"],
    )
    def test_an_address_that_the_driver_understands_otherwise_is_refused(self, name: str, dsn: str):
        with pytest.raises(SourceMalformed, match="name a database"):
            engine_of(name, dsn)

    @pytest.mark.parametrize(
        ("name", "option"),
        [
            ("oracle", "&config_dir=/etc"),
            ("oracle", "&wallet_location=/etc"),
            ("mssql", "?host=10.0.0.5"),
            ("mssql", "?conn_properties=DROP"),
            ("dm", "?host=10.0.0.5"),
            ("dm", "?access_mode=0"),
        ],
    )
    def test_an_option_that_leads_elsewhere_is_refused(self, name: str, option: str):
        with pytest.raises(SourceMalformed, match="may not say"):
            engine_of(name, ADDRESSES[name] + option)


class _OracleError:
    """The first argument of oracledb's errors."""

    def __init__(self, full_code: str) -> None:
        self.full_code = full_code


class TestErrors:
    @pytest.mark.parametrize(
        ("original", "kind"),
        [
            (oracledb.DatabaseError(_OracleError("ORA-01017")), SourceDenied),
            (oracledb.DatabaseError(_OracleError("ORA-00942")), SourceMalformed),
            (oracledb.DatabaseError(_OracleError("DPY-4024")), SourceUnreachable),
            (pymssql.OperationalError((18456, b"Login failed for user 'reader'")), SourceDenied),
            (pymssql.ProgrammingError(208, b"Invalid object name 'x'"), SourceMalformed),
            (pymssql.OperationalError((20002, b"Adaptive Server connection failed")), SourceUnreachable),
            (dmPython.DatabaseError("[CODE:-2501]用户名或密码错误"), SourceDenied),
            (dmPython.DatabaseError("[CODE:-2106]无效的表或视图名[X]"), SourceMalformed),
            (dmPython.DatabaseError("[CODE:-70028]创建SOCKET连接失败"), SourceUnreachable),
            (pymysql.OperationalError(1969, "Query execution was interrupted"), SourceUnreachable),
        ],
    )
    def test_each_databases_code_has_its_meaning(self, original: Exception, kind: type[Exception]):
        error = explained(DatabaseError("SELECT 1", {}, original))
        assert type(error) is kind
        assert not any(word in str(error) for word in ("reader", "密码", "X]"))
