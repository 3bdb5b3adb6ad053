"""Kind ``sql`` against a real MariaDB server, started for these tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import ckan.plugins.toolkit as tk
import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from tests.integration.harvesters import mariadb
from tests.integration.harvesters.conftest import Department, Feed, make_feed

from ckanext.openhuizhou.errors import (
    AddressRefused,
    RecordRefused,
    SourceDenied,
    SourceMalformed,
    SourceUnreachable,
)
from ckanext.openhuizhou.harvesters.database import Snapshot, connect
from ckanext.openhuizhou.harvesters.database_errors import explained
from ckanext.openhuizhou.harvesters.kinds import Reading, SourceKind, check_config, kind_named
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.stack.ports import HOST
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient

MIB = 1 << 20
TABLES = """
CREATE TABLE jyfw (id INT PRIMARY KEY, jgmc VARCHAR(80) COMMENT '机构名称', rs DECIMAL(10, 2), gxsj DATETIME)
    COMMENT '就业服务机构' CHARACTER SET utf8mb4;
INSERT INTO jyfw VALUES (2, '乙', 1.50, '2018-03-01 08:00:00'), (1, '甲𠮷', NULL, '2018-02-01 08:00:00');
CREATE TABLE 公示表 (编号 INT PRIMARY KEY, 名称 VARCHAR(40)) CHARACTER SET gbk;
INSERT INTO 公示表 VALUES (1, '惠州市演示数据');
CREATE TABLE leixing (
    id INT PRIMARY KEY, sf TINYINT(1), zt TINYINT, wei BIT(8), je DECIMAL(20, 4), rq DATE, sj DATETIME, kz JSON,
    lx ENUM('甲', '乙'), dd GEOMETRY, tp BLOB
);
INSERT INTO leixing VALUES (1, 1, 7, b'101', 12345678901234.5678, '2018-03-01', '2018-03-01 08:00:00',
    '{"名称": "惠城"}', '乙', ST_GeomFromText('POINT(114.4 23.1)'), 'x');
CREATE TABLE lingri (id INT PRIMARY KEY, rq DATE, sj DATETIME);
INSERT INTO lingri VALUES (1, '0000-00-00', '0000-00-00 00:00:00');
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    with mariadb.running(tmp_path_factory.mktemp("db")) as engine:
        yield engine


@pytest.fixture
def database(server: sa.Engine) -> Iterator[sa.Engine]:
    run(server, *TABLES.strip().rstrip(";").split(";\n"))
    yield server
    with server.begin() as connection:
        for name in sa.inspect(connection).get_table_names():
            connection.exec_driver_sql(f"DROP TABLE `{name}`")


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def dsn(database: sa.Engine) -> str:
    return database.url.render_as_string(hide_password=False)


def guard(database: sa.Engine) -> Guard:
    return Guard(frozenset({f"{database.url.host}:{database.url.port}"}))


@pytest.fixture
def source(database: sa.Engine) -> Iterator[Callable[..., SourceKind]]:
    """``source(tables=[…])`` is open, and closed at the end."""
    opened: list[SourceKind] = []

    def open_source(**config: Any) -> SourceKind:
        kind = kind_named("sql", Place("f"))
        made = kind(
            check_config({"dsn": dsn(database), **config}, kind.options, Place("f")),
            Reading(HttpClient(guard(database))),
        )
        opened.append(made)
        made.open()
        return made

    yield open_source
    for one in opened:
        one.close()


def rows_of(record: SourceRecord) -> list[dict[str, Any]]:
    assert record.rows is not None
    return [dict(row) for row in record.rows()]


