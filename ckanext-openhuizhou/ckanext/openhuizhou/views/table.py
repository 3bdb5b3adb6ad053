"""A table as a page: sorted, picked and turned over by links and one form, whole in the address, without JavaScript.

The reader's question is read by ``data.table_query``, the rows by ``data.table_pages``. An anonymous reader's page has
an ETag made from the table's digest and what else it shows, so that asking again costs no query while nothing changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, make_response, session

from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.data.table_pages import SIZES, Page, Place, page
from ckanext.openhuizhou.data.table_query import TableQuery, parse_query
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import ReadTimedOut
from ckanext.openhuizhou.helpers import table as shown
from ckanext.openhuizhou.helpers import table_form as form
from ckanext.openhuizhou.model import load

from .data_access import table_of

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_table", __name__, url_prefix="/dataset")

SIZE, EMBEDDED_SIZE = 50, 20


@dataclass(frozen=True, slots=True)
class Asked:
    """An address, read."""

    entry: Mapping[str, Any]
    resource: Mapping[str, Any]
    items: tuple[Item, ...]
    query: TableQuery
    place: Place
    size: int
    embedded: bool
    digest: str
    base: str

    @property
    def keep(self) -> list[tuple[str, str]]:
        """What every link of the page takes along beside the query."""
        usual = EMBEDDED_SIZE if self.embedded else SIZE
        kept = [("size", str(self.size))] if self.size != usual else []
        return [*kept, ("embed", "1")] if self.embedded else kept


@blueprint.route("/<id>/resource/<resource_id>/table", endpoint="show")
def show(id: str, resource_id: str) -> Response:  # noqa: A002 - CKAN's name of the parameter
    """A page of the table's rows; with ``embed=1`` without the portal around it."""
    entry, resource = table_of(id, resource_id)
    if not resource.get("datastore_active"):
        tk.abort(404, tk._("This file has no table"))
    embedded = tk.request.args.get("embed") == "1"
    if (tidy := _tidy_address(entry, resource, embedded=embedded)) is not None:
        return tk.redirect_to(tidy)
    everybody = shown.openhuizhou_open_to_everybody(resource_id)
    if embedded and not everybody:
        tk.abort(403, tk._("Only data that is open to everybody can be embedded"))
    known = load.load_of(resource_id)
    digest = (known.digest if known else None) or ""
    etag = _etag(entry, resource, digest) if _may_be_kept() and digest else ""
    if etag and etag in tk.request.if_none_match:
        response = Response(status=304)
    else:
        response = _page(_asked(entry, resource, digest, embedded=embedded), known, everybody=everybody)
    if etag and response.status_code in (200, 304):
        response.set_etag(etag)
    if embedded:
        response.headers["Content-Security-Policy"] = "frame-ancestors *"
    return response


def _asked(entry: Mapping[str, Any], resource: Mapping[str, Any], digest: str, *, embedded: bool) -> Asked:
    args = tk.request.args
    items = _columns(resource["id"])
    size = args.get("size", type=int) or 0
    usual = EMBEDDED_SIZE if embedded else SIZE
    place = Place(args.get("page", 1, type=int), args.get("after", ""), args.get("before", ""))
    return Asked(
        entry,
        resource,
        items,
        parse_query(resource["id"], items, args),
        place,
        size if size in SIZES else usual,
        embedded,
        digest,
        tk.h.url_for("openhuizhou_table.show", id=entry["name"], resource_id=resource["id"]),
    )


def _page(asked: Asked, known: load.Load | None, *, everybody: bool) -> Response:
    findings: tuple[Finding, ...] = asked.query.findings
    status = 200
    try:
        found = page(asked.query, asked.place, asked.size, asked.digest)
        findings += found.findings
    except ReadTimedOut:
        found, status = None, 503
        findings += (Finding("query-slow", params={"argument": ""}),)
    except LookupError:
        tk.abort(404, tk._("This file has no table"))
    template = "openhuizhou/table/embed.html" if asked.embedded else "openhuizhou/table/show.html"
    response = make_response(tk.render(template, _shown(asked, found, known, findings, everybody=everybody)))
    response.status_code = status
    return response


def _shown(
    asked: Asked, found: Page | None, known: load.Load | None, findings: tuple[Finding, ...], *, everybody: bool
) -> dict[str, Any]:
    """What the templates show."""
    query, items, base, keep = asked.query, asked.items, asked.base, asked.keep
    fields = form.filter_fields(items, query, tk.request.args, {})
    links = {
        name: shown.address(base, query, [*keep, link] if link != ("page", "1") else keep)
        for name in ("first", "previous", "next", "last")
        if found and (link := getattr(found, name))
    }
    return {
        "entry": asked.entry,
        "resource": asked.resource,
        "known": known,
        "everybody": everybody,
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
        "links": links,
        "base": base,
        "keep": keep,
        "whole": shown.address(base, query),
        "unsorted": shown.address(base, query, keep, sort=None),
        "embed_url": shown.address(base, query, [("embed", "1")]),
        "size": asked.size,
        "sizes": SIZES,
        "digest": asked.digest,
    }


def _tidy_address(entry: Mapping[str, Any], resource: Mapping[str, Any], *, embedded: bool) -> str | None:
    """The address without what says nothing, for people to share: a form sends its empty fields along. None when it
    is so already."""
    usual = {"size": str(EMBEDDED_SIZE if embedded else SIZE), "page": "1"}
    asked = list(tk.request.args.items(multi=True))
    pairs = [(name, value) for name, value in asked if value.strip() and usual.get(name) != value]
    if sum(name == "columns" for name, _value in pairs) > 1:
        every = {item.column for item in _columns(resource["id"])}
        if every == {value for name, value in pairs if name == "columns"}:
            pairs = [pair for pair in pairs if pair[0] != "columns"]
    if len(pairs) == len(asked):
        return None
    base = tk.h.url_for("openhuizhou_table.show", id=entry["name"], resource_id=resource["id"])
    return f"{base}?{urlencode(pairs)}" if pairs else base


def _columns(resource_id: str) -> tuple[Item, ...]:
    try:
        return columns_of(resource_id)
    except LookupError:
        return tk.abort(404, tk._("This file has no table"))


def _may_be_kept() -> bool:
    """Whether the page is the same for whoever asks: see ``views.caching``."""
    return not (tk.current_user.is_authenticated or session)


def _etag(entry: Mapping[str, Any], resource: Mapping[str, Any], digest: str) -> str:
    shows = (
        digest,
        entry["metadata_modified"],
        resource["metadata_modified"],
        entry.get("organization") and entry["organization"].get("title"),
        tk.config["ckan.site_title"],
        tk.h.lang(),
        tk.request.full_path,
        *sorted(shown.openhuizhou_table_routes()),
    )
    return hashlib.sha256("\n".join(map(str, shows)).encode()).hexdigest()[:32]
