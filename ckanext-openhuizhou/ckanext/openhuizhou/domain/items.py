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
    """One column. ``column`` is the ASCII id, ``name`` its Chinese label; code-list keys for the rest."""

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

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Item:
        """Read an item as the schema stores it (numbers may be text, empty text means not given)."""
        known: dict[str, Any] = {
            key: values[key] for key in cls.__dataclass_fields__ if values.get(key) not in (None, "")
        }
        for key in ("length", "scale"):
            if key in known:
                known[key] = int(known[key])
        known["is_key"] = is_true(known.get("is_key"))
        return cls(**{"name": "", "column": "", "data_type": "string", **known})
