"""A map as an address writes it (``show=points&at=longitude``, ``show=regions&x=county``), checked as charts are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .chart_choice import Problem
from .chart_guess import MEASURES, usual_measure
from .column_roles import Role, is_additive, of_role
from .coordinates import Pair, pairs_of
from .items import Item
from .regions import named_regions, region_columns

SHOWS: Final = ("points", "regions")
#: A column of which so many of the frequent values name a county is a column of counties.
NAMED: Final = 0.5
ARGUMENTS: Final = ("show", "at", "x", "y", "how")


@dataclass(frozen=True, slots=True)
class Mappable:
    """What of a table can be on a map."""

    pairs: tuple[Pair, ...]
    regions: tuple[Item, ...]
    figures: tuple[Item, ...]

    @property
    def shows(self) -> tuple[str, ...]:
        return tuple(show for show, there in zip(SHOWS, (self.pairs, self.regions), strict=True) if there)


@dataclass(frozen=True, slots=True)
class Map:
    """``points``: rows at the place ``pair``, called by the column ``label`` and with the figure ``y``, each if there
    is one. ``regions``: the counties that column ``x`` names, by ``how`` of ``y`` or the number of rows.
    """

    show: str
    pair: Pair | None = None
    label: Item | None = None
    x: Item | None = None
    y: Item | None = None
    how: str = "count"


def mappable(items: Sequence[Item], values: Mapping[str, Sequence[str]] | None = None) -> Mappable:
    """Whether and how the table can be drawn on a map. ``values``: frequent ones by column, where they are known."""
    seen = values or {}
    regions = tuple(
        item for item in region_columns(items) if item.column not in seen or named_regions(seen[item.column]) >= NAMED
    )
    return Mappable(pairs_of(items), regions, of_role(items, Role.MEASURE))


def chosen_map(
    offered: Mappable, label: Item | None, args: Mapping[str, str]
) -> tuple[Map | None, tuple[Problem, ...]]:
    """The map that ``args`` ask for, or the first that there is; None when there is none."""
    if not offered.shows:
        return None, ()
    problems: list[Problem] = []
    show = args.get("show", "")
    if show not in offered.shows:
        if show:
            problems.append(Problem("kind", show[:60]))
        show = offered.shows[0]
    y = _one(offered.figures, args.get("y", ""), problems)
    if show == "points":
        longitudes = tuple(pair.longitude for pair in offered.pairs)
        at = _one(longitudes, args.get("at", ""), problems) or longitudes[0]
        pair = next(pair for pair in offered.pairs if pair.longitude is at)
        return Map("points", pair=pair, label=label, y=y), tuple(problems)
    x = _one(offered.regions, args.get("x", ""), problems) or offered.regions[0]
    return Map("regions", x=x, y=y, how=_how(y, args.get("how", ""), problems)), tuple(problems)


def arguments_of_map(map_: Map) -> dict[str, str]:
    """The arguments of an address that ask for this map; ``chosen_map`` reads them back."""
    y = {"y": map_.y.column} if map_.y else {}
    if map_.pair is not None:
        return {"show": "points", "at": map_.pair.longitude.column, **y}
    assert map_.x is not None, "a map shows points or regions"
    return {"show": "regions", "x": map_.x.column, **y, "how": map_.how}


def label_of(items: Sequence[Item]) -> Item | None:
    """The column that people call a row by: its name, else the first text that is no code, else a code."""
    names = [
        item for item in items if item.name.endswith(("名称", "站名", "名")) or f"_{item.column}".endswith("_name")
    ]
    return next(iter([*names, *of_role(items, Role.CATEGORY), *of_role(items, Role.CODE)]), None)


def _how(y: Item | None, asked: str, problems: list[Problem]) -> str:
    if y is None or asked == "count":
        return "count"
    if asked == "sum" and not is_additive(y):
        problems.append(Problem("not-added", y.name))
        return "mean"
    return asked if asked in MEASURES else usual_measure(y)


def _one(offered: Sequence[Item], asked: str, problems: list[Problem]) -> Item | None:
    if not asked:
        return None
    found = next((item for item in offered if item.column == asked), None)
    if found is None:
        problems.append(Problem("no-column", asked[:60]))
    return found
