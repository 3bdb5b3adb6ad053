"""When two titles are the same title: the guide counts stray spaces and punctuation as no difference."""

from __future__ import annotations

import hashlib
import unicodedata

#: Unicode general categories that do not tell two titles apart: punctuation, separators, control and format characters.
_IGNORED = ("P", "Z", "C")
#: A name that ends so names a system, not the data in it (the commonest filing error).
_SYSTEM_ENDINGS = ("系统", "平台")
#: Bytes; a PostgreSQL index takes a row of at most 2,704.
_LONGEST_KEY = 1000


def normalise_title(title: str) -> str:
    """The key that titles are compared by: width, case, spaces and punctuation make no difference.

    >>> normalise_title("空气质量（小时） 数据") == normalise_title("空气质量(小时)数据")
    True
    """
    key = title
    while True:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold())
        shorter = "".join(letter for letter in folded if unicodedata.category(letter)[0] not in _IGNORED)
        # taking a letter out can bring two together that compose, so again until nothing moves
        if shorter == key:
            return key
        key = shorter


def title_key(title: str) -> str:
    """The normalised title as a key of bounded length: what is too long for a database index becomes its digest."""
    key = normalise_title(title)
    encoded = key.encode()
    return key if len(encoded) <= _LONGEST_KEY else f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def names_a_system(title: str) -> bool:
    """Whether a title is the name of a system (ends with 系统 or 平台)."""
    return normalise_title(title).endswith(_SYSTEM_ENDINGS)
