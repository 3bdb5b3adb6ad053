"""Bytes that decode as GB18030 and were never meant so: Big5, and single-byte encodings of other scripts.

Most of what is written in Chinese is written with the 3,755 letters of the first level of GB 2312, more than nine in
ten of them. Bytes of another encoding decode to letters that nobody uses.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import Final

#: Bytes that are looked at, from the first one that is no ASCII.
_SAMPLE: Final = 1 << 20
#: So few letters may be rare names.
_FEW: Final = 6
#: Share of first-level letters below which it is no Chinese.
_FOREIGN: Final = 0.3
#: … and below which it is Big5, when that share of its letters as Big5 is of Big5's own first level.
_DOUBTFUL: Final = 0.75
_SURE: Final = 0.95
_WIDE: Final = re.compile("[^\x00-\x7f]")
_HIGH: Final = re.compile(rb"[\x80-\xff]")


def _letters(encoding: str, leads: range, *trails: range) -> frozenset[str]:
    pairs = (bytes((lead, trail)).decode(encoding, "ignore") for lead in leads for part in trails for trail in part)
    return frozenset(letter for letter in pairs if len(letter) == 1)


_GB_LEVEL_1: Final = _letters("gb2312", range(0xB0, 0xD8), range(0xA1, 0xFF))
_GB_SIGNS: Final = _letters("gb2312", range(0xA1, 0xAA), range(0xA1, 0xFF))
_BIG5_LEVEL_1: Final = _letters("big5", range(0xA1, 0xC7), range(0x40, 0x7F), range(0xA1, 0xFF))


def first_implausible(chunks: Iterable[bytes]) -> int | None:
    """Where bytes that are right GB18030 begin to be no Chinese; None when they are, or are too few to tell."""
    start, sample = _sample(chunks)
    letters = _wide(sample, "gb18030") or []
    # letters of four bytes are never a chance
    pairs = [letter for letter in letters if letter <= "\uffff" and len(letter.encode("gb18030")) == 2]
    if len(pairs) < _FEW:
        return None
    common = _share(pairs, _GB_LEVEL_1 | _GB_SIGNS)
    if common < _FOREIGN and len(pairs) == len(letters):
        return start
    if common < _DOUBTFUL and _share(_wide(sample, "big5") or [], _BIG5_LEVEL_1) >= _SURE:
        return start
    return None


def _sample(chunks: Iterable[bytes]) -> tuple[int, bytes]:
    """Where the first byte stands that is no ASCII, and the bytes from there on; it begins a letter."""
    consumed, sample = 0, b""
    for chunk in chunks:
        if not sample and (high := _HIGH.search(chunk)):
            consumed += high.start()
            sample = chunk[high.start() :]
        elif sample:
            sample += chunk
        else:
            consumed += len(chunk)
        if len(sample) >= _SAMPLE:
            break
    return consumed, sample[:_SAMPLE]


def _wide(sample: bytes, encoding: str) -> list[str] | None:
    """The letters that are no ASCII; None when it is not this encoding."""
    try:
        return _WIDE.findall(codecs.getincrementaldecoder(encoding)("strict").decode(sample))
    except UnicodeDecodeError:
        return None


def _share(letters: list[str], common: frozenset[str]) -> float:
    return sum(letter in common for letter in letters) / len(letters) if letters else 0.0
