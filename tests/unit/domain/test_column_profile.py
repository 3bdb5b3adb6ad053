"""A column's profile: what is kept, what is shown, and that JSON gives it back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.column_profile import (
    LONGEST,
    QUANTILES,
    ColumnProfile,
    Histogram,
    as_text,
    bins_of,
    guarded,
    histogram_of,
    mean_text,
    quantiles_of,
)
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.profile_bins import Bins

PLAIN = ColumnProfile(
    "cost",
    "投资",
    "number",
    "万元",
    nulls=1,
    distinct=3,
    minimum="0.5",
    maximum="9",
    mean="3.25",
    quantiles={"0.5": "2"},
    histogram=Histogram("number", "5", ("0", "5", "10"), (2, 1)),
    lengths=(1, 1.5, 3),
    top=(("2", 4), ("9", 2)),
    examples=("2", "9"),
)


class TestJson:
    @pytest.mark.parametrize("profile", [PLAIN, ColumnProfile("a", "甲", "string", "", 0, 0)])
    def test_round_trip(self, profile):
        assert ColumnProfile.from_dict(json.loads(json.dumps(profile.as_dict()))) == profile

    def test_what_a_later_version_adds_is_left_out(self):
        assert ColumnProfile.from_dict(PLAIN.as_dict() | {"entropy": 1}) == PLAIN


class TestTexts:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (True, "true"),
            (Decimal("1.50"), "1.50"),
            (Decimal("1E+3"), "1000"),
            (date(2018, 3, 1), "2018-03-01"),
            (datetime(2018, 3, 1, tzinfo=UTC), "2018-03-01 08:00:00+08:00"),
            ("惠" * LONGEST, "惠" * LONGEST),
            ("惠" * (LONGEST + 1), "惠" * (LONGEST - 1) + "…"),
        ],
    )
    def test_as_the_file_has_them(self, value, text):
        assert as_text(value) == text

    @pytest.mark.parametrize(
        ("mean", "text"), [("2", "2"), ("100", "100"), ("0.33333333333333333", "0.333333333333"), ("2.50", "2.5")]
    )
    def test_a_mean_has_no_zeros_at_the_end(self, mean, text):
        assert mean_text(Decimal(mean)) == text


class TestQuantiles:
    @given(st.lists(st.integers(-100, 100), min_size=1, max_size=300))
    def test_each_is_the_first_value_that_reaches_its_share(self, values):
        counted = [(value, values.count(value)) for value in sorted(set(values))]
        found = quantiles_of(counted)
        assert set(found) == set(QUANTILES)
        for share, value in found.items():
            assert sum(one <= value for one in values) >= share * len(values)
            assert sum(one < value for one in values) < share * len(values)

    def test_of_nothing(self):
        assert quantiles_of([]) == {}


class TestHistograms:
    def test_buckets_of_the_database_are_bins(self):
        bins = Bins("integer", Decimal(5), (0, 5, 10))
        assert histogram_of(bins, {0: 1, 1: 7, 3: 2}) == Histogram("integer", "5", ("0", "5", "10"), (7, 0), 1, 2)

    @pytest.mark.parametrize("item", [Item("统一编号", "id", "integer", is_key=True), Item("名称", "name", "string")])
    def test_none_of_numbers_that_name_a_row_nor_of_texts(self, item):
        assert bins_of(item, 1, 9, dict.fromkeys(QUANTILES, 5)) is None

    def test_none_of_an_empty_column(self):
        assert bins_of(Item("投资", "cost", "number"), None, None, dict.fromkeys(QUANTILES)) is None


class TestGuard:
    ITEM = Item("投资", "cost", "number", unit="万元")

    def test_a_general_column_is_told_as_it_is(self):
        assert guarded(PLAIN, self.ITEM, [self.ITEM]) == PLAIN

    def test_a_closed_column_keeps_only_counts(self):
        closed = replace(self.ITEM, sensitivity="internal")
        assert guarded(PLAIN, closed, [closed]) == ColumnProfile(
            "cost", "投资", "number", "万元", nulls=1, distinct=3, withheld="sensitivity"
        )

    def test_a_phone_number_among_texts_is_left_out(self):
        item = Item("备注", "note", "text")
        told = replace(PLAIN, minimum=None, maximum=None, quantiles={}, histogram=None)
        seen = replace(told, top=(("打 13800000000", 3), ("无误", 2)), examples=("打 13800000000", "无误"))
        shown = guarded(seen, item, [item])
        assert (shown.top, shown.examples) == ((("无误", 2),), ("无误",))

    def test_phone_numbers_stored_as_figures_are_not_told(self):
        item = Item("号", "number", "integer")
        shown = guarded(replace(PLAIN, maximum="13800000000"), item, [item])
        assert (shown.withheld, shown.histogram, shown.top) == ("personal-data", None, ())
