"""When data is late against its update cycle."""

from __future__ import annotations

from datetime import datetime, timedelta

from ckanext.openhuizhou.domain.freshness import oldest_in_time

NOW = datetime.fromisoformat("2026-11-24T08:00")


class TestOldestInTime:
    def test_has_every_cycle_that_promises_something_and_no_other(self):
        days = {
            "realtime": 1, "daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "half_yearly": 184, "yearly": 366,
        }  # fmt: skip
        assert oldest_in_time(NOW) == {cycle: NOW - timedelta(days=count) for cycle, count in days.items()}
