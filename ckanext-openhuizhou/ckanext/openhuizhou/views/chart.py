"""A chart of a table's rows: a form that is an address, the figures as a table, and the picture where scripts run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.openhuizhou.data.table_facts import facts_of
from ckanext.openhuizhou.data.table_query import TableQuery
from ckanext.openhuizhou.data.table_summary import Points, Summary, sample, summarise
from ckanext.openhuizhou.domain.chart_choice import PROBLEMS, Problem, arguments, choices_of, chosen
from ckanext.openhuizhou.domain.chart_guess import GRAINS, KINDS, TOPS, Chart, guess
from ckanext.openhuizhou.domain.column_roles import Role, role_of
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import ReadTimedOut
from ckanext.openhuizhou.helpers import charts

from . import drawn

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_chart", __name__, url_prefix="/dataset")


@dataclass(frozen=True, slots=True)
class Charted:
    """The chart that was asked for, and what came out; ``drawing`` is None when there is nothing to draw."""

    chart: Chart | None
    problems: tuple[Problem, ...] = ()
    drawing: charts.Drawing | None = None
    counted: Summary | Points | None = None
    too_long: bool = False


@blueprint.route("/<id>/resource/<resource_id>/chart", endpoint="show")
def show(id: str, resource_id: str) -> Response:  # noqa: A002 - CKAN's name of the parameter
    """The chart, its builder and its figures."""
    asked = drawn.asked(id, resource_id)
    charted = _chosen(asked)
    return drawn.page(asked, _arguments(charted), lambda: _page(asked, charted))


@blueprint.route("/<id>/resource/<resource_id>/chart.csv", endpoint="figures")
def figures(id: str, resource_id: str) -> Response:  # noqa: A002
    """The chart's figures as a file."""
    asked = drawn.asked(id, resource_id)
    charted = _chosen(asked)

    def make() -> charts.Drawing:
        found = _drawn(asked, charted)
        if found.drawing is None:
            tk.abort(503 if found.too_long else 404, " ".join(_notes(found)))
        return found.drawing

    return drawn.file(asked, _arguments(charted), make)


def _page(asked: drawn.Asked, chosen_: Charted) -> tuple[str, int]:
    charted = _drawn(asked, chosen_)
    chart = charted.chart
    title = charted.drawing.title if charted.drawing else asked.entry["title"]
    shown = {
        "entry": asked.entry,
        "resource": asked.resource,
        "everybody": asked.everybody,
        "chart": chart,
        "drawing": charted.drawing,
        "choices": choices_of(asked.items),
        "offered": _offered(asked.items, chart),
        "kept": asked.kept,
        "notes": _notes(charted),
        "embed": asked.embedded,
        **drawn.addresses(asked, "openhuizhou_chart", _arguments(charted), title),
    }
    return tk.render("openhuizhou/table/chart.html", shown), 503 if charted.too_long else 200


def _chosen(asked: drawn.Asked) -> Charted:
    facts = facts_of(asked.query.resource_id, asked.digest)
    return Charted(*chosen(asked.items, tk.request.args, guess(asked.items, facts.columns, facts.rows)))


def _arguments(charted: Charted) -> dict[str, str]:
    return arguments(charted.chart) if charted.chart is not None else {}


def _drawn(asked: drawn.Asked, charted: Charted) -> Charted:
    """With figures. A pie of what turns out to be no parts of a whole is drawn as bars."""
    chart = charted.chart
    if chart is None:
        return charted
    query = TableQuery(asked.query.resource_id, (), asked.query.filters, (), asked.query.q, asked.query.searched)
    try:
        if chart.kind == "scatter":
            points = sample(query, chart, asked.digest)
            drawing = charts.drawing_of_points(chart, points, asked.items) if points.pairs else None
            return replace(charted, drawing=drawing, counted=points)
        summary = summarise(query, chart, asked.items, asked.digest)
    except ReadTimedOut:
        return replace(charted, too_long=True)
    except LookupError:
        tk.abort(404, tk._("This file has no table"))
    if chart.kind == "pie" and summary.groups and not charts.parts_of_a_whole(summary, chart.how):
        chart = replace(chart, kind="bar")
        charted = replace(charted, problems=(*charted.problems, Problem("not-parts")))
    drawing = charts.drawing_of_summary(chart, summary, asked.items) if summary.groups else None
    return replace(charted, chart=chart, drawing=drawing, counted=summary)


def _offered(items: tuple[Item, ...], chart: Chart | None) -> dict[str, tuple[Any, ...]]:
    """What the builder's lists hold; an empty list is not shown."""
    by_id = {item.column: item for item in items}
    x = by_id[chart.x] if chart is not None and chart.kind != "scatter" else None
    if chart is None or x is None:
        return {"kinds": KINDS, "measures": (), "grains": (), "tops": ()}
    role = role_of(x)
    grains = GRAINS if x.data_type == "datetime" else GRAINS[1:]
    return {
        "kinds": KINDS,
        "measures": charts.offered_measures(by_id.get(chart.y)),
        "grains": grains if role is Role.TIME else (),
        "tops": TOPS if role not in (Role.TIME, Role.PERIOD) else (),
    }


def _notes(charted: Charted) -> list[str]:
    """What the reader should know of the figures, in sentences."""
    notes = [tk._(PROBLEMS[problem.kind]).format(value=problem.value) for problem in charted.problems]
    if charted.too_long:
        notes.append(tk._("Counting these rows takes too long for a page. Narrow them by a filter in the table first."))
    elif charted.chart is None:
        notes.append(tk._("This table has no columns that a chart could be made of."))
    elif charted.drawing is None:
        notes.append(tk._("No row has what this chart needs."))
    counted = charted.counted
    if isinstance(counted, Points) and counted.stride > 1:
        text = tk._("{rows} rows have both figures; one of {stride} is drawn, evenly picked.")
        notes.append(text.format(rows=f"{counted.rows:,}", stride=counted.stride))
    if isinstance(counted, Summary) and charted.chart is not None:
        notes += _notes_of_summary(charted.chart, counted)
    return notes


def _notes_of_summary(chart: Chart, summary: Summary) -> list[str]:
    notes: list[str] = []
    if chart.grain and summary.grain != chart.grain:
        text = tk._("So many steps cannot be drawn: shown are {grain}.")
        notes.append(text.format(grain=charts.openhuizhou_chart_word(summary.grain)))
    if summary.cut:
        notes.append(tk._("There are {count} earlier ones, which are not drawn.").format(count=f"{summary.left_out:,}"))
    elif summary.left_out:
        text = tk._("“Others” are {count} further groups.")
        if charts.others_dwarf(chart, summary):
            text = tk._("“Others” are {count} further groups, together so large that they are in the figures only.")
        notes.append(text.format(count=f"{summary.left_out:,}"))
    if summary.without:
        notes.append(tk._("{count} rows have no time and are not drawn.").format(count=f"{summary.without:,}"))
    return notes
