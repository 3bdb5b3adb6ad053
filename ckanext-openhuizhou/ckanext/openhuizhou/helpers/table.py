"""A table's page: cells as people read them, links that keep what was asked, and the row of tabs about a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

import ckan.plugins.toolkit as tk
from flask import current_app

from ckanext.openhuizhou.data.table_pages import TEXT_SHOWN
from ckanext.openhuizhou.data.table_query import PREFIX, TableQuery
from ckanext.openhuizhou.domain.column_roles import NUMERIC, Role, role_of
from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.domain.item_values import codes_of
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.exports.formats import FORMATS

from .formats import openhuizhou_cell

__all__ = [
    "openhuizhou_open_to_everybody",
    "openhuizhou_table_formats",
    "openhuizhou_table_routes",
    "openhuizhou_table_tabs",
    "openhuizhou_table_url",
]

#: Longer texts, and those of several lines, are folded.
UNFOLDED: Final = 60
#: The tabs about a table in their order: the last part of the address, and the word. The first is the file's page.
TABS: Final = (
    ("", N_("Data")),
    ("table", N_("Table")),
    ("chart", N_("Chart")),
    ("map", N_("Map")),
    ("dictionary", N_("Data dictionary")),
    ("versions", N_("Versions")),
    ("checks", N_("Checks")),
)
#: Tabs that show the rows that an address picks.
_OF_ROWS: Final = frozenset({"table", "chart", "map"})
#: Actions whose right a tab asks for, where everybody who sees the data may not see it too.
_RIGHTS: Final = {"checks": "openhuizhou_data_check_show"}
_ROUTE = re.compile(r"/dataset/<(?:\w+:)?(\w+)>/resource/<(?:\w+:)?(\w+)>/(\w+)(?:/<(?:\w+:)?(\w+)>)?")


@dataclass(frozen=True, slots=True)
class Cell:
    """``text`` is what is shown, ``whole`` what stands behind a folded text, ``code`` the code that was stored."""

    text: str
    whole: str = ""
    code: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """One column's head. ``order``: ``ascending``, ``descending`` or empty; ``url`` leads to the next order."""

    column: str
    label: str
    unit: str
    description: str
    numeric: bool
    order: str
    url: str


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    active: bool


def headings(items: Sequence[Item], query: TableQuery, base: str, keep: Sequence[tuple[str, str]]) -> list[Heading]:
    """The heads of the query's columns; a click sorts up, then down, then not at all. ``keep``: more of the address."""
    by_id = {item.column: item for item in items}
    orders = dict(query.sort)
    heads = []
    for item in (by_id[name] for name in query.columns):
        descending = orders.get(item.column)
        order = "" if descending is None else "descending" if descending else "ascending"
        after = {"": item.column, "ascending": f"-{item.column}", "descending": None}[order]
        url = address(base, query, keep, sort=after)
        heads.append(
            Heading(
                item.column,
                item.name or item.column,
                item.unit,
                item.description,
                item.data_type in NUMERIC,
                order,
                url,
            )
        )
    return heads


def address(base: str, query: TableQuery, more: Iterable[tuple[str, str]] = (), **changes: str | None) -> str:
    """The address that asks the same, with ``changes`` (None takes out) and ``more``; the page starts anew."""
    kept = [(name, value) for name, value in query.args if name not in changes]
    pairs = [*kept, *((name, value) for name, value in changes.items() if value), *more]
    return f"{base}?{urlencode(pairs)}" if pairs else base


def without(base: str, query: TableQuery, pair: tuple[str, str], more: Iterable[tuple[str, str]] = ()) -> str:
    """The address without one of the things that were asked."""
    pairs = [*(kept for kept in query.args if kept != pair), *more]
    return f"{base}?{urlencode(pairs)}" if pairs else base


def cells(items: Sequence[Item], query: TableQuery, row: Sequence[Any]) -> list[Cell]:
    """A row of a page, ready to be shown."""
    by_id = {item.column: item for item in items}
    return [shown(by_id[name], value) for name, value in zip(query.columns, row, strict=True)]


def shown(item: Item, value: Any) -> Cell:
    """Figures are grouped and never rounded; codes, years and coordinates stay as they are; long texts are folded."""
    if value is None or value == "":
        return Cell("")
    text = shown_number(item, value) if item.data_type in NUMERIC else openhuizhou_cell(value, item.data_type)
    label = _labels(item).get(str(value), "")
    if label:
        return Cell(label, code=text)
    cut = len(text) > TEXT_SHOWN
    text = text[:TEXT_SHOWN]
    if len(text) <= UNFOLDED and "\n" not in text:
        return Cell(text)
    return Cell(" ".join(text[:UNFOLDED].split()), text, cut=cut)


