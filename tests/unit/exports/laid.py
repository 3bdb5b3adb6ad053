"""Rows as an export reads them, without a database: what PostgreSQL would have copied is laid down beforehand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from tempfile import TemporaryFile

from hypothesis import strategies as st

from ckanext.openhuizhou.domain.cell_types import to_datetime
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.exports.rows import Behind, Rows

COLUMNS = (
    Item("名称", "name", "string", description='演示 "数据" <&>'),
    Item("面积", "area", "number", unit="平方米"),
    Item("人数", "people", "integer"),
    Item("日期", "day", "date"),
    Item("时间", "moment", "datetime"),
    Item("开放", "open", "boolean"),
)
#: Everything that PostgreSQL holds in a text: no NUL, no lone surrogate; an empty text is NULL to the loader.
_ANY = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)
_NASTY = ["惠城区", "a,b", 'say "好"', "两\n行", "回\r车", "\r\n", " 空 格 ", "=1+1", "\x01\x1f\x0b", "]]>", "<&>"]
TEXT = _ANY | st.sampled_from([*_NASTY, "_x0041_", "\ufffe", "007", "NULL", "\u2028"])
NUMBERS = st.decimals(-(10**18), 10**18, places=6, allow_nan=False) | st.decimals(-10, 10, places=2)
MOMENTS = st.datetimes(
    datetime(1850, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(CITY_ZONE),
    allow_imaginary=False,
)
CELLS = (TEXT, NUMBERS, st.integers(-(2**63), 2**63 - 1), st.dates(), MOMENTS, st.booleans())
ROWS = st.lists(st.tuples(*(st.none() | cell for cell in CELLS)), max_size=8)


def canonical(value: object) -> str | None:
    """As the loader spells it (``domain.cell_types``)."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return to_datetime(value) if isinstance(value, datetime) else str(value)


@contextmanager
def laid(values: Sequence[Sequence[object]], columns: Sequence[Item] = COLUMNS) -> Iterator[Rows]:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
        [canonical(value) for value in row] for row in values
    )
    with TemporaryFile(buffering=0) as file:
        source = Behind(file)
        source.write(text.getvalue().encode())
        source.end()
        yield Rows(tuple(columns), None, source)
