"""When a schedule is due next: a cron expression of five fields on the city's clock.

The next time is always computed from the expression, never from the last run: a run that starts late, or takes long,
moves no later one. Asia/Shanghai has had no summer time since 1991, so that each time of day exists once.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from croniter import croniter
from croniter.croniter import CroniterError

from ckanext.openhuizhou.domain.city_time import CITY_ZONE, to_city, utcnow
from ckanext.openhuizhou.errors import ConfigurationError

#: minute, hour, day of month, month, day of week
_FIELDS: Final = 5
#: croniter's random and hashed fields: the next time would be another at each question.
_AT_RANDOM: Final = re.compile(r"\b[rh]\b", re.IGNORECASE)


def next_time(schedule: str, after: dt.datetime) -> dt.datetime:
    """The first time of the schedule that lies after a moment; both in UTC without zone, as in the database.

    Raises:
        ConfigurationError: the expression is not one of five fields, or names a day that never comes (30 February).
    """
    if len(schedule.split()) != _FIELDS or _AT_RANDOM.search(schedule):
        raise _refused(schedule)
    # the day of month and the day of week are alternatives, as in every cron
    try:
        found = croniter(schedule, to_city(after).replace(tzinfo=None)).get_next(dt.datetime)
    except (CroniterError, ValueError, OverflowError) as error:
        raise _refused(schedule) from error
    return found.replace(tzinfo=CITY_ZONE).astimezone(dt.UTC).replace(tzinfo=None)


def is_schedule(schedule: str) -> bool:
    """Whether ``next_time`` takes it."""
    try:
        next_time(schedule, utcnow())
    except ConfigurationError:
        return False
    return True


def _refused(schedule: str) -> ConfigurationError:
    return ConfigurationError("{value} is no cron expression", value=schedule)
