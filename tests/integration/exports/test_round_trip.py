"""From a file through the DataStore to each format, and back by the library that people read it with: equal values."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
import python_calamine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]
from tests.data.tables.expected import typed

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.data.table_file import FileSource
from ckanext.openhuizhou.data.table_query import TableQuery
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.exports.formats import FORMATS
from ckanext.openhuizhou.exports.rows import rows_of

ITEMS = [
    Item("名称", "name", "string"),
    Item("备注，\n说明", "note", "text"),
    Item("数量", "amount", "integer"),
    Item("金额", "money", "currency", unit="万元"),
    Item("日期", "day", "date"),
    Item("时间", "moment", "datetime"),
    Item("是否", "yes", "boolean"),
    Item("经度", "longitude", "number"),
    Item("纬度", "latitude", "number"),
]
Row = list[Any]

#: What the formats have to escape, between two letters that keep it from being trimmed or taken for nothing.
_SPECIAL = st.text(st.sampled_from("惠州㛃𠮷é,;|\t\n\"'<>&=@%\\]_x ️、"), max_size=12)
#: Excel keeps fifteen digits; what has more is a text there.
_DECIMALS = st.decimals(min_value=-(10**9), max_value=10**9, places=3).map(lambda number: number + 0)
_MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - the zone comes with it
    lambda moment: moment.replace(microsecond=0, tzinfo=CITY_ZONE)
)
ROWS = st.lists(
    st.tuples(
        _SPECIAL.map(lambda text: f"字{text}末"),
        st.none() | _SPECIAL.map(lambda text: f"字{text}末"),
        st.none() | st.integers(-(10**14), 10**14),
        st.none() | _DECIMALS,
        st.none() | _MOMENTS.map(lambda moment: moment.date()),
        st.none() | _MOMENTS,
        st.none() | st.booleans(),
        st.none() | st.decimals(114, 115, places=6),
        st.none() | st.decimals(22, 24, places=6),
    ).map(list),
    min_size=1,
    max_size=15,
)


def as_written(value: Any) -> str:
    """As a department writes it: moments without a zone, yes and no in Chinese."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)


def from_csv(content: bytes) -> list[Row]:
    _names, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [[typed(cell or None, item) for cell, item in zip(row, ITEMS, strict=True)] for row in rows]


def from_json(content: bytes) -> list[Row]:
    return [_of_texts(row) for row in json.loads(content, parse_float=Decimal)]


def from_json_lines(content: bytes) -> list[Row]:
    return [_of_texts(json.loads(line, parse_float=Decimal)) for line in content.decode().split("\n") if line]


def from_geojson(content: bytes) -> list[Row]:
    features = json.loads(content, parse_float=Decimal)["features"]
    for feature in features:
        place = [feature["properties"][name] for name in ("longitude", "latitude")]
        assert (feature["geometry"] or {}).get("coordinates") == (None if None in place else place)
    return [_of_texts(feature["properties"]) for feature in features]


def _of_texts(row: dict[str, Any]) -> Row:
    cells = [row[item.column] for item in ITEMS]
    return [typed(c, i) if isinstance(c, str) else c for c, i in zip(cells, ITEMS, strict=True)]


def from_xml(content: bytes) -> list[Row]:
    rows = etree.fromstring(content).iterfind("rows/row")
    found = [{cell.tag: cell.text for cell in row} for row in rows]
    return [[typed(row.get(item.column), item) for item in ITEMS] for row in found]


def from_parquet(content: bytes) -> list[Row]:
    table = pq.read_table(io.BytesIO(content))
    return [list(row.values()) for row in table.to_pylist()]


def from_openpyxl(content: bytes) -> list[Row]:
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    return [_of_excel(row) for row in list(sheet.iter_rows(values_only=True))[1:]]


def from_calamine(content: bytes) -> list[Row]:
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    return [_of_excel(row) for row in sheet.to_python()[1:]]


def _of_excel(row: Any) -> Row:
    cells = [*row, *[None] * (len(ITEMS) - len(row))]
    return [None if cell == "" else _of_cell(cell, item) for cell, item in zip(cells, ITEMS, strict=True)]


def _of_cell(cell: Any, item: Item) -> Any:
    if isinstance(cell, bool) or cell is None:
        return cell
    if isinstance(cell, int | float):
        return Decimal(repr(cell)) if item.data_type != "integer" else int(cell)
    if item.data_type == "date" and isinstance(cell, datetime):
        return cell.date()
    return cell.replace(tzinfo=CITY_ZONE) if isinstance(cell, datetime) else cell


READERS: list[tuple[str, Callable[[bytes], list[Row]]]] = [
    ("csv", from_csv),
    ("xlsx", from_openpyxl),
    ("xlsx", from_calamine),
    ("json", from_json),
    ("jsonl", from_json_lines),
    ("xml", from_xml),
    ("parquet", from_parquet),
    ("geojson", from_geojson),
]


@pytest.fixture
def resource_id() -> Iterator[str]:
    resource_id = str(uuid.uuid4())
    yield resource_id
    tables.drop_table(resource_id)


class TestRoundTrip:
    def test_every_format_has_a_reader(self):
        assert {name for name, _read in READERS} == FORMATS.keys()

    @given(
        rows=ROWS,
        encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
        delimiter=st.sampled_from(",;\t"),
    )
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_a_file_comes_back_from_every_format_with_equal_values(
        self, resource_id: str, tmp_path: Path, rows: list[Row], encoding: str, delimiter: str
    ):
        path = tmp_path / "源.csv"
        with path.open("w", encoding=encoding, newline="") as target:
            writer = csv.writer(target, delimiter=delimiter)
            writer.writerow([item.name for item in ITEMS])
            writer.writerows([[as_written(value) for value in row] for row in rows])
        tables.publish_table(tables.stage_file(resource_id, ITEMS, FileSource(path, path.name)), "round-trip")
        query = TableQuery(resource_id, tuple(item.column for item in ITEMS))
        for name, read in READERS:
            with rows_of(query) as published:
                content = b"".join(FORMATS[name].write(published))
            assert [_in_utc(row) for row in read(content)] == [_in_utc(row) for row in rows], f"{name} {read.__name__}"


def _in_utc(row: Row) -> Row:
    return [cell.astimezone(UTC) if isinstance(cell, datetime) else cell for cell in row]
