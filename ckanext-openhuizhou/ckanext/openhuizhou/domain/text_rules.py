"""What every field has in common: when it is empty, how a finding shows a value, which characters may stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .cell_types import to_boolean
from .findings import Finding

#: PostgreSQL refuses NUL, UTF-8 has no surrogates, and no other control character belongs in a description.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
#: Longest value that a finding repeats.
_SHOWN = 60


def is_empty(value: Any) -> bool:
    """Nothing, white space, or a list without anything in it; ``False`` and 0 are values."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    return isinstance(value, list | tuple | dict) and not value


def is_true(value: Any) -> bool:
    """A yes as forms, JSON and spreadsheets write it; anything else is none."""
    try:
        return to_boolean(value) == "true"
    except ValueError:
        return False


def shown(value: Any) -> str:
    """A value short enough for a sentence, without characters that cannot be shown."""
    text = _FORBIDDEN.sub("\ufffd", str(value))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def has_forbidden(value: str) -> bool:
    """Whether a text holds characters that cannot be stored or are no text."""
    return _FORBIDDEN.search(value) is not None


def cleaned(value: str, longest: int) -> str:
    """A text without such characters, cut to its longest; for what is shown but decides nothing."""
    text = _FORBIDDEN.sub("", value).strip()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def check_text(field: str, value: str, longest: int) -> Iterator[Finding]:
    """Characters that cannot be stored, and too many of them."""
    if has_forbidden(value):
        yield Finding("text-characters", field=field, value=shown(value))
    if len(value) > longest:
        yield Finding("text-too-long", field=field, params={"length": len(value), "longest": longest})
