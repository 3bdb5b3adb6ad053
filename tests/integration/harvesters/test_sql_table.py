"""Kind ``sql`` against the real database server of the test stack: a schema stands for the department's database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ckanext.openhuizhou.errors import AddressRefused, SourceDenied, SourceMalformed, SourceUnreachable
from ckanext.openhuizhou.harvesters.database import connect
from ckanext.openhuizhou.harvesters.kinds import Reading, SourceKind, check_config, kind_named
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient

TABLES = """
CREATE SCHEMA qzk;
CREATE TABLE qzk.zyml (bm text PRIMARY KEY, zymc text);
INSERT INTO qzk.zyml VALUES ('jyfw', '就业服务机构'), ('meiyou', '没有的表');
CREATE TABLE qzk.jyfw (id integer PRIMARY KEY, jgmc varchar(80), rs numeric(10, 2), gxsj timestamp);
COMMENT ON TABLE qzk.jyfw IS '就业服务机构';
COMMENT ON COLUMN qzk.jyfw.jgmc IS '机构名称';
INSERT INTO qzk.jyfw VALUES (2, '乙', 1.5, '2018-03-01 08:00'), (1, '甲', NULL, '2018-02-01 08:00');
"""


@pytest.fixture
def database() -> Iterator[sa.Engine]:
    engine = sa.create_engine(tk.config["sqlalchemy.url"])
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA IF EXISTS qzk CASCADE"))
        for statement in TABLES.strip().split(";\n"):
            connection.execute(sa.text(statement))
    yield engine
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA qzk CASCADE"))
    engine.dispose()


def guard(database: sa.Engine) -> Guard:
    return Guard(frozenset({f"{database.url.host}:{database.url.port}"}))


@pytest.fixture
def read(database: sa.Engine) -> Callable[..., list[tuple[SourceRecord, list[dict[str, Any]]]]]:
    def read(**config: Any) -> list[tuple[SourceRecord, list[dict[str, Any]]]]:
        kind = kind_named("sql", Place("f"))
        url = database.url.render_as_string(hide_password=False)
        options = check_config({"dsn": url, "schema": "qzk", **config}, kind.options, Place("f"))
        source = kind(options, Reading(HttpClient(guard(database))))
        try:
            source.open()
            return [
                (record, [dict(row) for row in record.rows()] if record.rows else []) for record in source.records()
            ]
        finally:
            source.close()

    return read


class TestRecords:
    def test_comments_are_labels_and_rows_come_in_the_order_of_the_key(self, read: Any):
        ((record, rows),) = read(tables=["jy*"])
        assert (record.key, record.payload["comment"]) == ("jyfw", "就业服务机构")
        assert [(c["name"], c["label"], c["type"], c["length"], c["key"]) for c in record.payload["columns"]] == [
            ("id", "id", "integer", None, True),
            ("jgmc", "机构名称", "varchar", 80, False),
            ("rs", "rs", "numeric", 10, False),
            ("gxsj", "gxsj", "timestamp", None, False),
        ]
        assert [row["jgmc"] for row in rows] == ["甲", "乙"]

    def test_a_catalogue_table_describes_the_others(self, read: Any):
        (found, _rows), (missing, _none) = read(catalogue="zyml", table_field="bm")
        assert found.payload["zymc"] == "就业服务机构"
        assert [(finding.kind, finding.value) for finding in missing.findings] == [("table-missing", "meiyou")]

    def test_a_table_of_data_is_no_catalogue(self, read: Any, database: sa.Engine):
        many = "INSERT INTO qzk.zyml SELECT n::text, 'x' FROM generate_series(1, 20000) n"
        with database.begin() as connection:
            connection.execute(sa.text(many))
        with pytest.raises(SourceMalformed) as error:
            read(catalogue="zyml", table_field="bm")
        assert "20000" in str(error.value)

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE qzk.jyfw SET rs = 9, gxsj = '2018-03-02' WHERE id = 1",
            "DELETE FROM qzk.jyfw WHERE id = 1",
            "INSERT INTO qzk.jyfw VALUES (3, '丙', 1, '2018-01-01')",
        ],
    )
    def test_the_watermark_tells_of_every_change(self, read: Any, database: sa.Engine, change: str):
        before = read(tables=["jyfw"], watermark="gxsj")[0][0]
        assert before.modified == "2018-03-01T08:00:00"
        assert read(tables=["jyfw"], watermark="gxsj")[0][0].data_digest == before.data_digest
        with database.begin() as connection:
            connection.execute(sa.text(change))
        assert read(tables=["jyfw"], watermark="gxsj")[0][0].data_digest != before.data_digest

    def test_without_a_watermark_there_is_no_digest(self, read: Any):
        assert read(tables=["jyfw"])[0][0].data_digest is None


class TestSnapshot:
    @pytest.fixture
    def source(self, database: sa.Engine) -> Iterator[SourceKind]:
        kind = kind_named("sql", Place("f"))
        url = database.url.render_as_string(hide_password=False)
        made = kind(
            check_config({"dsn": url, "schema": "qzk"}, kind.options, Place("f")), Reading(HttpClient(guard(database)))
        )
        yield made
        made.close()

    def test_all_tables_are_of_one_moment(self, database: sa.Engine, source: SourceKind):
        source.open()
        records = {record.key: record for record in source.records()}
        with database.begin() as connection:
            connection.execute(sa.text("DELETE FROM qzk.jyfw"))
        rows = records["jyfw"].rows
        assert rows is not None
        assert len(list(rows())) == 2
        assert source.reading.total == 2

    def test_a_view_that_fails_does_not_stop_the_others(self, database: sa.Engine, source: SourceKind):
        with database.begin() as connection:
            connection.execute(sa.text("CREATE VIEW qzk.aview AS SELECT 1 / (rs - 1.5) AS gxsj FROM qzk.jyfw"))
        source.config = {**source.config, "watermark": "gxsj"}
        source.open()
        found = {record.key: record for record in source.records()}
        assert [finding.kind for finding in found["aview"].findings] == ["record-unreadable"]
        assert found["jyfw"].data_digest

    def test_a_million_rows_take_no_memory(self, database: sa.Engine, source: SourceKind):
        with database.begin() as connection:
            rows = "SELECT i AS id, '惠州市演示数据第' || i || '行' AS mc FROM generate_series(1, 1000000) AS i"
            connection.execute(sa.text(f"CREATE TABLE qzk.big AS {rows}"))
        source.open()
        record = next(record for record in source.records() if record.key == "big")
        assert record.rows is not None
        stream, process = record.rows(), psutil.Process()
        next(stream)
        before, most, count = process.memory_info().rss, 0, 1
        for count, _row in enumerate(stream, 2):
            if count % 50_000 == 0:
                most = max(most, process.memory_info().rss)
        assert count == 1_000_000
        assert most - before < 16 << 20


class TestConnection:
    def test_nothing_can_be_written(self, database: sa.Engine):
        engine = connect(database.url.render_as_string(hide_password=False), guard(database), 60)
        with engine.connect() as connection, pytest.raises(DBAPIError, match="read-only"):
            connection.execute(sa.text("DELETE FROM qzk.jyfw"))

    def test_a_statement_has_a_time_limit(self, database: sa.Engine):
        engine = connect(database.url.render_as_string(hide_password=False), guard(database), 1)
        with engine.connect() as connection, pytest.raises(DBAPIError, match="statement timeout"):
            connection.execute(sa.text("SELECT pg_sleep(30)"))

    @pytest.mark.parametrize("dsn", ["postgresql://u:p@127.0.0.1:5432/d", "postgresql:///d?host=/var/run/postgresql"])
    def test_an_address_that_nobody_approved_is_refused(self, dsn: str):
        with pytest.raises(AddressRefused):
            connect(dsn, Guard(), 60)

    @pytest.mark.parametrize("dsn", ["no url", "oracle+nodriver://u:p@h/d", "postgresql:///d", "sqlite:////x.db"])
    def test_what_is_no_database_address_is_malformed(self, dsn: str):
        with pytest.raises(SourceMalformed):
            connect(dsn, Guard(resolver=lambda _host, _port: ["8.8.8.8"]), 60)

    def test_a_wrong_password_is_denied_and_not_shown(self, read: Any, database: sa.Engine):
        url = database.url.set(password="wr0ng-password").render_as_string(hide_password=False)
        with pytest.raises(SourceDenied) as error:
            read(dsn=url)
        assert "wr0ng" not in str(error.value)

    def test_a_database_that_was_dropped_is_told_from_a_wrong_password(self, read: Any, database: sa.Engine):
        url = database.url.set(database="dropped").render_as_string(hide_password=False)
        with pytest.raises(SourceMalformed, match="not there") as error:
            read(dsn=url)
        assert "dropped" not in str(error.value)

    def test_a_user_that_is_not_there_is_denied(self, read: Any, database: sa.Engine):
        url = database.url.set(username="nobody_of_this_name").render_as_string(hide_password=False)
        with pytest.raises(SourceDenied):
            read(dsn=url)

    def test_a_table_that_was_dropped_after_it_was_listed_is_not_there(self, database: sa.Engine):
        kind = kind_named("sql", Place("f"))
        url = database.url.render_as_string(hide_password=False)
        options = check_config({"dsn": url, "schema": "qzk", "tables": ["jyfw"]}, kind.options, Place("f"))
        source = kind(options, Reading(HttpClient(guard(database))))
        source.open()
        (record,) = source.records()
        with database.begin() as connection:
            connection.execute(sa.text("DROP TABLE qzk.jyfw"))
        assert record.rows is not None
        with pytest.raises(SourceMalformed, match="not there"):
            list(record.rows())
        source.close()

    def test_a_dead_server_is_unreachable(self):
        kind = kind_named("sql", Place("f"))
        options = check_config({"dsn": "postgresql://u:p@127.0.0.1:9/d"}, kind.options, Place("f"))
        source = kind(options, Reading(HttpClient(Guard(frozenset({"127.0.0.1:9"})))))
        with pytest.raises(SourceUnreachable):
            source.open()
