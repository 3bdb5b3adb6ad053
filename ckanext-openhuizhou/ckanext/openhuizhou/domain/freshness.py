"""Is an entry's data as fresh as its update cycle (更新周期) promises? The days are in ``update_cycles.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ckanext.openhuizhou.schemas.code_lists import code_list


def oldest_in_time(now: datetime) -> Mapping[str, datetime]:
    """By update cycle: data that changed before this moment is late. Cycles that promise nothing are not there."""
    days = {code.key: code.extra.get("days") for code in code_list("update_cycles")}
    return {cycle: now - timedelta(days=count) for cycle, count in days.items() if count is not None}
