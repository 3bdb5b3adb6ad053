"""A table as a page: sorted, picked and turned over by links and one form, whole in the address, without JavaScript.

The reader's question is read by ``data.table_query``, the rows by ``data.table_pages``. An anonymous reader's page has
an ETag made from the table's digest and what else it shows, so that asking again costs no query while nothing changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.openhuizhou.data.table_facts import facts_of
from ckanext.openhuizhou.data.table_pages import SIZES, Page, Place, page
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import ReadTimedOut
from ckanext.openhuizhou.helpers import table as shown
from ckanext.openhuizhou.helpers import table_form as form

from . import drawn

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_table", __name__, url_prefix="/dataset")

SIZE, EMBEDDED_SIZE = 50, 20
FIRST = ("page", "1")


@dataclass(frozen=True, slots=True)
class Turned:
    """Where in the table an address leads. ``keep``: what every link takes along beside the question."""

    base: str
    place: Place
    size: int
    keep: tuple[tuple[str, str], ...]


@blueprint.route("/<id>/resource/<resource_id>/table", endpoint="show")
def show(id: str, resource_id: str) -> Response:  # noqa: A002 - CKAN's name of the parameter
    """A page of the table's rows; with ``embed=1`` without the portal around it."""
    asked = drawn.asked(id, resource_id)
    turned = _turned(asked)
    tidy = _tidy(asked)
    if tidy is not None:
        return tk.redirect_to(f"{turned.base}?{urlencode(tidy)}" if tidy else turned.base)
    tops = _tops(asked)
    return drawn.page(asked, {"lists": ",".join(sorted(tops))}, lambda: _page(asked, turned, tops))


def _turned(asked: drawn.Asked) -> Turned:
    args = tk.request.args
    usual = _usual_size(asked)
    size = args.get("size", usual, type=int)
    size = size if size in SIZES else usual
    keep = [("size", str(size))] if size != usual else []
    if asked.embedded:
        keep.append(("embed", "1"))
    place = Place(args.get("page", 1, type=int), args.get("after", ""), args.get("before", ""))
    base = tk.h.url_for("openhuizhou_table.show", id=asked.entry["name"], resource_id=asked.resource["id"])
    return Turned(base, place, size, tuple(keep))


def _tidy(asked: drawn.Asked) -> list[tuple[str, str]] | None:
    """The parameters without those that say nothing, for people to share: a form sends its empty fields along. None
    when the address is so already."""
    said = {"size": str(_usual_size(asked)), "page": "1"}
    given = list(tk.request.args.items(multi=True))
    every = {item.column for item in asked.items}
    if every == {value for name, value in given if name == "columns"}:
        pairs = [pair for pair in given if pair[0] != "columns"]
    else:
        pairs = given
    pairs = [(name, value) for name, value in pairs if value.strip() and said.get(name) != value]
    return pairs if len(pairs) < len(given) else None


def _tops(asked: drawn.Asked) -> dict[str, tuple[str, ...]]:
    """All values of the columns that have few, once the load's profile is made."""
    facts = facts_of(asked.resource["id"], asked.digest)
    counted = {column: known.distinct or 0 for column, known in facts.columns.items()}
    return {column: values for column, values in facts.values.items() if 0 < counted[column] <= len(values)}


def _usual_size(asked: drawn.Asked) -> int:
    return EMBEDDED_SIZE if asked.embedded else SIZE


def _page(asked: drawn.Asked, turned: Turned, tops: Mapping[str, Sequence[str]]) -> tuple[str, int]:
    findings: tuple[Finding, ...] = asked.query.findings
    status = 200
    try:
        found = page(asked.query, turned.place, turned.size, asked.digest)
        findings += found.findings
    except ReadTimedOut:
        found, status = None, 503
        findings += (Finding("query-slow", params={"argument": ""}),)
    except LookupError:
        tk.abort(404, tk._("This file has no table"))
    template = "openhuizhou/table/embed.html" if asked.embedded else "openhuizhou/table/show.html"
    return tk.render(template, _shown(asked, turned, found, findings, tops)), status


def _shown(
    asked: drawn.Asked,
    turned: Turned,
    found: Page | None,
    findings: tuple[Finding, ...],
    tops: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """What the templates show."""
    query, items, base, keep = asked.query, asked.items, turned.base, turned.keep
    fields = form.filter_fields(items, query, tk.request.args, tops)
    return {
        "entry": asked.entry,
        "resource": asked.resource,
        "everybody": asked.everybody,
        "query": query,
        "items": items,
        "found": found,
        "headings": shown.headings(items, query, base, keep),
        "rows": [shown.cells(items, query, row) for row in found.rows] if found else [],
        "fields": fields,
        "hidden_filters": form.hidden_filters(fields, query),
        "chips": form.chips(items, query, base, keep),
        "messages": form.general_messages(findings, fields),
        "order": shown.sort_words(items, query),
        "links": _links(asked, turned, found),
        "base": base,
        "keep": keep,
        "whole": shown.address(base, query),
        "unsorted": shown.address(base, query, keep, sort=None),
        "embed_url": shown.address(base, query, [("embed", "1")]),
        "size": turned.size,
        "sizes": SIZES,
    }


def _links(asked: drawn.Asked, turned: Turned, found: Page | None) -> dict[str, str]:
    """Where the reader can turn to: ``first``, ``previous``, ``next``, ``last``."""
    links = {}
    for name in ("first", "previous", "next", "last"):
        pair = getattr(found, name, None)
        if pair:
            more = turned.keep if pair == FIRST else (*turned.keep, pair)
            links[name] = shown.address(turned.base, asked.query, more)
    return links
