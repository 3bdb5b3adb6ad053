from __future__ import annotations

import datetime as dt

import pytest

from ckanext.openhuizhou.helpers import formats


class TestShortCount:
    @pytest.mark.parametrize(
        ("value", "chinese", "english"),
        [
            (0, "0", "0"),
            (9999, "9,999", "9,999"),
            (10_000, "1万", "10,000"),
            (123_456, "12.3万", "123,456"),
            (199_999, "19.9万", "199,999"),
            (100_000_000, "1亿", "100,000,000"),
            (98_760_000_000, "987.6亿", "98,760,000,000"),
        ],
    )
    def test_is_rounded_down_for_chinese_and_whole_for_others(self, value: int, chinese: str, english: str) -> None:
        assert formats.short_count(value, chinese=True) == chinese
        assert formats.short_count(value, chinese=False) == english


class TestNumber:
    @pytest.mark.parametrize(("value", "shown"), [(1234567, "1,234,567"), ("42", "42"), (None, ""), ("many", "many")])
    def test_separates_thousands_and_leaves_the_rest(self, value: object, shown: str) -> None:
        assert formats.openhuizhou_number(value) == shown


class TestSize:
    @pytest.mark.parametrize(
        ("size", "shown"),
        [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), ("5242880", "5.0 MB"), (3 * 1024**4, "3072 GB"), (None, "")],
    )
    def test_uses_the_unit_that_fits(self, size: object, shown: str) -> None:
        assert formats.openhuizhou_size(size) == shown


class TestDates:
    def test_utc_midnight_eve_is_the_next_day_in_the_city(self) -> None:
        assert formats.openhuizhou_date("2018-03-31T16:30:00") == "2018-04-01"
        assert formats.openhuizhou_datetime("2018-03-31T16:30:00.123456") == "2018-04-01 00:30"

    def test_a_zone_in_the_text_is_obeyed(self) -> None:
        assert formats.openhuizhou_datetime("2018-03-31T08:05:00+08:00") == "2018-03-31 08:05"

    def test_a_date_stays_that_date(self) -> None:
        assert formats.openhuizhou_date("2018-03-31") == "2018-03-31"
        assert formats.openhuizhou_datetime("2018-03-31") == "2018-03-31"
        assert formats.openhuizhou_date(dt.date(2018, 3, 31)) == "2018-03-31"

    @pytest.mark.parametrize("value", ["2018年3月", "", "2018-13-45"])
    def test_what_is_no_date_stays_as_it_is(self, value: str) -> None:
        assert formats.openhuizhou_date(value) == value

    def test_nothing_is_nothing(self) -> None:
        assert formats.openhuizhou_date(None) == ""


class TestCell:
    @pytest.mark.parametrize(
        ("value", "data_type", "shown"),
        [
            (None, "string", ""),
            ("", "number", ""),
            (2018, "integer", "2018"),
            ("0012.500", "number", "12.5"),
            (1e-7, "number", "0.0000001"),
            (1000, "number", "1000"),
            ("NaN", "number", "NaN"),
            ("1234567.5", "currency", "1,234,567.50"),
            ("2018-03-31T16:30:00", "datetime", "2018-04-01 00:30"),
            ("2018-03-31", "date", "2018-03-31"),
            ("００１", "string", "００１"),
            (0, "integer", "0"),
        ],
    )
    def test_shows_each_type_as_it_is_read(self, value: object, data_type: str, shown: str) -> None:
        assert formats.openhuizhou_cell(value, data_type) == shown
