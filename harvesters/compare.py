"""Has a record changed? Answered by hashes of its content, never by dates.

``record_hash`` is the last word: canonical JSON (RFC 8785) of what would be published. ``payload_digest`` comes before
it: of the record as its source sent it, twenty times as fast, so that an unchanged record need not be mapped at all.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import orjson
import rfc8785

from ckanext.openhuizhou.harvesters.records import Link, SourceRecord

_SAFE_INTEGER: Final = 2**53 - 1
#: Dates would become text, and no longer differ from it.
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def digest(value: Any) -> str:
    """SHA-256, in hexadecimal, of the canonical JSON of ``value``; the order of keys does not matter."""
    return hashlib.sha256(rfc8785.dumps(plain(value))).hexdigest()


def record_hash(entry: Mapping[str, Any], links: Sequence[Link], *, made_by: Any) -> str:
    """The hash of a record without its rows: the mapped entry, its links, and ``made_by``: whatever else decides what
    becomes of it. A mapping that makes the same entry is no change."""
    shown = [[getattr(link, name) for name in _LINK_FIELDS] for link in links]
    return digest({"entry": entry, "links": shown, "by": made_by})


_LINK_FIELDS: Final = tuple(Link.__dataclass_fields__)


def payload_digest(record: SourceRecord, *, with_modified: bool) -> str:
    """SHA-256, in hexadecimal, of the record as its source sent it; the order of keys does not matter.

    ``with_modified``: whether the time of change counts; it does when a mapping reads it. Any value has a digest, and
    values of different types have different ones.
    """
    # False stands for what is not given: a null is looked at twice
    rest = (record.data_digest, record.modified if with_modified else None)
    value = [record.payload, record.links, *(False if part is None else part for part in rest)]
    try:
        text = orjson.dumps(value, option=_OPTIONS)
    except TypeError:  # a type, a key, a number or half a character that JSON does not have
        text = b"".join(_spelled(value))
    else:
        if b"null" in text and _has_odd_float(value):  # orjson writes null for not-a-number
            text = b"".join(_spelled(value))
    return hashlib.sha256(text).hexdigest()


def _has_odd_float(value: Any) -> bool:
    stack = [value]
    while stack:
        item = stack.pop()
        if type(item) is dict:
            stack.extend(item.values())
        elif type(item) is list or type(item) is tuple:
            stack.extend(item)
        elif isinstance(item, float) and item - item != 0:
            return True
    return False


class _Text(bytes):
    """Something that is spelled already."""


def _spelled(value: Any) -> Iterator[bytes]:
    """Any value as bytes, without recursion: a payload may be nested deeper than a stack is."""
    yield b"#"  # JSON text never begins so
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, _Text):
            yield item
        elif isinstance(item, Mapping):
            members = sorted(((_spelled_scalar(key), member) for key, member in item.items()), key=lambda pair: pair[0])
            stack.append(_Text(b"}"))
            for key, member in reversed(members):
                stack += [member, _Text(key)]
            yield b"{"
        elif isinstance(item, (list, tuple)):
            stack.append(_Text(b"]"))
            stack.extend(reversed(item))
            yield b"["
        elif isinstance(item, Link):
            stack.append([getattr(item, name) for name in _LINK_FIELDS])
        else:
            yield _spelled_scalar(item)


def _spelled_scalar(value: Any) -> bytes:
    """Type, length and text."""
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes):
        text = bytes(value)
    elif isinstance(value, int):
        text = hex(value).encode()  # decimal digits have a limit
    elif isinstance(value, (set, frozenset)):
        text = b"".join(sorted(map(_spelled_scalar, value)))
    else:
        text = str(value).encode("utf-8", "surrogatepass")
    return b"%s:%d:%s" % (type(value).__name__.encode(), len(text), text)


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
    """Half characters (lone surrogates) have no UTF-8 form, and the database takes no NUL; both are written out."""
    text = text.replace("\0", "\\x00")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
