"""Addresses, filters and page numbers of lists: plain links, so that everything works without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import ckan.plugins.toolkit as tk

from .labels import openhuizhou_label, openhuizhou_region, openhuizhou_theme
from .quality import openhuizhou_quality_band

__all__ = [
    "openhuizhou_chosen",
    "openhuizhou_facet",
    "openhuizhou_here",
    "openhuizhou_pages",
    "openhuizhou_sorts",
]

#: How the values of a facet are called. Departments bring their title with them, formats need none.
VALUE_LABELS: Mapping[str, Callable[[str], str]] = {
    "theme": openhuizhou_theme,
    "region": openhuizhou_region,
    "open_type": lambda key: openhuizhou_label("open_types", key),
    "share_type": lambda key: openhuizhou_label("share_types", key),
    "update_cycle": lambda key: openhuizhou_label("update_cycles", key),
    "format_class": lambda key: openhuizhou_label("format_classes", key),
    "entry_state": lambda key: openhuizhou_label("entry_states", key),
    "freshness": lambda key: openhuizhou_label("freshness", key),
    "quality_band": openhuizhou_quality_band,
}
#: A page of results starts anew when one of these changes.
_PAGE = "page"


def openhuizhou_here(base: str, keep: Iterable[str] | None = None, **changes: str | None) -> str:
    """The address ``base`` with the parameters of this request, some of them changed (None takes one out).

    ``keep`` limits what is taken over from this request. The page number always starts anew.
    """
    kept = None if keep is None else set(keep)
    params = [
        (name, value)
        for name, value in tk.request.args.items(multi=True)
        if name != _PAGE and name not in changes and value and (kept is None or name in kept)
    ]
    params += [(name, value) for name, value in changes.items() if value]
    return f"{base}?{urlencode(params)}" if params else base


def openhuizhou_facet(name: str, search_facets: Mapping[str, Any], base: str) -> list[dict[str, Any]]:
    """The values of one filter, chosen ones first: ``[{name, label, count, active, url}, …]``."""
    chosen = set(tk.request.args.getlist(name))
    values = []
    for item in search_facets.get(name, {}).get("items", []):
        value, active = item["name"], item["name"] in chosen
        values.append(
            {
                "name": value,
                "label": _value_label(name, value, item["display_name"]),
                "count": item["count"],
                "active": active,
                "url": openhuizhou_here(base, **{name: None if active else value}),
            }
        )
    return sorted(values, key=lambda value: (not value["active"], -value["count"], value["label"]))


def openhuizhou_chosen(
    fields_grouped: Mapping[str, Sequence[str]], search_facets: Mapping[str, Any], base: str
) -> list[dict[str, str]]:
    """The filters that are set, each with the address without it."""
    chosen = []
    for name, values in fields_grouped.items():
        titles = {item["name"]: item["display_name"] for item in search_facets.get(name, {}).get("items", [])}
        for value in values:
            label = _value_label(name, value, titles.get(value, value))
            chosen.append({"label": label, "url": openhuizhou_here(base, **{name: None})})
    return chosen


def openhuizhou_sorts(base: str, searched: bool) -> list[dict[str, Any]]:
    """The orders of a list of datasets; the first is what the list has without choice."""
    orders = [
        (tk._("Relevance") if searched else tk._("Default order"), None),
        (tk._("Recently updated"), "data_modified desc"),
        (tk._("Recently opened"), "issued desc"),
        (tk._("Most rows"), "row_count desc"),
        (tk._("Best quality"), "quality desc"),
        (tk._("Name"), "title_sort asc"),
    ]
    now = tk.request.args.get("sort") or None
    return [{"label": label, "active": now == sort, "url": openhuizhou_here(base, sort=sort)} for label, sort in orders]


def openhuizhou_pages(page: int, page_count: int, base: str) -> list[dict[str, Any]]:
    """Page numbers around ``page``; ``number`` None is a gap. Empty when there is one page only."""
    if page_count < 2:
        return []
    shown = sorted({1, page_count, *range(max(1, page - 2), min(page_count, page + 2) + 1)})
    pages: list[dict[str, Any]] = []
    for number in shown:
        if pages and number - pages[-1]["number"] > 1:
            pages.append({"number": None})
        pages.append({"number": number, "current": number == page, "url": page_url(base, number)})
    return pages


def page_url(base: str, number: int) -> str:
    """The address of one page of the list."""
    url = openhuizhou_here(base)
    return url if number == 1 else f"{url}{'&' if '?' in url else '?'}{_PAGE}={number}"


def _value_label(facet: str, value: str, title: str) -> str:
    label = VALUE_LABELS.get(facet)
    if label:
        return label(value)
    if facet == "openhuizhou_data_ok":
        return tk._("With data that can be read")
    return title


def facet_titles(*, of_one_department: bool = False) -> dict[str, str]:
    """The filters of a list in their order, for CKAN's ``IFacets``."""
    titles = {
        "organization": tk._("Department"),
        "theme": tk._("Field of opening"),
        "open_type": tk._("Opening"),
        "update_cycle": tk._("Update cycle"),
        "res_format": tk._("Format"),
        "region": tk._("Region"),
        "quality_band": tk._("Quality"),
        "freshness": tk._("Timeliness"),
    }
    if of_one_department:
        del titles["organization"]
    return titles
