"""The city's clock. The database holds UTC; what people read, and every deadline, is in Asia/Shanghai."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

CITY_ZONE = ZoneInfo("Asia/Shanghai")


def utcnow() -> dt.datetime:
    """Now, in UTC without zone, as CKAN's tables and ours hold times."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def today() -> dt.date:
    """The date in the city now."""
    return dt.datetime.now(CITY_ZONE).date()


def to_city(moment: dt.datetime) -> dt.datetime:
    """The same moment on the city's clock; a moment without zone is UTC, as CKAN stores it."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(CITY_ZONE)
