"""Bins of histograms: few, readable, and every value in exactly one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.profile_bins import MOST, number_bins, time_bins

decimals = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=4)
days = st.dates()
moments = st.datetimes(timezones=st.just(CITY_ZONE)).filter(lambda one: 1900 < one.year < 9999)


class TestNumbers:
    @given(decimals, decimals, st.booleans())
    def test_all_values_lie_in_few_bins(self, one, other, whole):
        if whole:
            one, other = one.to_integral_value(), other.to_integral_value()
        low, high = sorted((one, other))
        bins = number_bins(low, high, (low, high), whole=whole)
        if low == high:
            assert bins is None
            return
        assert bins is not None
        assert len(bins.edges) <= MOST + 1
        assert list(bins.edges) == sorted(set(bins.edges))
        assert 1 <= bins.bucket(low) < len(bins.edges)
        assert 1 <= bins.bucket(high) < len(bins.edges)

    @given(decimals, decimals)
    def test_steps_are_one_two_or_five(self, one, other):
        low, high = sorted((one, other))
        bins = number_bins(low, high, (low, high), whole=False)
        if bins:
            assert bins.step.as_tuple().digits[0] in (1, 2, 5)
            assert all(edge % bins.step == 0 for edge in bins.edges)

    def test_whole_numbers_have_whole_steps(self):
        bins = number_bins(Decimal(1), Decimal(5), (Decimal(1), Decimal(5)), whole=True)
        assert bins is not None
        assert (bins.unit, bins.step, bins.edges) == ("integer", 1, tuple(map(Decimal, (1, 2, 3, 4, 5, 6))))

    def test_one_far_value_does_not_flatten_all_others(self):
        bins = number_bins(Decimal(0), Decimal(10**9), (Decimal(1), Decimal(90)), whole=True)
        assert bins is not None
        assert bins.edges[-1] <= 100
        assert bins.bucket(Decimal(10**9)) == len(bins.edges)

    def test_a_long_tail_within_reason_is_drawn(self):
        bins = number_bins(Decimal(0), Decimal(150), (Decimal(1), Decimal(90)), whole=True)
        assert bins is not None
        assert bins.bucket(Decimal(150)) < len(bins.edges)


class TestTimes:
    @given(days, days)
    def test_all_days_lie_in_few_bins(self, one, other):
        self.all_in(*sorted((one, other)))

    @given(moments, moments)
    def test_all_moments_lie_in_few_bins(self, one, other):
        self.all_in(*sorted((one, other)))

    def all_in(self, low, high):
        bins = time_bins(low, high, (low, high))
        if low == high:
            assert bins is None
            return
        assert bins is not None
        assert len(bins.edges) <= MOST + 1
        assert list(bins.edges) == sorted(set(bins.edges))
        assert bins.bucket(low) >= 1
        # the calendar ends with 9999-12-31: what lies there stands above the last edge
        assert bins.bucket(high) < len(bins.edges) or bins.edges[-1].year == date.max.year

    @pytest.mark.parametrize(
        ("low", "high", "unit", "step", "first"),
        [
            (date(2018, 3, 1), date(2018, 3, 20), "day", 1, date(2018, 3, 1)),
            (date(2018, 3, 1), date(2018, 6, 30), "day", 7, date(2018, 2, 26)),
            (date(2017, 3, 5), date(2018, 11, 30), "month", 1, date(2017, 3, 1)),
            (date(2015, 2, 1), date(2019, 12, 30), "month", 3, date(2015, 1, 1)),
            (date(2001, 5, 1), date(2019, 12, 30), "year", 1, date(2001, 1, 1)),
            (date(1950, 5, 1), date(2019, 12, 30), "year", 5, date(1950, 1, 1)),
        ],
    )
    def test_calendar_units(self, low, high, unit, step, first):
        bins = time_bins(low, high, (low, high))
        assert bins is not None
        assert (bins.unit, bins.step, bins.edges[0]) == (unit, step, first)

    def test_hours_are_the_citys(self):
        low = datetime(2018, 3, 1, 0, 30, tzinfo=CITY_ZONE)
        bins = time_bins(low, low + timedelta(hours=20), (low, low + timedelta(hours=20)))
        assert bins is not None
        assert (bins.unit, bins.edges[0].isoformat()) == ("hour", "2018-03-01T00:00:00+08:00")

    def test_a_day_that_means_never_is_left_out_of_the_picture(self):
        bins = time_bins(date(2010, 1, 1), date(9999, 12, 31), (date(2010, 3, 1), date(2018, 3, 1)))
        assert bins is not None
        assert bins.edges[-1] == date(2019, 1, 1)