def shown_number(item: Item, value: Any) -> str:
    """``1234567.50`` → ``1,234,567.50`` when the column holds amounts; a year or a code is not grouped."""
    if not isinstance(value, (int, Decimal)):
        return str(value)
    exact = Decimal(value)
    return f"{exact:,f}" if is_figure(item) else f"{exact:f}"


@lru_cache(maxsize=4096)
def is_figure(item: Item) -> bool:
    """Whether the column holds amounts, whose thousands are set apart: 2018 is a year, 2,018 are some."""
    return item.data_type in NUMERIC and role_of(item) is Role.MEASURE


@lru_cache(maxsize=4096)
def _labels(item: Item) -> Mapping[str, str]:
    return {code: label for code, label in codes_of(item).items() if label}


def openhuizhou_open_to_everybody(resource_id: str) -> bool:
    """Whether a visitor without an account may see the data."""
    try:
        tk.check_access("openhuizhou_resource_data_show", {"user": "", "auth_user_obj": None}, {"id": resource_id})
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return False
    return True


def openhuizhou_table_routes() -> Mapping[str, str]:
    """Pages about a table that there are: the last fixed part of the address → the endpoint."""
    return {name: endpoint for name, (endpoint, _parameters) in _routes().items()}


def openhuizhou_table_url(page: str, entry: Mapping[str, Any], resource_id: str, *more: str, **args: Any) -> str | None:
    """The address of one of a table's pages; None when there is no such page."""
    found = _routes().get(page)
    if found is None:
        return None
    endpoint, parameters = found
    values = dict(zip(parameters, (entry["name"], resource_id, *more), strict=False))
    return tk.h.url_for(endpoint, **values, **args)


def openhuizhou_table_tabs(entry: Mapping[str, Any], resource: Mapping[str, Any], active: str) -> list[Tab]:
    """What can be looked at of a table by this reader: ``label``, ``url``, ``active``. Empty for what is no table.

    Between table, chart and map the picked rows stay picked.
    """
    if not resource.get("datastore_active"):
        return []
    args = tk.request.args.items(multi=True)
    picked = urlencode([(name, value) for name, value in args if value and (name == "q" or name.startswith(PREFIX))])
    tabs = []
    for name, word in TABS:
        url = openhuizhou_table_url(name, entry, resource["id"]) if name else _file_page(entry, resource)
        if url and _offered(name, resource["id"]):
            if picked and name in _OF_ROWS:
                url = f"{url}?{picked}"
            tabs.append(Tab(tk._(word), url, name == active))
    return tabs


def openhuizhou_table_formats(
    entry: Mapping[str, Any], resource: Mapping[str, Any], items: Sequence[Item], args: Sequence[tuple[str, str]] = ()
) -> list[dict[str, str]]:
    """The files that the rows of a query can be had as: ``label``, ``url``."""
    query = f"?{urlencode(args)}" if args else ""
    urls = {
        format_.label: openhuizhou_table_url("export/", entry, resource["id"], name)
        for name, format_ in FORMATS.items()
        if format_.fits(items)
    }
    return [{"label": label, "url": f"{url}{query}"} for label, url in urls.items() if url]


def _file_page(entry: Mapping[str, Any], resource: Mapping[str, Any]) -> str:
    return tk.h.url_for(f"{entry.get('type') or 'dataset'}_resource.read", id=entry["name"], resource_id=resource["id"])


def _offered(name: str, resource_id: str) -> bool:
    right = _RIGHTS.get(name)
    if right and not tk.h.check_access(right, {"resource_id": resource_id, "id": resource_id}):
        return False
    return name != "map" or bool(tk.h.openhuizhou_has_map(resource_id))


def _routes() -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """By the application's own map, so that a page is linked to as soon as it is there."""
    kept = current_app.extensions.get("openhuizhou_table_routes")
    if kept is None:
        kept = {}
        for rule in current_app.url_map.iter_rules():
            found = _ROUTE.fullmatch(rule.rule)
            if found and "GET" in (rule.methods or ()):
                dataset, resource, name, more = found.groups()
                parameters = tuple(filter(None, (dataset, resource, more)))
                kept.setdefault(f"{name}/" if more else name, (rule.endpoint, parameters))
        current_app.extensions["openhuizhou_table_routes"] = kept
    return kept


def sort_words(items: Sequence[Item], query: TableQuery) -> str:
    """The query's order in words, for who does not see the arrows."""
    names = {item.column: item.name or item.column for item in items}
    return tk._(", ").join(
        (tk._("{column} from large to small") if descending else tk._("{column} from small to large")).format(
            column=names[name]
        )
        for name, descending in query.sort
    )