class TestRecords:
    def test_comments_are_labels_and_rows_come_in_the_order_of_the_key(self, source: Any):
        (record,) = source(tables=["jy*"]).records()
        assert record.payload["comment"] == "就业服务机构"
        assert [(c["name"], c["label"], c["type"], c["key"]) for c in record.payload["columns"]] == [
            ("id", "id", "integer", True),
            ("jgmc", "机构名称", "varchar", False),
            ("rs", "rs", "decimal", False),
            ("gxsj", "gxsj", "datetime", False),
        ]
        assert [(row["jgmc"], row["rs"]) for row in rows_of(record)] == [("甲𠮷", None), ("乙", Decimal("1.50"))]

    def test_chinese_names_and_a_gbk_table(self, source: Any):
        (record,) = source(tables=["公示表"]).records()
        assert rows_of(record) == [{"编号": 1, "名称": "惠州市演示数据"}]

    def test_each_type_becomes_a_cell(self, source: Any):
        (record,) = source(tables=["leixing"]).records()
        types = {column["name"]: column["type"] for column in record.payload["columns"]}
        assert types == {
            "id": "integer",
            "sf": "boolean",
            "zt": "tinyint",
            "wei": "bit",
            "je": "decimal",
            "rq": "date",
            "sj": "datetime",
            "kz": "longtext",
            "lx": "enum",
            "dd": "unknown",
            "tp": "blob",
        }
        (row,) = record.rows()
        wanted = {
            "sf": 1,
            "zt": 7,
            "wei": 5,
            "je": Decimal("12345678901234.5678"),
            "rq": dt.date(2018, 3, 1),
            "lx": "乙",
        }
        assert {name: row[name] for name in wanted} == wanted
        assert row["sj"] == dt.datetime(2018, 3, 1, 8)  # noqa: DTZ001 - the database's own civil time
        assert row["kz"] == '{"名称": "惠城"}'

    @pytest.mark.parametrize(("column", "data_type"), [("dd", "unknown"), ("tp", "blob")])
    def test_what_no_table_can_hold_is_refused_when_it_is_asked_for(self, source: Any, column: str, data_type: str):
        (record,) = source(tables=["leixing"]).records()
        (row,) = record.rows()
        with pytest.raises(RecordRefused) as refused:
            row.get(column)
        (finding,) = refused.value.findings
        assert (finding.kind, finding.column, finding.params) == ("column-unreadable", column, {"data_type": data_type})

    def test_a_table_that_may_not_be_read_does_not_stop_the_others(self, database: sa.Engine, source: Any):
        run(database, "CREATE VIEW abroken AS SELECT id FROM jyfw", "ALTER TABLE jyfw CHANGE id nr INT")
        found = {record.key: record for record in source(tables=["abroken", "leixing"]).records()}
        run(database, "DROP VIEW abroken")
        assert [finding.kind for finding in found["abroken"].findings] == ["record-unreadable"]
        assert not found["leixing"].findings


class TestSnapshot:
    def test_all_tables_are_of_one_moment_and_one_connection(self, database: sa.Engine, source: Any):
        reading = source(tables=["jyfw", "leixing"])
        records = {record.key: record for record in reading.records()}
        run(database, "DELETE FROM jyfw", "UPDATE leixing SET zt = 9")
        assert len(rows_of(records["jyfw"])) == 2
        assert rows_of(records["leixing"])[0]["zt"] == 7
        with database.connect() as connection:
            count = "SELECT count(*) FROM information_schema.processlist WHERE user = 'reader'"
            assert connection.exec_driver_sql(count).scalar_one() == 2  # this one, and the source's

    def test_a_table_that_is_left_in_the_middle_does_not_have_to_be_read_to_its_end(
        self, database: sa.Engine, source: Any
    ):
        run(database, "CREATE TABLE big (id INT PRIMARY KEY) AS SELECT seq AS id FROM seq_1_to_500000")
        records = {record.key: record for record in source(tables=["big", "jyfw"]).records()}
        first = records["big"].rows()
        assert next(first) == {"id": 1}
        first.close()
        assert len(rows_of(records["jyfw"])) == 2

    def test_a_million_rows_take_no_memory(self, database: sa.Engine, source: Any):
        rows = "SELECT seq AS id, concat('惠州市演示数据第', seq, '行') AS mc FROM seq_1_to_1000000"
        run(database, f"CREATE TABLE big (id INT PRIMARY KEY, mc VARCHAR(80)) AS {rows}")
        (record,) = source(tables=["big"]).records()
        process = psutil.Process()
        rows = record.rows()
        next(rows)
        before, most, count = process.memory_info().rss, 0, 1
        for count, _row in enumerate(rows, 2):
            if count % 50_000 == 0:
                most = max(most, process.memory_info().rss)
        assert count == 1_000_000
        assert most - before < 16 * MIB


