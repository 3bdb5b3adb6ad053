"""A table's description as a Table Schema of Frictionless (https://specs.frictionlessdata.io/table-schema/).

It describes the published CSV file: a field's ``name`` is the column's header there, the Chinese label. What the
standard has no word for stands beside it, as it allows: ``columnId`` (the column in the API), ``unit``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from .item_values import NUMERIC, TEXTUAL, codes_of, limit_text
from .items import Item

#: The version of the standard that has ``categories`` and ``example``.
PROFILE: Final = "https://datapackage.org/profiles/2.0/tableschema.json"
#: Moments of the CSV file: 2018-03-01 08:00:00+08:00. Parts of a second have no fixed pattern in Python's ``strptime``.
MOMENT: Final = "%Y-%m-%d %H:%M:%S%z"
_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "string": {"type": "string"},
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "currency": {"type": "number"},
    "date": {"type": "date", "format": "%Y-%m-%d"},
    "datetime": {"type": "datetime", "format": MOMENT},
    "boolean": {"type": "boolean", "trueValues": ["true"], "falseValues": ["false"]},
}


def table_schema(
    items: Sequence[Item],
    *,
    title: str = "",
    examples: Mapping[str, Sequence[str]] | None = None,
    fractions: Collection[str] | None = None,
) -> dict[str, Any]:
    """The schema as JSON. ``examples``: values by column id, as the file has them. ``fractions``: columns of moments
    with parts of a second; None where that is not known, and any spelling of a moment has to do.
    """
    schema: dict[str, Any] = {"$schema": PROFILE}
    if title:
        schema["title"] = title
    schema["fields"] = [_field(item, (examples or {}).get(item.column, ()), fractions) for item in items]
    schema["missingValues"] = [""]
    if key := [_header(item) for item in items if item.is_key]:
        schema["primaryKey"] = key
    return schema


def _header(item: Item) -> str:
    return item.name or item.column


def _field(item: Item, examples: Sequence[str], fractions: Collection[str] | None) -> dict[str, Any]:
    field: dict[str, Any] = {"name": _header(item), **_TYPES[item.data_type]}
    if item.data_type == "datetime" and (fractions is None or item.column in fractions):
        field["format"] = "any"
    field |= {"title": _header(item), "columnId": item.column}
    if item.description:
        field["description"] = item.description
    if item.unit:
        field["unit"] = item.unit
    if examples:
        field["example"] = typed(item, examples[0])
    codes = codes_of(item)
    if codes and any(codes.values()) and item.data_type in ("string", "text", "integer"):
        field["categories"] = [
            {"value": typed(item, code), **({"label": label} if label else {})} for code, label in codes.items()
        ]
    if constraints := _constraints(item):
        field["constraints"] = constraints
    return field


def _constraints(item: Item) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if item.required or item.is_key:
        constraints["required"] = True
    if item.length and item.data_type in TEXTUAL:
        constraints["maxLength"] = item.length
    for name in ("minimum", "maximum"):
        try:
            limit = limit_text(item, getattr(item, name))
        except ValueError:
            continue  # it checks nothing, and the entry's own check has said so
        if limit is not None:
            constraints[name] = typed(item, limit)
    if item.pattern and item.data_type in TEXTUAL:
        # patterns are for the whole value, which not every reader knows of alternatives
        constraints["pattern"] = f"({item.pattern})" if "|" in item.pattern else item.pattern
    if codes := codes_of(item):
        constraints["enum"] = [typed(item, code) for code in codes]
    return constraints


def typed(item: Item, text: str) -> Any:
    """A value of the CSV file as JSON has it; what JSON has no type for, or cannot hold exactly, stays text."""
    if item.data_type == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if item.data_type not in NUMERIC:
        return text
    try:
        number = int(text) if item.data_type == "integer" else float(text)
    except ValueError:
        return text
    whole = isinstance(number, float) and number.is_integer() and abs(number) < 2**53
    return int(number) if whole else number
