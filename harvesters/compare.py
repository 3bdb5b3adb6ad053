"""Has a record changed? Answered by a hash over canonical JSON (RFC 8785), never by dates."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import rfc8785

_SAFE_INTEGER = 2**53 - 1


def digest(value: Any) -> str:
    """SHA-256, in hexadecimal, of the canonical JSON of ``value``; the order of keys does not matter."""
    return hashlib.sha256(rfc8785.dumps(plain(value))).hexdigest()


def record_hash(entry: Mapping[str, Any], mapping_digest: str, data_digest: str | None) -> str:
    """The hash of a record: the mapped entry, the mapping that made it, and the state of its rows."""
    return digest({"entry": entry, "mapping": mapping_digest, "data": data_digest})


def plain(value: Any) -> Any:
    """``value`` in types that JSON has. Numbers that JSON cannot hold exactly become text."""
    if value is None or isinstance(value, (str, bool)):
        return _whole(value) if isinstance(value, str) else value
    if isinstance(value, int):
        return value if abs(value) <= _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_whole(str(key)): plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(member) for member in value), key=repr)
    return str(value)


def _whole(text: str) -> str:
    """Half characters (lone surrogates) have no UTF-8 form; they are written out so that hashing never fails."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
