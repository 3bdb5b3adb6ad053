"""A map of a table's rows: places by their coordinates, or counties by name, with the same figures as a table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.openhuizhou.data.table_facts import facts_of
from ckanext.openhuizhou.data.table_points import places_of
from ckanext.openhuizhou.data.table_query import TableQuery
from ckanext.openhuizhou.data.table_summary import MOST_KEYS, summarise
from ckanext.openhuizhou.domain.chart_choice import PROBLEMS, Problem
from ckanext.openhuizhou.domain.chart_guess import Chart
from ckanext.openhuizhou.domain.map_choice import Map, Mappable, arguments_of_map, chosen_map, label_of, mappable
from ckanext.openhuizhou.errors import ReadTimedOut
from ckanext.openhuizhou.helpers import charts, maps

from . import drawn

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_map", __name__, url_prefix="/dataset")


@dataclass(frozen=True, slots=True)
class Mapped:
    """The map that was asked for, and what came out."""

    offered: Mappable
    map_: Map
    problems: tuple[Problem, ...]
    drawing: charts.Drawing | None = None
    notes: tuple[str, ...] = ()
    too_long: bool = False


@blueprint.route("/<id>/resource/<resource_id>/map", endpoint="show")
def show(id: str, resource_id: str) -> Response:  # noqa: A002 - CKAN's name of the parameter
    """The map, its choices and its figures."""
    asked = drawn.asked(id, resource_id)
    mapped = _chosen(asked)
    return drawn.page(asked, arguments_of_map(mapped.map_), lambda: _page(asked, mapped))


@blueprint.route("/<id>/resource/<resource_id>/map.csv", endpoint="figures")
def figures(id: str, resource_id: str) -> Response:  # noqa: A002
    """The map's figures as a file."""
    asked = drawn.asked(id, resource_id)
    mapped = _chosen(asked)

    def make() -> charts.Drawing:
        found = _drawn(asked, mapped)
        if found.drawing is None:
            tk.abort(503 if found.too_long else 404, " ".join(_notes(found)))
        return found.drawing

    return drawn.file(asked, arguments_of_map(mapped.map_), make)


def _page(asked: drawn.Asked, chosen: Mapped) -> tuple[str, int]:
    mapped = _drawn(asked, chosen)
    title = mapped.drawing.title if mapped.drawing else asked.entry["title"]
    shown = {
        "entry": asked.entry,
        "resource": asked.resource,
        "everybody": asked.everybody,
        "map": mapped.map_,
        "drawing": mapped.drawing,
        "offered": mapped.offered,
        "measures": charts.offered_measures(mapped.map_.y),
        "kept": asked.kept,
        "notes": _notes(mapped),
        "embed": asked.embedded,
        **drawn.addresses(asked, "openhuizhou_map", arguments_of_map(mapped.map_), title),
    }
    return tk.render("openhuizhou/table/map.html", shown), 503 if mapped.too_long else 200


def _chosen(asked: drawn.Asked) -> Mapped:
    offered = mappable(asked.items, facts_of(asked.query.resource_id, asked.digest).values)
    map_, problems = chosen_map(offered, label_of(asked.items), tk.request.args)
    if map_ is None:
        tk.abort(404, tk._("This table has neither coordinates nor counties"))
    return Mapped(offered, map_, problems)


def _drawn(asked: drawn.Asked, mapped: Mapped) -> Mapped:
    query = TableQuery(asked.query.resource_id, (), asked.query.filters, (), asked.query.q, asked.query.searched)
    try:
        return _with_places(query, mapped) if mapped.map_.pair else _with_regions(asked, query, mapped)
    except ReadTimedOut:
        return replace(mapped, too_long=True)
    except LookupError:
        tk.abort(404, tk._("This file has no table"))


def _with_places(query: TableQuery, mapped: Mapped) -> Mapped:
    map_ = mapped.map_
    assert map_.pair is not None, "a map of places has coordinates"
    label, y = (item.column if item else "" for item in (map_.label, map_.y))
    places = places_of(query, map_.pair, label, y)
    drawing = maps.drawing_of_places(map_, places) if places.places else None
    return replace(mapped, drawing=drawing, notes=tuple(maps.notes_of_places(places, map_.pair)))


def _with_regions(asked: drawn.Asked, query: TableQuery, mapped: Mapped) -> Mapped:
    map_ = mapped.map_
    assert map_.x is not None, "a map of regions has a column of them"
    chart = Chart("bar", map_.x.column, map_.y.column if map_.y else "", how=map_.how, top=MOST_KEYS)
    summary = summarise(query, chart, asked.items, asked.digest)
    counted = maps.counted_regions(summary)
    drawing = maps.drawing_of_regions(map_, counted) if counted.groups else None
    return replace(mapped, drawing=drawing, notes=tuple(maps.notes_of_regions(counted, summary.rows)))


def _notes(mapped: Mapped) -> list[str]:
    notes = [tk._(PROBLEMS[problem.kind]).format(value=problem.value) for problem in mapped.problems]
    if mapped.too_long:
        notes.append(tk._("Counting these rows takes too long for a page. Narrow them by a filter in the table first."))
    elif mapped.drawing is None:
        notes.append(tk._("No row has a place in Huizhou."))
    return [*notes, *mapped.notes, *((maps.schematic(),) if mapped.drawing else ())]
