"""What a reader of a Parquet file gets is what the rows said."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckanext.openhuizhou.data.parquet import GROUP_ROWS, write_parquet
from ckanext.openhuizhou.domain.cell_types import to_datetime
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.items import Item

COLUMNS = (
    Item("名称", "name", "string", description="演示数据"),
    Item("面积", "area", "number", unit="平方米"),
    Item("人数", "people", "integer"),
    Item("日期", "day", "date"),
    Item("时间", "moment", "datetime"),
    Item("开放", "open", "boolean"),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30)
NUMBERS = st.decimals(-(10**12), 10**12, places=None, allow_nan=False).map(lambda value: round(value, 6))
MOMENTS = st.datetimes(datetime(1850, 1, 1), datetime(2200, 1, 1), timezones=st.just(CITY_ZONE), allow_imaginary=False)  # noqa: DTZ001
ROWS = st.lists(
    st.tuples(*map(st.one_of, [st.none()] * 6, [
        TEXT, NUMBERS, st.integers(-(2**63), 2**63 - 1), st.dates(), MOMENTS, st.booleans(),
    ])),
    max_size=20,
)  # fmt: skip


def canonical(value: object) -> str | None:
    """As the loader spells it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return to_datetime(value) if isinstance(value, datetime) else str(value)


def read(path):
    table = pq.read_table(path)
    return table.schema, [tuple(row[name] for name in table.column_names) for row in table.to_pylist()]


class TestWriteParquet:
    @settings(max_examples=50, deadline=None)
    @given(rows=ROWS)
    def test_a_reader_gets_equal_values(self, tmp_path_factory, rows):
        path = tmp_path_factory.mktemp("parquet") / "table.parquet"
        texts = [tuple(map(canonical, row)) for row in rows]
        assert write_parquet(path, COLUMNS, [texts[:3], texts[3:]]) == len(rows)
        assert read(path)[1] == rows

    def test_types_and_dictionary_are_in_the_file(self, tmp_path):
        write_parquet(tmp_path / "t", COLUMNS, [[("甲", "1.50", "3", "2018-03-01", None, "true")]])
        schema, _rows = read(tmp_path / "t")
        assert schema.types == [
            pa.string(), pa.decimal128(3, 2), pa.int64(), pa.date32(), pa.timestamp("us", "Asia/Shanghai"), pa.bool_(),
        ]  # fmt: skip
        assert schema.field("area").metadata == {b"label": "面积".encode(), b"unit": "平方米".encode()}

    @pytest.mark.parametrize(
        ("spelled", "value"),
        [("+3", "3"), ("1e5", "100000"), ("007.50", "7.50"), ("0.000000000001", "1e-12")],
    )
    def test_numbers_in_other_spellings(self, tmp_path, spelled, value):
        write_parquet(tmp_path / "t", COLUMNS[1:2], [[("-2.25",), (spelled,), (None,)]])
        assert read(tmp_path / "t")[1] == [(Decimal("-2.25"),), (Decimal(value),), (None,)]

    def test_a_number_wider_than_any_decimal_stays_text(self, tmp_path):
        wide = "1" * 30 + "." + "2" * 12
        write_parquet(tmp_path / "t", COLUMNS[1:2], [[(wide,), ("1",)]])
        schema, rows = read(tmp_path / "t")
        assert (schema.types, rows) == ([pa.string()], [(wide,), ("1",)])

    def test_the_widest_figure_of_any_group_decides(self, tmp_path):
        batches = ([("1",)] * GROUP_ROWS, [("12345.678",)], [("9",)] * GROUP_ROWS)
        assert write_parquet(tmp_path / "t", COLUMNS[1:2], batches) == 2 * GROUP_ROWS + 1
        assert pq.read_schema(tmp_path / "t").types == [pa.decimal128(8, 3)]

    def test_an_empty_table_has_its_columns(self, tmp_path):
        assert write_parquet(tmp_path / "t", COLUMNS, []) == 0
        assert pq.read_schema(tmp_path / "t").names == [item.column for item in COLUMNS]
