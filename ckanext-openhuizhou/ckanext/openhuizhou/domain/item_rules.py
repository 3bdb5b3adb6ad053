"""The rules of information items (信息项), the columns of an entry's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ckanext.openhuizhou.schemas.code_lists import code_list

from .findings import Finding
from .item_values import LONGEST_PATTERN, MOST_CODES, allowed_texts, codes_of, limit_text, limits_in_order, pattern_of
from .items import COLUMN_ID, DATA_TYPES, Item
from .text_rules import check_text, is_empty, shown
from .title import normalise_title

#: PostgreSQL refuses a table of more than 1,600 columns.
MOST_ITEMS = 1000
LONGEST = {"name": 100, "column": 63, "unit": 50, "minimum": 50, "maximum": 50, "values": 50_000}
LONGEST_OTHER = 1000
#: Most digits that PostgreSQL's numeric takes, and the longest declared text.
NUMBERS = {"length": (1, 1_000_000), "scale": (0, 100)}
CODED = {
    "data_type": "data_types",
    "open_type": "open_types",
    "share_type": "share_types",
    "sensitivity": "sensitivities",
}
REQUIRED = ("name", "column", "data_type")


def check_items(items: Any, entry: Mapping[str, Any], purpose: str) -> Iterator[Finding]:
    """Yield what is wrong with the items; ``row`` counts from 1."""
    if not isinstance(items, Sequence) or isinstance(items, str) or not all(isinstance(i, Mapping) for i in items):
        yield Finding("items-malformed", field="items")
        return
    if len(items) > MOST_ITEMS:
        yield Finding("items-too-many", field="items", params={"count": len(items), "most": MOST_ITEMS})
        return
    for row, item in enumerate(items, start=1):
        yield from _one(row, item, purpose)
        yield from _sensitivity(row, item, entry)
        yield from _constraints(row, item)
    yield from _twice(items, "column", "item-column-duplicate")
    yield from _twice(items, "name", "item-name-duplicate")


def _finding(kind: str, row: int, item: Mapping[str, Any], subfield: str, **params: Any) -> Finding:
    value = item.get(subfield)
    return Finding(
        kind,
        field="items",
        row=row,
        column=shown(item.get("column") or item.get("name") or row),
        value=None if is_empty(value) else shown(value),
        params={"subfield": subfield, **params},
    )


def _one(row: int, item: Mapping[str, Any], purpose: str) -> Iterator[Finding]:
    if purpose == "publish":
        for subfield in REQUIRED:
            if is_empty(item.get(subfield)):
                yield _finding("item-required-missing", row, item, subfield)
    for subfield, value in item.items():
        if isinstance(value, str):
            longest = LONGEST.get(subfield, LONGEST_OTHER)
            for finding in check_text(subfield, value, longest):
                yield _finding(finding.kind, row, item, subfield, **finding.params)
    column = item.get("column")
    if not is_empty(column) and not COLUMN_ID.fullmatch(str(column)):
        yield _finding("item-column-invalid", row, item, "column")
    for subfield, list_name in CODED.items():
        value = item.get(subfield)
        if not is_empty(value) and str(value) not in code_list(list_name):
            yield _finding("code-unknown", row, item, subfield, list=list_name)
    for subfield, (least, most) in NUMBERS.items():
        value = item.get(subfield)
        if not is_empty(value) and not _whole_number_between(value, least, most):
            yield _finding("number-invalid", row, item, subfield, least=least, most=most)


def _whole_number_between(value: Any, least: int, most: int) -> bool:
    text = str(value).strip()
    return text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most


def _sensitivity(row: int, item: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[Finding]:
    sensitivity = item.get("sensitivity")
    open_type = item.get("open_type") or entry.get("open_type")
    if sensitivity in code_list("sensitivities") and sensitivity != "general" and open_type == "unconditional":
        yield _finding("item-sensitive", row, item, "sensitivity")


def _constraints(row: int, item: Mapping[str, Any]) -> Iterator[Finding]:
    """A rule that cannot be read would check nothing, and nobody would know."""
    if all(is_empty(item.get(subfield)) for subfield in ("values", "minimum", "maximum", "pattern")):
        return
    if item.get("data_type", "string") not in DATA_TYPES:
        return  # said already
    said = Item.from_dict({key: value for key, value in item.items() if key not in NUMBERS})
    if said.values:
        codes = codes_of(said)
        if len(codes) > MOST_CODES:
            yield _finding("item-codes-too-many", row, item, "values", count=len(codes), most=MOST_CODES)
        elif len(allowed_texts(said)) < len(codes) or not codes:
            yield _finding("item-codes-invalid", row, item, "values", data_type=said.data_type)
    unreadable = [name for name in ("minimum", "maximum") if not _readable(said, getattr(said, name))]
    for name in unreadable:
        yield _finding("item-limit-invalid", row, item, name, data_type=said.data_type)
    if not unreadable and not limits_in_order(said):
        yield _finding("item-limits-crossed", row, item, "minimum", maximum=said.maximum)
    try:
        pattern_of(said)
    except ValueError:
        yield _finding("item-pattern-invalid", row, item, "pattern", most=LONGEST_PATTERN)


def _readable(item: Item, limit: str) -> bool:
    try:
        limit_text(item, limit)
    except ValueError:
        return False
    return True


def _twice(items: Sequence[Mapping[str, Any]], subfield: str, kind: str) -> Iterator[Finding]:
    """A name is compared as titles are."""
    first: dict[str, int] = {}
    for row, item in enumerate(items, start=1):
        value = item.get(subfield)
        if is_empty(value):
            continue
        key = str(value) if subfield == "column" else normalise_title(str(value)) or str(value)
        if key in first:
            yield _finding(kind, row, item, subfield, first=first[key])
        else:
            first[key] = row
