"""Information items (信息项): the columns of an entry's table, as the guide 发改高技〔2017〕1272号 names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .text_rules import is_true

#: Keys of ``schemas/code_lists/data_types.yaml``, in its order.
DATA_TYPES = ("string", "text", "integer", "number", "currency", "date", "datetime", "boolean")
#: A column's id. PostgreSQL names hold 63 bytes; a leading underscore is the DataStore's own (``_id``, ``_full_text``);
#: six names are PostgreSQL's own in every table.
COLUMN_ID = re.compile(r"(?!(?:cmax|cmin|ctid|tableoid|xmax|xmin)$)[a-z][a-z0-9_]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Item:
    """One column. ``column`` is the ASCII id, ``name`` its Chinese label; code-list keys for the rest.

    ``required``, ``values``, ``minimum``, ``maximum`` and ``pattern`` say what its values may be (``item_values``).
    """

    name: str
    column: str
    data_type: str
    length: int | None = None
    scale: int | None = None
    unit: str = ""
    is_key: bool = False
    share_type: str = ""
    open_type: str = ""
    sensitivity: str = ""
    description: str = ""
    required: bool = False
    values: str = ""
    minimum: str = ""
    maximum: str = ""
    pattern: str = ""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Item:
        """Read an item as the schema stores it (numbers may be text, empty text means not given)."""
        known: dict[str, Any] = {
            key: values[key] for key in cls.__dataclass_fields__ if values.get(key) not in (None, "")
        }
        for key in ("length", "scale"):
            if key in known:
                known[key] = int(known[key])
        for key in ("is_key", "required"):
            known[key] = is_true(known.get(key))
        for key in ("minimum", "maximum", "pattern"):  # YAML makes numbers and dates of them
            if key in known:
                known[key] = str(known[key]).strip()
        if "values" in known:
            known["values"] = values_text(known["values"])
        return cls(**{"name": "", "column": "", "data_type": "string", **known})


def values_text(values: Any) -> str:
    """A code list as the entry keeps it (``item_values``), from a text, a list of values or a mapping code → label."""
    if isinstance(values, Mapping):
        return "; ".join(f"{code}={label}" if label not in (None, "") else str(code) for code, label in values.items())
    if isinstance(values, list | tuple):
        return "; ".join(str(value) for value in values)
    return str(values)
