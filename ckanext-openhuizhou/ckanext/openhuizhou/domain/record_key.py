"""The key by which a source tells its records apart: what cannot be one."""

from __future__ import annotations

import re
import unicodedata

from .findings import Finding
from .text_rules import has_forbidden, shown

#: Characters; keys are short, and an index of the database takes 2,704 bytes.
LONGEST = 500
#: What people and programs write where a key should stand. Compared in lower case, half-width.
PLACEHOLDERS = frozenset(
    {"todo", "tbd", "tba", "n/a", "na", "nan", "nil", "none", "null", "undefined", "unknown", "xxx", "(null)"}
    | {"无", "暂无", "没有", "空", "未知", "待定", "待补充", "待填", "不详", "编号", "示例"}
)
_ZEROS = re.compile("0+")


def check_key(key: str, number: int) -> Finding | None:
    """Why the text is no key, or None. ``number``: the record's position in the source, from 1."""
    if not key.strip():
        return Finding("key-missing", params={"number": number})
    if len(key) > LONGEST or has_forbidden(key):
        return Finding("key-unfit", value=shown(key), params={"number": number, "longest": LONGEST})
    plain = (key if key.isascii() else unicodedata.normalize("NFKC", key)).strip().casefold()
    if plain in PLACEHOLDERS or _ZEROS.fullmatch(plain) or not any(map(str.isalnum, plain)):
        return Finding("key-placeholder", value=shown(key), params={"number": number})
    return None
