"""What the pages that draw have in common: the table, who may embed it, the page's ETag, figures as a file."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import ckan.plugins.toolkit as tk
from flask import Response, make_response, session

from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.data.table_query import TableQuery, parse_query
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.helpers.charts import Drawing, Figures, frame
from ckanext.openhuizhou.helpers.harvest_csv import BOM, harmless
from ckanext.openhuizhou.helpers.table import openhuizhou_open_to_everybody, openhuizhou_table_routes
from ckanext.openhuizhou.model import load

from .data_access import table_of
from .download import attachment

#: Part of every ETag: figures are counted otherwise from here on.
COUNTED_AS: Final = "1"


@dataclass(frozen=True, slots=True)
class Asked:
    """A table and the rows of it that the address picks. ``digest`` is empty when nobody can tell what changes it."""

    entry: Mapping[str, Any]
    resource: Mapping[str, Any]
    items: tuple[Item, ...]
    query: TableQuery
    digest: str
    embedded: bool
    everybody: bool

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The part of the address that picks rows."""
        return [(name, value) for name, value in self.query.args if name not in ("columns", "sort")]


def asked(name: str, resource_id: str) -> Asked:
    """What an address asks; 404 and 403 as every page about a table answers."""
    entry, resource = table_of(name, resource_id)
    if not resource.get("datastore_active"):
        tk.abort(404, tk._("This file has no table"))
    embedded = tk.request.args.get("embed") == "1"
    everybody = openhuizhou_open_to_everybody(resource_id)
    if embedded and not everybody:
        tk.abort(403, tk._("Only data that is open to everybody can be embedded"))
    try:
        items = columns_of(resource_id)
    except LookupError:
        tk.abort(404, tk._("This file has no table"))
    known = load.load_of(resource_id)
    digest = (known.digest if known else None) or ""
    query = parse_query(resource_id, items, tk.request.args)
    return Asked(entry, resource, items, query, digest, embedded, everybody)


def page(question: Asked, what: Mapping[str, str], render: Callable[[], tuple[str, int]]) -> Response:
    """The page, made unless its anonymous reader has it: the table's digest and the address tell without counting."""
    etag = _page_etag(question, what) if question.digest and not (tk.current_user.is_authenticated or session) else ""
    known = bool(etag) and etag in tk.request.if_none_match
    response = Response(status=304) if known else make_response(*render())
    if etag and response.status_code in (200, 304):
        response.set_etag(etag)
    if question.embedded:
        response.headers["Content-Security-Policy"] = "frame-ancestors *"
    return response


def file(question: Asked, what: Mapping[str, str], make: Callable[[], Drawing]) -> Response:
    """The figures as CSV. Who has them is not sent them again: the ETag is the table's digest and what is asked."""
    response = Response(mimetype="text/csv")
    if question.digest:
        told = (COUNTED_AS, question.digest, tk.h.lang(), sorted(what.items()), question.kept, question.items)
        response.set_etag(_hash(*told))
        if response.get_etag()[0] in tk.request.if_none_match:
            response.status_code = 304
            return response
    drawing = make()
    response.set_data(_csv(drawing.figures))
    title = f"{question.entry['title']}-{drawing.title}"
    response.headers["Content-Disposition"] = attachment(f"{question.entry['name']}-figures", title, ".csv")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def addresses(question: Asked, blueprint: str, what: Mapping[str, str], title: str) -> dict[str, str]:
    """Of what is drawn: to share, whole in the portal, as a file of figures, and as a frame for another page."""
    pairs = urlencode([*what.items(), *question.kept])
    where = {"id": question.entry["name"], "resource_id": question.resource["id"]}
    share = tk.h.url_for(f"{blueprint}.show", _external=True, **where)
    csv_file = tk.h.url_for(f"{blueprint}.figures", **where)
    whole = f"{share}?{pairs}" if pairs else share
    bare = f"{share}?{pairs}&embed=1" if pairs else f"{share}?embed=1"
    return {"share": whole, "whole": whole, "csv": f"{csv_file}?{pairs}", "frame": frame(bare, title)}


def _page_etag(question: Asked, what: Mapping[str, str]) -> str:
    """``what`` is drawn can change while the rows do not: a profile makes another first guess."""
    entry, resource = question.entry, question.resource
    return _hash(
        COUNTED_AS,
        question.digest,
        entry["metadata_modified"],
        resource["metadata_modified"],
        (entry.get("organization") or {}).get("title"),
        tk.config["ckan.site_title"],
        tk.h.lang(),
        tk.request.full_path,
        sorted(what.items()),
        *sorted(openhuizhou_table_routes()),
    )


def _hash(*parts: Any) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def _csv(figures: Figures) -> bytes:
    """UTF-8 with mark; a text that a spreadsheet program would run gets an apostrophe, a negative figure does not."""
    text = io.StringIO()
    text.write(BOM)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(harmless, figures.headers))
    for row in figures.raw:
        writer.writerow(map(_cell, row))
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return harmless(value) if isinstance(value, str) else f"{value:f}" if not isinstance(value, int) else str(value)