class TestWatermark:
    @pytest.fixture
    def digest(self, source: Any) -> Callable[..., str | None]:
        return lambda **config: next(source(tables=["jyfw"], watermark="gxsj", **config).records()).data_digest

    def test_nothing_new_is_the_same_digest(self, digest: Any, source: Any):
        assert digest() == digest()
        (record,) = source(tables=["jyfw"], watermark="gxsj").records()
        assert (record.data_rule, record.modified) == ("watermark", "2018-03-01T08:00:00")

    @pytest.mark.parametrize(
        "change",
        [
            "INSERT INTO jyfw VALUES (3, '丙', 1, '2018-01-01')",
            "DELETE FROM jyfw WHERE id = 1",
            "UPDATE jyfw SET rs = 9, gxsj = '2018-03-02' WHERE id = 1",
            "UPDATE jyfw SET id = 4 WHERE id = 2",
            "UPDATE jyfw SET rs = 9 WHERE id = 2",
            "UPDATE jyfw SET rs = 9, gxsj = '2018-03-01 07:58:00' WHERE id = 1",
        ],
        ids=["insert", "delete", "update", "other row, same second", "again, same second", "became visible late"],
    )
    def test_every_change_is_another_digest(self, database: sa.Engine, digest: Any, change: str):
        before = digest()
        run(database, change)
        assert digest() != before

    def test_what_changes_without_its_watermark_is_not_seen(self, database: sa.Engine, digest: Any):
        """The limit of the rule, as docs/harvest-mapping.md says it."""
        before = digest()
        run(database, "UPDATE jyfw SET rs = 9 WHERE id = 1")
        assert digest() == before

    def test_a_time_that_all_rows_share_costs_a_reading_and_misses_nothing(self, database: sa.Engine, digest: Any):
        run(database, "INSERT INTO jyfw SELECT seq + 10, 'x', 1, '2018-03-01 08:00:00' FROM seq_1_to_20000")
        before = digest()
        assert before == digest()
        run(database, "UPDATE jyfw SET rs = 2 WHERE id = 15000")
        assert digest() != before

    def test_a_watermark_that_nobody_filled_in_tells_nothing(self, database: sa.Engine, digest: Any):
        run(database, "UPDATE jyfw SET gxsj = NULL")
        assert digest() is None


