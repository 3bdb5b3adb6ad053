"""A column's entry in the data dictionary that CKAN's DataStore keeps beside the table (``info`` of a field).

``label``, ``notes`` and ``type_override`` are CKAN's own keys: its forms show them, and loaders of CKAN obey the last.
All others are properties of an information item (信息项), so that a table tells what it is without its entry, which may
have been changed since the table was loaded. Shares and openness are the entry's alone and are not kept here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .cell_types import POSTGRESQL_TYPES
from .items import Item

#: Item properties under CKAN's names, then under their own. Absent where they say nothing.
_NAMES: Final[dict[str, str]] = {
    "label": "name",
    "notes": "description",
    "unit": "unit",
    "data_type": "data_type",
    "length": "length",
    "scale": "scale",
    "is_key": "is_key",
    "required": "required",
    "values": "values",
    "minimum": "minimum",
    "maximum": "maximum",
    "pattern": "pattern",
    "sensitivity": "sensitivity",
}
#: What a loader of CKAN has to make of the column instead of guessing: the three types that it knows.
_OVERRIDES: Final[dict[str, str]] = {"text": "text", "numeric": "numeric", "timestamptz": "timestamp"}
#: Types of tables whose dictionary says nothing; names as PostgreSQL's ``format_type`` gives them.
_DATA_TYPES: Final[dict[str, str]] = {
    "text": "string",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "number",
    "real": "number",
    "double precision": "number",
    "date": "date",
    "timestamp without time zone": "datetime",
    "timestamp with time zone": "datetime",
    "boolean": "boolean",
}
#: … and the types that our own tables have.
_FORMATTED: Final[dict[str, str]] = {"timestamptz": "timestamp with time zone"}


def info_of(item: Item) -> dict[str, Any]:
    """What the dictionary keeps of an item: JSON values, only of what it says."""
    kept = {key: getattr(item, name) for key, name in _NAMES.items()}
    info = {key: value for key, value in kept.items() if value is not None and value is not False and value != ""}
    override = _OVERRIDES.get(POSTGRESQL_TYPES.get(item.data_type, ""))
    return info | {"type_override": override} if override else info


def item_of(column: str, column_type: str, info: Mapping[str, Any]) -> Item:
    """The item that a column's dictionary tells of; ``column_type`` is the column's own, by ``format_type``.

    Tables that others loaded, or that were loaded before the dictionary held all of this, are told by their type.
    """
    values = {name: info[key] for key, name in _NAMES.items() if isinstance(info.get(key), str | int | bool)}
    data_type = str(values.get("data_type") or "")
    own = POSTGRESQL_TYPES.get(data_type, "")
    if not own or _FORMATTED.get(own, own) != column_type:
        data_type = _DATA_TYPES.get(column_type, "string")
    numbers = {key: values.pop(key, None) for key in ("length", "scale")}
    values |= {key: number for key, number in numbers.items() if str(number).isascii() and str(number).isdigit()}
    label = str(values.get("name") or "").strip() or column
    return Item.from_dict({**values, "name": label, "column": column, "data_type": data_type})
