"""When data is late against its update cycle."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ckanext.openhuizhou.domain.freshness import is_late, oldest_in_time

NOW = datetime.fromisoformat("2026-11-24T08:00")


class TestIsLate:
    @pytest.mark.parametrize(
        ("cycle", "days"),
        {
            "realtime": 1,
            "daily": 1,
            "weekly": 7,
            "monthly": 31,
            "quarterly": 92,
            "half_yearly": 184,
            "yearly": 366,
        }.items(),
    )
    def test_a_cycle_is_kept_to_its_last_second(self, cycle: str, days: int):
        assert not is_late(cycle, NOW - timedelta(days=days), NOW)
        assert is_late(cycle, NOW - timedelta(days=days, seconds=1), NOW)

    @pytest.mark.parametrize("cycle", ["irregular", "discontinued", "", None, "偶尔"])
    def test_a_cycle_that_promises_nothing_is_never_late(self, cycle: str | None):
        assert not is_late(cycle, NOW - timedelta(days=4000), NOW)
        assert not is_late(cycle, None, NOW)

    def test_data_that_never_came_is_late(self):
        assert is_late("yearly", None, NOW)


class TestOldestInTime:
    def test_has_every_cycle_that_promises_something(self):
        assert set(oldest_in_time(NOW)) == {
            "realtime", "daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly"
        }  # fmt: skip