class TestConnection:
    def test_nothing_can_be_written(self, database: sa.Engine):
        snapshot = Snapshot(dsn(database), guard(database), 60)
        for statement in ("DELETE FROM jyfw", "DROP TABLE jyfw"):
            with pytest.raises(DBAPIError, match="READ ONLY"):
                snapshot.connection.exec_driver_sql(statement)
        snapshot.dispose()

    def test_a_statement_has_a_time_limit(self, database: sa.Engine):
        engine = connect(dsn(database), guard(database), 1)
        with engine.connect() as connection, pytest.raises(DBAPIError) as late:
            connection.exec_driver_sql("SELECT count(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b")
        assert isinstance(explained(late.value), SourceUnreachable)
        engine.dispose()

    def test_the_connection_goes_to_the_address_that_was_checked(self, database: sa.Engine):
        named = database.url.set(host="front.example").render_as_string(hide_password=False)
        approved = Guard(frozenset({f"front.example:{database.url.port}"}), resolver=lambda _host, _port: [HOST])
        with connect(named, approved, 60).connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM jyfw").scalar_one() == 2

    def test_an_address_that_nobody_approved_is_refused(self, database: sa.Engine):
        with pytest.raises(AddressRefused):
            connect(dsn(database), Guard(), 60)

    @pytest.mark.parametrize(
        "option", ["unix_socket=/run/mysqld/mysqld.sock", "local_infile=1", "read_default_file=/x"]
    )
    def test_an_option_that_leads_elsewhere_is_refused(self, database: sa.Engine, option: str):
        with pytest.raises(SourceMalformed, match="may not say"):
            connect(f"{dsn(database)}&{option}", guard(database), 60)

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"password": "wr0ng-password"}, SourceDenied),
            ({"username": "nobody_of_this_name"}, SourceDenied),
            ({"database": "dropped"}, SourceDenied),  # a reader is not told what there is
        ],
    )
    def test_a_login_that_fails_is_told_without_its_words(
        self, database: sa.Engine, source: Any, change: dict[str, str], error: type[Exception]
    ):
        with pytest.raises(error) as said:
            source(dsn=database.url.set(**change).render_as_string(hide_password=False))
        assert not any(word in str(said.value) for word in (*change.values(), "geheim"))

    def test_a_table_that_was_dropped_after_it_was_listed_is_not_there(self, database: sa.Engine, source: Any):
        (record,) = source(tables=["lingri"]).records()
        run(database, "DROP TABLE lingri")
        with pytest.raises(SourceMalformed, match="not there"):
            rows_of(record)

    def test_a_connection_that_breaks_is_told_and_set_up_anew(self, database: sa.Engine, source: Any):
        records = {record.key: record for record in source(tables=["jyfw", "leixing"]).records()}
        with database.connect() as connection:
            others = "SELECT id FROM information_schema.processlist WHERE id != connection_id() AND user = 'reader'"
            for (number,) in connection.exec_driver_sql(others).all():
                connection.exec_driver_sql(f"KILL {number}")
        with pytest.raises(SourceUnreachable):
            rows_of(records["jyfw"])
        assert len(rows_of(records["jyfw"])) == 2


class TestHarvest:
    @pytest.fixture
    def feed(self, database: sa.Engine, department: Department, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Feed]:
        monkeypatch.setitem(
            tk.config, "ckanext.openhuizhou.allowed_hosts", [f"{database.url.host}:{database.url.port}"]
        )

        def make(table: str, items: list[dict[str, Any]], **config: Any) -> Feed:
            title = f"{department.organization['title']}演示数据"
            fixed = {
                "title": title,
                "notes": "演示数据",
                "category": "211001",
                "theme": "environment",
                "tag_string": "演示数据",
                "open_type": "unconditional",
                "share_type": "unconditional",
                "share_way": "service",
                "format_class": "service",
                "update_cycle": "daily",
            }
            mapping = {
                "fields": {name: {"const": value} for name, value in fixed.items()},
                "datasets": {table: {"items": items}},
            }
            return make_feed(
                department, kind="sql", mapping=mapping, config={"dsn": dsn(database), "tables": [table], **config}
            )

        return make

    def test_a_table_is_published_and_read_again_only_when_it_changed(self, database: sa.Engine, feed: Any):
        items = [{"name": "机构名称", "column": "jgmc"}, {"name": "人数", "column": "rs", "data_type": "number"}]
        source = feed("jyfw", items, watermark="gxsj")
        assert source.run()["counts"] == {"added": 1}
        assert source.table("jyfw")[1] == {"jgmc": "乙", "rs": 1.5}
        assert source.run()["counts"] == {"unchanged": 1}
        run(database, "INSERT INTO jyfw VALUES (3, '丙', 7, '2018-03-01 08:00:00')")
        assert source.run()["counts"] == {"changed": 1}
        assert len(source.table("jyfw")) == 3

    def test_a_date_of_zeros_is_a_finding(self, feed: Any):
        report = feed("lingri", [{"name": "日期", "column": "rq", "data_type": "date"}]).run()
        assert report["counts"] == {"refused": 1}
        assert [(one.kind, one.column) for one in report["findings"]] == [("cell-type", "日期")]

    def test_a_shape_is_a_finding(self, feed: Any):
        report = feed("leixing", [{"name": "地点", "column": "dd"}]).run()
        assert [(one.kind, one.column) for one in report["findings"]] == [("column-unreadable", "dd")]
