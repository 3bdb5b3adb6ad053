"""Cells of every type as departments write them, and those that are no value of the type."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.cell_types import CONVERTERS, POSTGRESQL_TYPES
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.items import DATA_TYPES

SHIFTED = datetime(2018, 3, 1, 0, 0, tzinfo=UTC)

VALUES = [
    ("string", "  惠城区　", "惠城区"),
    ("string", "007", "007"),
    ("string", 441302.0, "441302"),
    ("string", 12.5, "12.5"),
    ("string", Decimal("1.50"), "1.50"),
    ("string", True, "true"),
    ("string", "无", "无"),
    ("string", "a\x00b", "ab"),
    ("string", "-", None),
    ("text", "　", None),
    ("text", "第一行\n第二行", "第一行\n第二行"),
    ("integer", "１２３", "123"),
    ("integer", "1,234,567", "1234567"),
    ("integer", 3.0, "3"),
    ("integer", "3.0", "3"),
    ("integer", "—", None),
    ("integer", float("nan"), None),
    ("integer", -(2**63), str(-(2**63))),
    ("number", "0.10", "0.10"),
    ("number", "１,２３４.５", "1234.5"),
    ("number", 1e-7, "0.0000001"),
    ("number", "1.5e3", "1.5e3"),
    ("number", "暂无", None),
    ("currency", "￥1,200.50", "1200.50"),
    ("date", "2018-03-01", "2018-03-01"),
    ("date", "2018/3/1", "2018-03-01"),
    ("date", "2018.3.1", "2018-03-01"),
    ("date", "2018年3月1日", "2018-03-01"),
    ("date", "20180301", "2018-03-01"),
    ("date", 20180301, "2018-03-01"),
    ("date", 43160, "2018-03-01"),
    ("date", 43160.0, "2018-03-01"),
    ("date", date(2018, 3, 1), "2018-03-01"),
    ("date", datetime(2018, 3, 1), "2018-03-01"),  # noqa: DTZ001 - what spreadsheets give
    ("date", "2018-03-01 00:00:00", "2018-03-01"),
    ("date", "２０１８－０３－０１", "2018-03-01"),
    ("date", "", None),
    ("datetime", "2018-03-01 08:05:09", "2018-03-01 08:05:09+08:00"),
    ("datetime", "2018/3/1 8:05", "2018-03-01 08:05:00+08:00"),
    ("datetime", "2018年3月1日8时", "2018-03-01 08:00:00+08:00"),
    ("datetime", "2018年3月1日 8时5分9秒", "2018-03-01 08:05:09+08:00"),
    ("datetime", "2018-03-01T00:00:00Z", "2018-03-01 08:00:00+08:00"),
    ("datetime", "2018-03-01T08:00:00.250+08:00", "2018-03-01 08:00:00.250000+08:00"),
    ("datetime", "20180301080509", "2018-03-01 08:05:09+08:00"),
    ("datetime", "2018-03-01 24:00", "2018-03-02 00:00:00+08:00"),
    ("datetime", "2018-03-01", "2018-03-01 00:00:00+08:00"),
    ("datetime", 43160.5, "2018-03-01 12:00:00+08:00"),
    ("datetime", SHIFTED, "2018-03-01 08:00:00+08:00"),
    ("boolean", "是", "true"),
    ("boolean", "否", "false"),
    ("boolean", "TRUE", "true"),
    ("boolean", 0, "false"),
    ("boolean", "１", "true"),
    ("boolean", None, None),
]

WRONG = [
    ("integer", "1.5"),
    ("integer", "12 个"),
    ("integer", 2**63),
    ("integer", "1,23"),
    ("integer", 1e300),
    ("number", "约5"),
    ("number", "1.2.3"),
    ("number", float("inf")),
    ("number", "12%"),
    ("date", "2018-02-30"),
    ("date", "2018-3"),
    ("date", "2018-03-01 08:00"),
    ("date", "2018-03-011"),
    ("date", 5),
    ("date", True),
    ("datetime", "2018-03-01 25:00"),
    ("datetime", "昨天"),
    ("datetime", "2018-03-01 08:00 左右"),
    ("boolean", "可能"),
    ("boolean", 2),
]


def test_every_type_of_the_code_list_has_a_column_type_and_a_converter():
    assert set(POSTGRESQL_TYPES) == set(CONVERTERS) == set(DATA_TYPES)


@pytest.mark.parametrize(("data_type", "raw", "text"), VALUES)
def test_value_as_departments_write_it(data_type, raw, text):
    assert CONVERTERS[data_type](raw) == text


@pytest.mark.parametrize(("data_type", "raw"), WRONG)
def test_value_that_does_not_fit_is_refused(data_type, raw):
    with pytest.raises(ValueError, match=r".*"):
        CONVERTERS[data_type](raw)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_survive(value):
    assert int(CONVERTERS["integer"](value)) == int(CONVERTERS["integer"](str(value))) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e22)
@example(5e-324)
def test_floats_survive(value):
    assert float(CONVERTERS["number"](value)) == value


NAIVE = st.datetimes(min_value=datetime(1901, 1, 2), max_value=datetime(9998, 1, 1))  # noqa: DTZ001


@given(NAIVE.map(lambda moment: moment.replace(fold=0)))
def test_moments_survive_and_name_their_offset(moment):
    text = CONVERTERS["datetime"](moment)
    back = datetime.fromisoformat(text)
    assert back == moment.replace(tzinfo=CITY_ZONE)
    assert CONVERTERS["datetime"](moment.isoformat()) == text


@given(st.dates(min_value=date(1901, 1, 2)))
def test_a_day_is_the_same_day_in_each_spelling(day):
    spellings = [
        day,
        datetime.combine(day, time(0)),
        day.isoformat(),
        f"{day.year:04}年{day.month}月{day.day}日",
        f"{day.year:04}/{day.month}/{day.day}",
        day.strftime("%Y%m%d").rjust(8, "0"),
    ]
    assert {CONVERTERS["date"](spelling) for spelling in spellings} == {day.isoformat()}


@example("date", float("inf"))
@given(st.sampled_from(sorted(CONVERTERS)), st.one_of(st.text(max_size=40), st.floats(), st.integers(), st.booleans()))
def test_no_input_breaks_a_converter_in_another_way(data_type, raw):
    try:
        text = CONVERTERS[data_type](raw)
    except ValueError:
        return
    assert text is None or (isinstance(text, str) and text != "")
