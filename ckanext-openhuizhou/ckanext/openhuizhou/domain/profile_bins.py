"""Bins of a histogram that people can read: steps of 1, 2 or 5 for numbers, calendar units for days and moments.

A few extreme values would push all others into one bar; where the outermost hundredth stretches the range far, it is
counted below the first edge or above the last one instead.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal
from itertools import islice
from typing import Any, Final, TypeVar

from .city_time import CITY_ZONE

#: At most so many bars beside each other.
MOST: Final = 24
#: A tail is cut off when it is longer than so many times the range of the other 98 %.
_STRETCH: Final = 1

Value = TypeVar("Value", Decimal, date, datetime)


@dataclass(frozen=True, slots=True)
class Bins:
    """``edges`` bound the bins from low to high: each holds its lower edge and not its upper one.

    ``unit`` is ``integer``, ``number``, ``hour``, ``day``, ``month`` or ``year``; ``step`` how many of it a bin spans.
    """

    unit: str
    step: Decimal
    edges: tuple[Any, ...]

    def bucket(self, value: Any) -> int:
        """0 below the first edge, ``len(edges)`` from the last one on: PostgreSQL's ``width_bucket``."""
        return bisect_right(self.edges, value)


def number_bins(low: Decimal, high: Decimal, core: tuple[Decimal, Decimal], *, whole: bool) -> Bins | None:
    """Bins for numbers between ``low`` and ``high``; ``core`` are their 1st and 99th hundredth. None for one value."""
    if low == high:
        return None
    low, high = _without_tails(low, high, core, core[1] - core[0])
    step = _number_step(high - low, whole=whole)
    first = (low / step).to_integral_value(ROUND_FLOOR)
    count = int((high / step).to_integral_value(ROUND_FLOOR) - first) + 1
    return Bins("integer" if whole else "number", step, tuple((first + number) * step for number in range(count + 1)))


def time_bins(low: date, high: date, core: tuple[date, date]) -> Bins | None:
    """The same for days, or for moments with a zone: those are counted in the city's hours and days."""
    if low == high:
        return None
    low, high = _without_tails(low, high, core, core[1] - core[0])
    moments = isinstance(low, datetime)
    for unit, step, edges in _CALENDAR:
        if unit == "hour" and not moments:
            continue
        found = list(islice(_until(edges(low), high), MOST + 2))
        if 1 < len(found) <= MOST + 1:
            return Bins(unit, Decimal(step), tuple(found))
    raise AssertionError("a calendar has fewer centuries than bins")


def _until(edges: Iterator[Any], high: Any) -> Iterator[Any]:
    """The edges up to the first one above ``high``, or to the calendar's end."""
    for edge in edges:
        yield edge
        if edge > high:
            return


def _without_tails(low: Any, high: Any, core: tuple[Any, Any], width: Any) -> tuple[Any, Any]:
    if not width:
        return low, high
    if core[0] - low > width * _STRETCH:
        low = core[0]
    if high - core[1] > width * _STRETCH:
        high = core[1]
    return low, high


def _number_step(width: Decimal, *, whole: bool) -> Decimal:
    """The smallest of 1, 2, 5, 10 … (tenths and less where not ``whole``) that needs few enough bins."""
    least = width / (MOST - 1)
    if whole and least <= 1:
        return Decimal(1)
    power = Decimal(1).scaleb(least.adjusted())
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)


def _hours(step: int) -> Callable[[Any], Iterator[datetime]]:
    def edges(low: datetime) -> Iterator[datetime]:
        local = low.astimezone(CITY_ZONE)
        edge = local.replace(hour=local.hour // step * step, minute=0, second=0, microsecond=0)
        return _walk(edge, lambda one: one + timedelta(hours=step))

    return edges


def _days(step: int) -> Callable[[Any], Iterator[date]]:
    def edges(low: date) -> Iterator[date]:
        day = _day(low)
        first = day - timedelta(days=day.weekday()) if step == len("1234567") else day
        return _as(low, _walk(first, lambda one: one + timedelta(days=step)))

    return edges


def _months(step: int) -> Callable[[Any], Iterator[date]]:
    def edges(low: date) -> Iterator[date]:
        day = _day(low)
        month = (day.year * 12 + day.month - 1) // step * step
        return _as(low, _calendar_months(month, step))

    return edges


def _calendar_months(month: int, step: int) -> Iterator[date]:
    """The first days of months, counted from the year 0; the calendar's ends bound them."""
    while True:
        year, rest = divmod(month, 12)
        if year > date.max.year:
            yield date.max
            return
        yield date(year, rest + 1, 1) if year >= date.min.year else date.min
        month += step


def _walk(first: Any, following: Callable[[Any], Any]) -> Iterator[Any]:
    edge = first
    while True:
        yield edge
        try:
            edge = following(edge)
        except OverflowError:
            return


def _day(value: date) -> date:
    return value.astimezone(CITY_ZONE).date() if isinstance(value, datetime) else value


def _as(low: date, days: Iterator[date]) -> Iterator[date]:
    """Days as days, or as the moments at which they begin in the city."""
    if not isinstance(low, datetime):
        return days
    return (datetime.combine(day, time(0), CITY_ZONE) for day in days)


#: Unit, step and edges, from fine to coarse.
_CALENDAR: Final[Sequence[tuple[str, int, Callable[[Any], Iterator[Any]]]]] = (
    ("hour", 1, _hours(1)),
    ("hour", 6, _hours(6)),
    ("day", 1, _days(1)),
    ("day", 7, _days(7)),
    ("month", 1, _months(1)),
    ("month", 3, _months(3)),
    *(("year", years, _months(12 * years)) for years in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
)
