"""A map in words and figures: what a script draws, and the same as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.data.table_facts import facts_of
from ckanext.openhuizhou.data.table_points import Places
from ckanext.openhuizhou.data.table_summary import Group, Summary, merged
from ckanext.openhuizhou.domain.coordinates import CGCS2000, EPSG, WGS84, Pair
from ckanext.openhuizhou.domain.map_choice import Map, mappable
from ckanext.openhuizhou.domain.regions import REGIONS, Region, region_of
from ckanext.openhuizhou.model import load

from .charts import Drawing, Figures, axis, figure_of, measure_words, number, openhuizhou_figure, with_unit

__all__ = ["openhuizhou_has_map"]

#: Values that name no county and are told by name.
NAMED: Final = 5
ZONES: Final = ("441391", "441392")


@dataclass(frozen=True, slots=True)
class Counted:
    """The rows of each county, and what the column holds besides."""

    groups: Mapping[str, Group]
    elsewhere: int
    names: tuple[str, ...]


def openhuizhou_has_map(resource_id: str) -> bool:
    """Whether the table has coordinates, or a column of Huizhou's counties."""
    try:
        items = columns_of(resource_id)
    except LookupError:
        return False
    last = load.load_of(resource_id)
    values = facts_of(resource_id, (last.digest if last else None) or "").values
    return bool(mappable(items, values).shows)


def drawing_of_places(map_: Map, places: Places) -> Drawing:
    """Places, or squares when there are too many."""
    label, y = map_.label, map_.y
    title = tk._("Where they are")
    data: dict[str, Any] = {
        "kind": "points",
        "note": schematic(),
        "squares": places.squares,
        "words": {"square": tk._("Rows in this square")},
        "value": axis(y.name, y.unit) if y is not None and not places.squares else None,
        "places": [
            [place.longitude, place.latitude, place.label, place.rows, number(place.value)] for place in places.places
        ],
    }
    where = (tk._("Longitude"), tk._("Latitude"))
    if places.squares:
        headers = (tk._("Longitude of the middle"), tk._("Latitude of the middle"), tk._("Number of rows"))
        raw = [(p.longitude, p.latitude, p.rows) for p in places.places]
        cells = [(f"{x:.4f}", f"{y_:.4f}", f"{rows:,}") for x, y_, rows in raw]
        numeric = (True, True, True)
    else:
        values = (with_unit(y.name, y.unit),) if y is not None else ()
        headers = (label.name if label is not None else tk._("Place"), *values, *where)
        raw = [(p.label, *((p.value,) if y is not None else ()), p.longitude, p.latitude) for p in places.places]
        cells = [(row[0], *map(openhuizhou_figure, row[1:-2]), f"{row[-2]:.6f}", f"{row[-1]:.6f}") for row in raw]
        numeric = (False, *(True for _ in headers[1:]))
    figures = Figures(headers, numeric, tuple(cells), tuple(raw))
    count = tk._("{count} places").format(count=f"{places.inside:,}")
    return Drawing(title, f"{tk._('Map')}: {title}. {count}.", figures, data)


def counted_regions(summary: Summary) -> Counted:
    """Groups put together by the county that their key names: 惠城 and 惠城区 are one."""
    found: dict[str, list[Group]] = {}
    others: list[Group] = []
    for group in summary.groups:
        region = None if group.others else region_of(group.key)
        if region is None:
            others.append(group)
        else:
            found.setdefault(region.code, []).append(group)
    groups = {code: one for code, parts in found.items() if (one := merged(parts, code)) is not None}
    names = tuple(group.key for group in others if group.key)
    return Counted(groups, sum(group.rows for group in others), names[:NAMED])


def drawing_of_regions(map_: Map, counted: Counted) -> Drawing:
    """The counties and zones, all of them, in the order of their codes."""
    x, y = map_.x, map_.y
    assert x is not None, "a map of regions has its column"
    words = measure_words(map_.how, y)
    title = tk._("{measure} by {x}").format(measure=words, x=x.name)
    values = {region.code: _value(region, counted, map_.how) for region in REGIONS}
    rows = {region.code: counted.groups[region.code].rows if region.code in counted.groups else 0 for region in REGIONS}
    more = map_.how != "count"
    headers = (x.name, words, *((tk._("Number of rows"),) if more else ()))
    raw = tuple(
        (region.name, values[region.code], *((Decimal(rows[region.code]),) if more else ())) for region in REGIONS
    )
    figures = Figures(
        headers,
        (False, *(True for _ in headers[1:])),
        tuple((row[0], *map(openhuizhou_figure, row[1:])) for row in raw),
        raw,
    )
    data = {
        "kind": "regions",
        "note": schematic(),
        "y": axis(words, y.unit if y is not None and more else ""),
        "regions": [{"name": region.name, "value": number(values[region.code])} for region in REGIONS],
    }
    told = "; ".join(f"{row[0]} {row[1] or '—'}" for row in figures.cells)
    return Drawing(title, f"{tk._('Map')}: {title}. {told}.", figures, data)


def schematic() -> str:
    """What is said wherever the outlines are drawn."""
    return tk._("The outlines are schematic: a few corners for each county. They are no ground for drawing boundaries.")


def notes_of_places(places: Places, pair: Pair) -> list[str]:
    """Of which coordinate system the places are, and which rows are not drawn."""
    notes = [system_note(pair)]
    if places.squares:
        notes.append(
            tk._(
                "{count} places are too many to draw: squares of about four kilometres show how many are in each."
            ).format(count=f"{places.inside:,}")
        )
    if places.outside:
        notes.append(
            tk._("{count} rows have coordinates outside of Huizhou and are not drawn.").format(
                count=f"{places.outside:,}"
            )
        )
    if places.swapped:
        notes.append(
            tk._("In {count} of them longitude and latitude seem to have changed places.").format(
                count=f"{places.swapped:,}"
            )
        )
    if places.without:
        notes.append(tk._("{count} rows have no coordinates.").format(count=f"{places.without:,}"))
    return notes


def system_note(pair: Pair) -> str:
    """The coordinate system, and what was done about it."""
    if not pair.system:
        return tk._(
            "The table names more than one coordinate system for these columns; the places are drawn as they stand."
        )
    if not pair.declared:
        return tk._("The table names no coordinate system; CGCS2000 (EPSG:4490) is presumed.")
    if pair.system in (CGCS2000, WGS84):
        return tk._("Coordinates in {system} ({code}).").format(system=pair.system, code=EPSG[pair.system])
    return tk._(
        "The table gives coordinates in {system}; they were converted to CGCS2000 (EPSG:4490) to be drawn."
    ).format(system=pair.system)


def notes_of_regions(counted: Counted, rows: int) -> list[str]:
    """Which rows are in no county, and that zones may be part of the districts around them."""
    notes = []
    if counted.elsewhere:
        names = tk._(", ").join(counted.names)
        text = tk._("{count} of {rows} rows name no county of Huizhou and are not drawn: {names}.")
        if not counted.names:
            text = tk._("{count} of {rows} rows name no county of Huizhou and are not drawn.")
        notes.append(text.format(count=f"{counted.elsewhere:,}", rows=f"{rows:,}", names=names))
    if counted.groups and not any(code in counted.groups for code in ZONES):
        notes.append(
            tk._("The table names neither Daya Bay nor Zhongkai; these zones may be part of the districts around them.")
        )
    return notes


def _value(region: Region, counted: Counted, how: str) -> Decimal | None:
    group = counted.groups.get(region.code)
    return figure_of(group, how) if group is not None else None
