"""Text that was decoded wrongly before it came here (乱码): the file's encoding is good, its characters are not.

``MARKS`` are characters of which every kind that is known here holds one; a table without any of them is looked at no
further. ``damage`` judges one text. It says nothing of a text that could be right: accented words, rare characters
and rows of dots or crosses are none of these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: Bytes that continue a character of UTF-8, as Windows-1252 and Latin-1 show them.
_CONTINUES: Final = "".join({bytes([b]).decode("cp1252", "ignore") or chr(b) for b in range(0x80, 0xC0)}) + "".join(
    chr(b) for b in range(0x80, 0xA0)
)
_AS_BYTE: Final = {ord(bytes([b]).decode("cp1252", "ignore") or chr(b)): b for b in range(0x80, 0x100)}
#: Chinese characters and signs have three bytes in UTF-8, the first from E3 to E9, or EF.
_UTF8_AS_LATIN: Final = re.compile(f"(?:[ã-éï][{re.escape(_CONTINUES)}]{{2}})+")
#: GBK as Latin-1: nobody writes four of its letters with marks in a row. ``×`` and ``·`` stand in rows where names are
#: hidden, so they do not count.
_LATIN_RUN: Final = re.compile("[¡-¶¸-ÖØ-öø-þ]{4,}")
_REPLACED: Final = re.compile("\ufffd|锟斤拷")
_CHINESE: Final = re.compile("[\u3001-\u303f\u4e00-\u9fff\uff01-\uff5e]")
#: The first characters of frequent words whose UTF-8 was read as GBK: 的 一 数 名 公 惠 有 站 区 …
_UTF8_AS_GBK: Final = "鐨涓鏁鍚鍏鎯銆锛鏈绔鍖闀琛缁浼鍙鎴鐜绌鏉鍦姘浠鏄瀹骞鍩甯閲妗瑙鑱璐鐢绠"
MARKS: Final = "\ufffd锟锘" + _UTF8_AS_GBK + "ãäåæçèéïÖÐÊÎÄÇÉÏÓÕÒÔÍËÌØ¹»ÀÁÂÃÅÆÈÑÙÚÛÜÝÞßà"


@dataclass(frozen=True, slots=True)
class Damage:
    """``kind``: replaced, utf8-as-latin, gbk-as-latin or utf8-as-gbk. ``meant``: what probably stood there."""

    kind: str
    meant: str | None = None


def damage(text: str) -> Damage | None:
    """What happened to a text; None when it is, or may be, as it should be."""
    if text.isascii():
        return None
    if _REPLACED.search(text):
        return Damage("replaced")
    if _UTF8_AS_LATIN.search(text) and _CHINESE.search(meant := _UTF8_AS_LATIN.sub(_from_latin, text)):
        return Damage("utf8-as-latin", meant)
    if (run := _LATIN_RUN.search(text)) and _is_gbk(run[0]):
        return Damage("gbk-as-latin", text.encode("latin-1", "replace").decode("gb18030", "replace"))
    meant = _from_gbk(text)
    return None if meant is None else Damage("utf8-as-gbk", meant)


def _from_latin(match: re.Match[str]) -> str:
    raw = bytes(_AS_BYTE.get(ord(letter), ord(letter) & 0xFF) for letter in match[0])
    return raw.decode("utf-8", "replace")


def _is_gbk(run: str) -> bool:
    """Whether the whole run is frequent Chinese: rows B0 to D7 of GB 2312, two bytes each."""
    raw = run.encode("latin-1")
    pairs = [raw[at : at + 2] for at in range(0, len(raw) - 1, 2)]
    return all(0xA1 <= pair[0] <= 0xF7 for pair in pairs) and any(0xB0 <= pair[0] <= 0xD7 for pair in pairs)


def _from_gbk(text: str) -> str | None:
    """The text before its UTF-8 was read as GBK; None when it was not."""
    raw = text.encode("gb18030", "ignore")
    meant = raw.decode("utf-8", "ignore")
    chinese = _CHINESE.findall(meant)
    plain = len(meant) - len(chinese)
    # a byte or two at the end get lost when the number of bytes is odd
    if len(chinese) < 2 or 3 * len(chinese) + plain < 0.7 * len(raw):
        return None
    return meant
