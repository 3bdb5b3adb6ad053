"""The next time of a schedule: the city's clock, no drift, no surprise."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.city_time import to_city
from ckanext.openhuizhou.domain.schedule import is_schedule, next_time
from ckanext.openhuizhou.errors import ConfigurationError

at = dt.datetime.fromisoformat

MOMENTS = st.datetimes(at("2018-01-01"), at("2100-01-01"))
MINUTES, HOURS = st.integers(0, 59), st.integers(0, 23)
#: From the moment a run is due to the moment that the scheduler sees it.
DELAYS = st.lists(st.timedeltas(dt.timedelta(), dt.timedelta(hours=20)), min_size=30, max_size=30)


class TestNextTime:
    @given(MOMENTS, DELAYS)
    @example(at("2026-02-01"), [dt.timedelta(hours=5)] * 30)
    def test_three_in_the_morning_stays_so_for_thirty_runs(self, start: dt.datetime, delays: list[dt.timedelta]):
        """However late each one is seen."""
        due = next_time("0 3 * * *", start)
        days = []
        for delay in delays:
            days.append(to_city(due).date())
            assert to_city(due).time() == dt.time(3)
            due = next_time("0 3 * * *", due + delay)
        assert days == [days[0] + dt.timedelta(days=number) for number in range(30)]

    @given(MOMENTS, MINUTES, HOURS)
    def test_a_daily_time_is_the_first_one_after(self, after: dt.datetime, minute: int, hour: int):
        due = next_time(f"{minute} {hour} * * *", after)
        assert after < due <= after + dt.timedelta(days=1)
        assert to_city(due).time() == dt.time(hour, minute)

    @given(MOMENTS, MINUTES, st.integers(0, 6))
    def test_a_weekly_time_comes_within_a_week(self, after: dt.datetime, minute: int, weekday: int):
        due = next_time(f"{minute} 4 * * {weekday}", after)
        assert after < due <= after + dt.timedelta(days=7)
        assert to_city(due).isoweekday() % 7 == weekday

    @given(MOMENTS)
    def test_later_moments_have_no_earlier_times(self, after: dt.datetime):
        first = next_time("*/20 6-8 1,15 * *", after)
        assert next_time("*/20 6-8 1,15 * *", first - dt.timedelta(microseconds=1)) == first
        assert next_time("*/20 6-8 1,15 * *", first) > first

    def test_a_missed_week_is_one_time_not_seven(self):
        seen = at("2026-11-24T12:00")
        assert next_time("0 3 * * *", seen) == at("2026-11-24T19:00")

    def test_a_leap_day_comes_in_leap_years(self):
        first = next_time("0 0 29 2 *", at("2026-01-01"))
        assert to_city(first).date() == dt.date(2028, 2, 29)
        assert to_city(next_time("0 0 29 2 *", first)).date() == dt.date(2032, 2, 29)

    def test_months_without_the_day_are_passed_over(self):
        days = []
        due = at("2026-01-01")
        for _ in range(4):
            due = next_time("30 5 31 * *", due)
            days.append(to_city(due).date().isoformat())
        assert days == ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]

    @pytest.mark.parametrize("month", range(1, 13))
    def test_the_clock_never_changes(self, month: int):
        """No summer time: 03:00 in the city is 19:00 UTC of the day before, all year."""
        assert next_time("0 3 * * *", at(f"2026-{month:02}-10")).time() == dt.time(19)

    @pytest.mark.parametrize(
        "wrong",
        ["", "daily", "@daily", "0 3 * *", "0 0 3 * * *", "60 3 * * *", "0 24 * * *", "0 3 32 * *", "0 3 * 13 *",
         "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 3 * * 8", "* * * * * 2026", "r r * * *", "H H * * *", "0 3 * * *\n0 4",
         "*/0 * * * *", "5-1-2 * * * *", "一 3 * * *"],
    )  # fmt: skip
    def test_what_is_no_schedule_is_refused(self, wrong: str):
        assert not is_schedule(wrong)
        with pytest.raises(ConfigurationError):
            next_time(wrong, at("2026-01-01"))

    @given(st.text(alphabet="0123456789*/,-LH#? ", max_size=24))
    def test_any_text_is_a_schedule_or_refused(self, text: str):
        if is_schedule(text):
            assert next_time(text, at("2026-01-01")) > at("2026-01-01")
