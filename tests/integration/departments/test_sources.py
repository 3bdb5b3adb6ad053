"""The committed sources read the committed departments: every record is mapped, typed and checked as it must be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
import yaml

from ckanext.openhuizhou.domain.cell_types import CONVERTERS
from ckanext.openhuizhou.domain.entry_rules import Lookups, check_entry
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.pii import ColumnScanner
from ckanext.openhuizhou.domain.reference import read_reference
from ckanext.openhuizhou.harvesters.kinds import Reading, SourceKind, check_config, kind_named
from ckanext.openhuizhou.harvesters.mapping import MappedRecord, load_mapping
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient
from ckanext.openhuizhou.transport.variables import Variables

ROOT = Path(__file__).parents[3]
RECORDS = {"huanbaoju": 10, "anjianju": 7, "rensheju": 8, "minzhengju": 10, "jiaotongju": 8}
READ_ROWS = 700

OpenSource = Callable[[str], Iterator[tuple[SourceRecord, MappedRecord]]]


@pytest.fixture(scope="module")
def variables(servers: dict[str, Any], drop_folder: Path, front_database: str) -> dict[str, str]:
    """What the stack puts into the variables file."""
    values = {"minzhengju.path": str(drop_folder), "rensheju.dsn": front_database}
    for name, running in servers.items():
        values |= {f"{name}.url": running.url, f"{name}.token": running.token}
    return values


@pytest.fixture(scope="module")
def read(variables: dict[str, str]) -> Iterator[OpenSource]:
    """``read("huanbaoju")`` yields each record of the department's source with what the mapping makes of it."""
    hosts = (urlsplit(value) for value in variables.values() if "://" in value)
    allowed = frozenset(f"{host.hostname}:{host.port}" for host in hosts)
    guard = Guard(allowed, (Path(variables["minzhengju.path"]),))
    opened: list[SourceKind] = []

    def records(name: str) -> Iterator[tuple[SourceRecord, MappedRecord]]:
        (path,) = (ROOT / "config" / "sources" / name).glob("*.yaml")
        document = yaml.safe_load(path.read_text("utf-8"))
        mapping = load_mapping(document["mapping"], Place(path.name))
        kind = kind_named(document["source"]["kind"], Place(path.name))
        config = check_config(document["source"]["config"], kind.options, Place(path.name))
        source = kind(Variables(variables).expand(config), Reading(HttpClient(guard)))
        opened.append(source)
        source.open()
        for record in source.records():
            yield record, mapping.apply(record)

    yield records
    for source in opened:
        source.close()


def cells(record: SourceRecord, mapped: MappedRecord) -> list[list[Any]]:
    """The first rows by column; a column that the source does not send is a KeyError."""
    assert record.rows is not None
    rows = list(islice(record.rows(), READ_ROWS))
    return [[row[item.cell] for row in rows] for item in mapped.items]


def typed(item: Item, column: list[Any]) -> list[str | None]:
    return [CONVERTERS[item.data_type](cell) for cell in column]


@pytest.mark.parametrize("name", RECORDS)
def test_records_become_whole_entries(name: str, read: OpenSource) -> None:
    lookups = Lookups(reference=read_reference(ROOT / "config"))
    found = list(read(name))
    assert len(found) == RECORDS[name]
    for record, mapped in found:
        assert not record.findings
        assert not mapped.findings
        entry = {**mapped.entry, "owner_org": mapped.provider}
        wrong = [(finding.kind, finding.field) for finding in check_entry(entry, "publish", lookups)]
        assert wrong == ([("required-missing", "owner_org")] if record.key == "AJ-2018-07" else [])


@pytest.mark.parametrize("name", RECORDS)
def test_cells_fit_the_types_of_their_columns(name: str, read: OpenSource) -> None:
    for record, mapped in read(name):
        for mapped_item, column in zip(mapped.items, cells(record, mapped), strict=True):
            item = mapped_item.item
            values = [value for value in typed(item, column) if value is not None]
            assert len(values) == len(column) or not item.is_key, (record.key, item.name)
            if item.data_type == "string" and item.length:
                assert max(map(len, values), default=0) <= item.length, (record.key, item.name)


@pytest.mark.parametrize("name", RECORDS)
def test_only_the_planted_column_holds_personal_data(name: str, read: OpenSource) -> None:
    refused = []
    for record, mapped in read(name):
        for mapped_item, column in zip(mapped.items, cells(record, mapped), strict=True):
            item = mapped_item.item
            scanner = ColumnScanner(item.name, item.data_type in ("integer", "number", "currency"))
            scanner.feed(typed(item, column), first_row=1)
            refused += [(record.key, item.name, verdict.kind) for verdict in scanner.verdicts(0)]
    planted = ("gaoling-jintie", "身份证号", "resident-id")
    assert refused == ([planted] if name == "minzhengju" else [])


def test_every_record_says_when_and_whether_its_rows_changed(read: OpenSource) -> None:
    for name in RECORDS:
        digests = [record.data_digest for record, _ in read(name)]
        assert all(digests)
        assert digests == [record.data_digest for record, _ in read(name)], name


class TestFrontDatabase:
    def test_tables_and_columns_have_comments(self, front_database: str) -> None:
        connection = psycopg2.connect(front_database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT c.relname, obj_description(c.oid), a.attname, col_description(c.oid, a.attnum)"
                    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
                    " WHERE c.relnamespace = 'qzk'::regnamespace AND c.relkind = 'r'"
                )
                rows = cursor.fetchall()
        finally:
            connection.close()
        assert len({row[0] for row in rows}) == 9
        assert all(row[1] and row[3] for row in rows)
        assert {row[0] for row in rows if row[2] == "gxsj"} == {row[0] for row in rows}

    def test_a_second_start_changes_nothing(self, refill: Callable[[], str]) -> None:
        assert "reused" in refill()
