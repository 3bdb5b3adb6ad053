"""Is an entry's data as fresh as its update cycle (更新周期) promises? The days are in ``update_cycles.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from ckanext.openhuizhou.schemas.code_lists import code_list

#: none: the cycle promises nothing, or there is nothing yet.
Freshness = Literal["in_time", "late", "none"]


@cache
def promised() -> Mapping[str, timedelta]:
    """By update cycle: how long after a change the next one is due. Cycles that promise nothing are not there."""
    days = {code.key: code.extra.get("days") for code in code_list("update_cycles")}
    return {cycle: timedelta(days=count) for cycle, count in days.items() if count is not None}


def oldest_in_time(now: datetime) -> Mapping[str, datetime]:
    """By update cycle: data that changed before this moment is late."""
    return {cycle: now - time for cycle, time in promised().items()}


def due(update_cycle: str, changed: datetime | None) -> datetime | None:
    """When the next change is due; None where nothing is promised."""
    time = promised().get(update_cycle)
    return None if time is None or changed is None else changed + time


def freshness(update_cycle: str, changed: datetime | None, now: datetime) -> Freshness:
    """Whether the data is as fresh at ``now`` as was promised."""
    next_change = due(update_cycle, changed)
    if next_change is None:
        return "none"
    return "in_time" if now <= next_change else "late"
