"""What an item says of its values: a code list, a least and a greatest value, a pattern.

All four are text in the entry, as a person types them or a source says them:

- code list: values or ``code=label``, separated by semicolons or line ends: ``1=男; 2=女``, ``优; 良; 轻度污染``;
- least and greatest value: a number, a date or a moment, as a cell of the item's type;
- pattern: a regular expression of RE2 for the whole value. RE2 takes time in proportion to the text, whatever the
  pattern; so nobody can stop the loads with one.

``required``, ``enum``, ``minimum``, ``maximum`` and ``pattern`` are the constraints of Frictionless' Table Schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Final

from .cell_types import CONVERTERS
from .items import Item

#: Most codes of one item; a longer list is a table of its own.
MOST_CODES: Final = 1000
LONGEST_PATTERN: Final = 200
NUMERIC: Final = frozenset({"integer", "number", "currency"})
ORDERED: Final = NUMERIC | {"date", "datetime"}
TEXTUAL: Final = frozenset({"string", "text"})
_SEPARATORS: Final = re.compile(r"[;；\n\r]+")
_MEANS: Final = re.compile(r"[=＝]")


def codes_of(item: Item) -> Mapping[str, str]:
    """The code list of an item: code → label, empty where there is none; in its order. Empty without a list."""
    codes: dict[str, str] = {}
    for part in _SEPARATORS.split(item.values):
        code, *label = (text.strip() for text in _MEANS.split(part, 1))
        if code:
            codes.setdefault(code, label[0] if label else "")
    return MappingProxyType(codes)


def allowed_texts(item: Item) -> frozenset[str]:
    """The code list in the form of typed cells. A code that is no value of the item's type allows nothing."""
    convert = CONVERTERS[item.data_type]
    texts = set()
    for code in codes_of(item):
        try:
            text = convert(code)
        except ValueError:
            continue
        if text is not None:
            texts.add(text)
    return frozenset(texts)


def limit_text(item: Item, limit: str) -> str | None:
    """A least or greatest value in the form of typed cells; None without one.

    Raises:
        ValueError: it is no value of the item's type, or the type has no order.
    """
    if not limit.strip():
        return None
    if item.data_type not in ORDERED:
        raise ValueError(limit)
    return CONVERTERS[item.data_type](limit)


def limits_in_order(item: Item) -> bool:
    """Whether the least value is not above the greatest.

    Raises:
        ValueError: as ``limit_text``.
    """
    least, most = limit_text(item, item.minimum), limit_text(item, item.maximum)
    if least is None or most is None:
        return True
    return Decimal(least) <= Decimal(most) if item.data_type in NUMERIC else least <= most


def pattern_of(item: Item) -> str | None:
    """The item's pattern as one for a search in a text; None without one.

    Raises:
        ValueError: RE2 does not take it, or it is too long.
    """
    if not item.pattern:
        return None
    whole = rf"\A(?:{item.pattern})\z"
    if len(item.pattern) > LONGEST_PATTERN or not _is_pattern(item.pattern) or not _is_pattern(whole):
        raise ValueError(item.pattern)
    return whole


@cache
def _is_pattern(pattern: str) -> bool:
    import pyarrow as pa  # most programs that know items never meet a pattern
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), pattern)  # pyright: ignore[reportAttributeAccessIssue] - made at run time
    except pa.ArrowInvalid:
        return False
    return True
