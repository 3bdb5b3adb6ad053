"""Cells that carry the unit of their column, and cells that a spreadsheet has spoilt.

A unit is never guessed and never converted: ``12.5%`` is 12.5 where the item's unit is ``%``, ``3万元`` is 3 where it
is ``万元``, and neither is a number anywhere else. Digits that a spreadsheet dropped are not made up: ``1.23E+17`` is
the ruin of a code of eighteen digits, and a whole number beyond 2**53 that went through a spreadsheet lost its end.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

from .cell_types import CONVERTERS, Converter

FIGURES: Final = frozenset({"integer", "number", "currency"})
TEXTUAL: Final = frozenset({"string", "text"})

#: How a spreadsheet writes more digits than a cell is wide.
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9](?:\.[0-9]+)?E\+([0-9]{2,3})")
#: Spreadsheets begin with it at twelve digits.
_SHORTENED_FROM: Final = 11
#: From here on not every whole number is a float.
_EXACT_BELOW: Final = 2.0**53
#: A unit that could be taken for a part of the figure before it.
_LIKE_DIGITS: Final = re.compile(r"[0-9.,+\-()]")
_LIKE_A_FIGURE: Final = re.compile(r"[+-]?[0-9][0-9,]*(?:\.[0-9]+)?\s*[^0-9\s.,/:+\-()].*", re.DOTALL)


def converter_of(data_type: str, unit: str = "") -> Converter:
    """``cell_types.CONVERTERS`` for an item: its unit behind a figure is no part of the value, lost digits are none."""
    convert = CONVERTERS[data_type]
    if data_type == "integer" or data_type in TEXTUAL:
        convert = _refusing_lost_digits(convert)
    sign = _folded(unit)
    if data_type not in FIGURES or not sign or _LIKE_DIGITS.match(sign):
        return convert
    return _taking_unit(convert, sign)


def misfit(data_type: str, cell: object) -> str:
    """The kind of finding that tells why a converter refused a cell."""
    if data_type in FIGURES | TEXTUAL and lost_digits(cell):
        return "cell-digits-lost"
    if data_type in FIGURES and isinstance(cell, str) and _LIKE_A_FIGURE.fullmatch(_folded(cell)):
        return "cell-unit"
    return "cell-type"


def lost_digits(value: object) -> bool:
    """Whether this is what a spreadsheet makes of a number that has more digits than it keeps."""
    if isinstance(value, float):
        return abs(value) >= _EXACT_BELOW and value.is_integer()
    if type(value) is not str or "E+" not in value:
        return False
    shortened = _SCIENTIFIC.fullmatch(value.strip())
    return shortened is not None and int(shortened[1]) >= _SHORTENED_FROM


def _refusing_lost_digits(convert: Converter) -> Converter:
    def converted(value: object) -> str | None:
        if isinstance(value, float | Decimal | str) and lost_digits(value):
            raise ValueError(value)
        return convert(value)

    return converted


def _taking_unit(convert: Converter, sign: str) -> Converter:
    def converted(value: object) -> str | None:
        if type(value) is not str:
            return convert(value)
        text = _folded(value)
        if not text.endswith(sign):
            return convert(value)
        bare = text[: -len(sign)].rstrip()
        if not bare:  # a unit alone is no value, and not “no value” either
            raise ValueError(value)
        return convert(bare)

    return converted


def _folded(text: str) -> str:
    """Without spaces around it, full-width characters half-width."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()
