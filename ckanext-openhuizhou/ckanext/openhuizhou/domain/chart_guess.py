"""The first chart of a table: what somebody who knows the table would most likely draw, from its columns alone.

A series in time is a line, a figure by category is a bar, a few parts of a whole are a pie, two figures are a scatter
plot, and a register without figures is counted. Codes, years and serial numbers are never added up, and what is not
additive (rates, prices, readings) is averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from .column_roles import Role, is_additive, is_of_a_thing, of_role, role_of
from .items import Item

KINDS: Final = ("line", "bar", "pie", "scatter")
#: How rows become one figure. ``count`` counts rows and needs no column.
MEASURES: Final = ("count", "sum", "mean", "min", "max")
#: Steps of time, from fine to coarse.
GRAINS: Final = ("hour", "day", "month", "quarter", "year")
TOPS: Final = (5, 10, 20, 50, 100)
DEFAULT_TOP: Final = 20
#: A pie of more slices cannot be read.
PIE_SLICES: Final = 6
PIE_TOP: Final = 10
#: Lines that can be told apart.
GUESSED_SERIES: Final = 6
#: A column of more values puts nothing together that somebody could take in.
MOST_GROUPS: Final = 200


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a column's values; None is not known."""

    distinct: int | None = None
    low: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. ``x``, ``y`` and ``by`` are column ids; ``y`` is empty for a count of rows, ``by`` for one series.

    ``grain`` is empty for "as fine as can be drawn" and for an ``x`` that is no time; ``top`` is how many groups are
    drawn apart. A scatter plot has neither ``how`` nor ``top``: each point is a row.
    """

    kind: str
    x: str
    y: str = ""
    how: str = "count"
    by: str = ""
    grain: str = ""
    top: int = DEFAULT_TOP


def guess(items: Sequence[Item], facts: Mapping[str, Facts] | None = None, rows: int | None = None) -> Chart | None:
    """The first chart, or None when there is no column to draw.

    ``facts`` by column id and the number of rows are given where the table has a profile.
    """
    known = facts or {}
    measures = _by_fitness(of_role(items, Role.MEASURE))
    categories = [item for item in of_role(items, Role.CATEGORY) if _groups(item, known, rows)]
    times = [item for item in of_role(items, Role.TIME, Role.PERIOD) if item.is_key or not is_of_a_thing(item)]
    if times and measures and not _is_register(items):
        return _line(_keys_first(times)[0], measures[0], categories, known)
    if categories:
        return _by_category(_keys_first(categories), measures, known, register=_is_register(items))
    if len(measures) > 1:
        return Chart("scatter", measures[0].column, measures[1].column, how="")
    if times:
        return _line(times[0], measures[0] if measures else None, (), known)
    return _whatever(items)


def usual_measure(item: Item) -> str:
    """How rows of this measure become one figure when nobody says."""
    return "sum" if is_additive(item) else "mean"


def _line(time: Item, measure: Item | None, categories: Sequence[Item], known: Mapping[str, Facts]) -> Chart:
    """One line for each of a few categories that are part of the key: stations, counties."""
    how = usual_measure(measure) if measure else "count"
    apart = [item for item in categories if item.is_key and (_distinct(item, known) or 99) <= GUESSED_SERIES]
    by = apart[0].column if apart and measure else ""
    return Chart("line", time.column, measure.column if measure else "", how=how, by=by)


def _by_category(
    categories: Sequence[Item], measures: Sequence[Item], known: Mapping[str, Facts], *, register: bool
) -> Chart:
    category = min(categories, key=lambda item: _crowd(item, known))
    if register or not measures:
        kind = "pie" if _few(category, known) else "bar"
        return Chart(kind, category.column, top=PIE_TOP if kind == "pie" else DEFAULT_TOP)
    measure = measures[0]
    how = usual_measure(measure)
    if how == "sum" and _few(category, known) and _none_negative(measure, known):
        return Chart("pie", category.column, measure.column, how=how, top=PIE_TOP)
    return Chart("bar", category.column, measure.column, how=how)


def _whatever(items: Sequence[Item]) -> Chart | None:
    """Rows counted by the first column that can have repeated values."""
    groups = of_role(items, Role.CATEGORY, Role.CODE, Role.PERIOD)
    if groups:
        return Chart("bar", groups[0].column)
    measures = of_role(items, Role.MEASURE)
    return Chart("bar", measures[0].column) if measures else None


def _is_register(items: Sequence[Item]) -> bool:
    """A list of things with an identifier each: a date there tells of a thing, the table is no series in time."""
    keys = [item for item in items if item.is_key]
    if not keys:
        return False
    return not any(role_of(item) in (Role.TIME, Role.PERIOD) for item in keys) and any(
        role_of(item) is Role.COORDINATE for item in items
    )


def _groups(item: Item, known: Mapping[str, Facts], rows: int | None) -> bool:
    """Whether the column puts rows together; a name that each row has anew does not, nor a column of one value."""
    distinct = _distinct(item, known)
    if _names_its_row(item) and (distinct is None or rows is None or 2 * distinct > rows):
        return False
    return distinct is None or 1 < distinct <= MOST_GROUPS


def _names_its_row(item: Item) -> bool:
    return (
        item.name.endswith(("名称", "姓名", "标题", "店名")) or item.column.endswith("_name") or item.column == "name"
    )


def _by_fitness(measures: Iterable[Item]) -> list[Item]:
    """What can be added up first, then what has a unit: it was meant to be measured."""
    return sorted(measures, key=lambda item: (not is_additive(item), not item.unit))


def _keys_first(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: not item.is_key)


def _crowd(item: Item, known: Mapping[str, Facts]) -> tuple[bool, int]:
    """Columns that make at least three groups first, then the fewest."""
    distinct = _distinct(item, known)
    if distinct is None:
        return False, 0
    return distinct < 3, distinct


def _few(item: Item, known: Mapping[str, Facts]) -> bool:
    return 2 <= (_distinct(item, known) or 0) <= PIE_SLICES


def _none_negative(item: Item, known: Mapping[str, Facts]) -> bool:
    low = known[item.column].low if item.column in known else None
    return low is not None and low >= 0


def _distinct(item: Item, known: Mapping[str, Facts]) -> int | None:
    return known[item.column].distinct if item.column in known else None
