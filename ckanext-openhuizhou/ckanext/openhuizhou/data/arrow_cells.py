"""Typing of a column of texts as a whole: what is in its final form already passes, the rest goes to the converters.

The cells of a file arrive as Arrow arrays. Most of them are in the form that ``domain.cell_types`` would give them; one
pass of RE2 over the array tells. Only the others are converted one by one, each different text once, by the same
converters as every other row, so that both ways give the same table. An empty text stands for “no value” here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa

from ckanext.openhuizhou.data.arrow import pc
from ckanext.openhuizhou.data.row_checks import is_outside
from ckanext.openhuizhou.domain import pii
from ckanext.openhuizhou.domain.cell_types import NULL_TEXTS, Converter
from ckanext.openhuizhou.domain.cell_units import FIGURES, TEXTUAL

#: Every day but 29 February.
_DAY: Final = r"-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_CLOCK: Final = r" (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_NUMBER: Final = r"^(?:[+-]?[0-9]+(?:\.[0-9]+)?)?$"
#: The form in which a converter leaves a text as it is (or nothing). Moments of years in which the city's clocks were
#: put forward are left to it.
_FINAL: Final = {
    "integer": r"^(?:0|-?[1-9][0-9]{0,17})?$",
    "number": _NUMBER,
    "currency": _NUMBER,
    "date": rf"^(?:[1-9][0-9]{{3}}{_DAY})?$",
    "datetime": rf"^(?:(?:199[2-9]|20[0-9]{{2}}){_DAY}{_CLOCK}\+08:00)?$",
    "boolean": r"^(?:true|false)?$",
}
#: … and the form of a moment that lacks nothing but its zone.
_WITHOUT_ZONE: Final = rf"^(?:199[2-9]|20[0-9]{{2}}){_DAY}{_CLOCK}$"
_ZONE: Final = "+08:00"
#: Texts that somebody has to look at: what CSV quotes, what may be a formula, what may be a person's number.
_NOTEWORTHY: Final = rf'[",\r\n]|^[=+\-@]|{pii.MAY_BE_NUMBER}'
_QUOTED: Final = '[",\r\n]'
_SHORTENED: Final = r"^[+-]?[0-9](?:\.[0-9]+)?E\+[0-9]{2,3}$"
_NOTHING: Final = pa.array(sorted(NULL_TEXTS), pa.string())
#: Converted texts that a column remembers.
_REMEMBERED: Final = 50_000

#: A cell that its converter refuses: its offset in the batch, and its text.
Refused = Callable[[int, str], None]


class ArrayTyper:
    """Types the arrays of one column, batch by batch."""

    def __init__(self, data_type: str, convert: Converter) -> None:
        self._data_type = data_type
        self._convert = convert
        self._known: dict[str, str] = {}

    def typed(self, array: pa.StringArray, refused: Refused) -> pa.StringArray:
        """The final texts; a refused cell is told and becomes empty."""
        if self._data_type in TEXTUAL:
            return self._texts(array, refused)
        if self._data_type == "datetime":
            array, done = self._with_zone(array)
            if done:
                return array
        odd = pc.invert(pc.match_substring_regex(array, _FINAL[self._data_type]))
        return self._converted(array, odd, refused)

    def _texts(self, array: pa.StringArray, refused: Refused) -> pa.StringArray:
        array = pc.utf8_trim_whitespace(array)
        array = _put(array, pc.is_in(array, _NOTHING), "")
        return self._converted(array, pc.match_substring_regex(array, _SHORTENED), refused)

    def _with_zone(self, array: pa.StringArray) -> tuple[pa.StringArray, bool]:
        """Moments that lack their zone get it; True when there is nothing else."""
        bare = pc.match_substring_regex(array, _WITHOUT_ZONE)
        if not pc.any(bare).as_py():
            return array, False
        zoned = pc.binary_join_element_wise(array, _ZONE, "")
        every = pc.all(bare).as_py()
        return zoned if every else pc.if_else(bare, zoned, array), every

    def _converted(self, array: pa.StringArray, odd: pa.BooleanArray, refused: Refused) -> pa.StringArray:
        if not pc.any(odd).as_py():
            return array
        different = array.filter(odd).dictionary_encode()
        cells = different.dictionary.to_pylist()
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        known = self._known
        for text in cells:
            if text not in known:
                try:
                    known[text] = self._convert(text) or ""
                except ValueError:
                    continue
        texts = pa.array([known.get(text, "") for text in cells], pa.string())
        if not all(text in known for text in cells):
            self._tell(odd, different, refused)
        return pc.replace_with_mask(array, odd, texts.take(different.indices))

    def _tell(self, odd: pa.BooleanArray, different: pa.DictionaryArray, refused: Refused) -> None:
        places = pc.indices_nonzero(odd).to_pylist()
        for offset, text in zip(places, different.to_pylist(), strict=True):
            if text not in self._known:
                refused(offset, text)


def _put(array: pa.StringArray, where: pa.BooleanArray, text: str) -> pa.StringArray:
    return pc.if_else(where, text, array) if pc.any(where).as_py() else array


class Noteworthy:
    """The cells of a typed array that somebody has to look at one by one; for most arrays there are none."""

    def __init__(self, array: pa.StringArray, data_type: str) -> None:
        self.values = pc.sum(pc.not_equal(array, "")).as_py() or 0
        self.offsets: list[int] = []
        self.cells: list[str] = []
        # of a figure nothing but its length can be noteworthy
        if data_type in FIGURES and (pc.max(pc.binary_length(array)).as_py() or 0) < 11:
            return
        found = pc.match_substring_regex(array, _NOTEWORTHY)
        if pc.any(found).as_py():
            self.offsets = pc.indices_nonzero(found).to_pylist()
            self.cells = array.filter(found).to_pylist()


def quoted(array: pa.StringArray) -> pa.StringArray:
    """As ``csv.writer`` quotes: only what would break a row."""
    special = pc.match_substring_regex(array, _QUOTED)
    if not pc.any(special).as_py():
        return array
    doubled = pc.replace_substring(array, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), array)


def as_lines(columns: Sequence[pa.StringArray]) -> memoryview:
    """The lines of a CSV file, each with its end. ``columns`` are quoted where they have to be."""
    lines = pc.binary_join_element_wise(*columns, ",")
    lines = pc.binary_join_element_wise(lines, "", "\r\n")
    _validity, offsets, text = lines.buffers()
    ends = memoryview(offsets).cast("i")
    return memoryview(text)[ends[lines.offset] : ends[lines.offset + len(lines)]]


class ArrowCells:
    """``row_checks.Cells`` of an array."""

    __slots__ = ("_array",)

    def __init__(self, array: pa.StringArray) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, offset: int, /) -> str | None:
        return self._array[offset].as_py() or None

    def to_list(self) -> list[str | None]:
        return [text or None for text in self._array.to_pylist()]

    def empty(self) -> Sequence[int]:
        return _places(pc.equal(self._array, ""))

    def longer_than(self, most: int) -> Sequence[int]:
        return _places(pc.greater(pc.utf8_length(self._array), most))

    def not_among(self, values: frozenset[str]) -> Sequence[int]:
        known = pa.array([*values, ""], pa.string())
        return _places(pc.invert(pc.is_in(self._array, known)))

    def outside(self, least: str | None, most: str | None, *, numeric: bool) -> Sequence[int]:
        if numeric:
            return self._figures_outside(least, most)
        wrong = [pc.less(self._array, least)] if least is not None else []
        wrong += [pc.greater(self._array, most)] if most is not None else []
        if not wrong:
            return []
        either = wrong[0] if len(wrong) == 1 else pc.or_(*wrong)
        return _places(pc.and_(either, pc.not_equal(self._array, "")))

    def _figures_outside(self, least: str | None, most: str | None) -> Sequence[int]:
        """Binary fractions tell which cells may be outside, for rounding keeps the order; their texts, which are."""
        broken = is_outside(least, most, numeric=True)
        try:
            figures = pc.cast(pc.if_else(pc.equal(self._array, ""), None, self._array), pa.float64())
        except pa.ArrowInvalid:  # a form that Arrow does not read, as “+5”
            return self.where(broken)
        near = [pc.less_equal(figures, float(least))] if least is not None else []
        near += [pc.greater_equal(figures, float(most))] if most is not None else []
        if not near:
            return []
        places = _places(pc.fill_null(near[0] if len(near) == 1 else pc.or_(*near), False))
        texts = self._array.take(pa.array(places, pa.int64())).to_pylist() if places else []
        wrong = {text for text in set(texts) if broken(text)}
        return [place for place, text in zip(places, texts, strict=True) if text in wrong]

    def where(self, broken: Callable[[str], bool]) -> Sequence[int]:
        wrong = [text for text in pc.unique(self._array).to_pylist() if text and broken(text)]
        return _places(pc.is_in(self._array, pa.array(wrong, pa.string()))) if wrong else []

    def holding(self, letters: str) -> Sequence[int]:
        one_of = f"[{letters}]"
        if pc.all(pc.string_is_ascii(self._array)).as_py() or not _found(self._joined(), one_of):
            return []
        return _places(pc.match_substring_regex(self._array, one_of))

    def _joined(self) -> pa.LargeStringArray:
        """All texts as one, where they lie: a search in it begins once and not once for each cell."""
        _validity, offsets, texts = self._array.buffers()
        ends = memoryview(offsets).cast("i")
        start, end = ends[self._array.offset], ends[self._array.offset + len(self._array)]
        whole = pa.array([0, end - start], pa.int64()).buffers()[1]
        return pa.LargeStringArray.from_buffers(1, whole, texts.slice(start, end - start))

    def unlike(self, pattern: str) -> Sequence[int]:
        unlike = pc.invert(pc.match_substring_regex(self._array, pattern))
        return _places(pc.and_(unlike, pc.not_equal(self._array, "")))


def _found(array: pa.LargeStringArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(array, pattern)).as_py())


def _places(mask: Any) -> list[int]:
    return pc.indices_nonzero(mask).to_pylist() if pc.any(mask).as_py() else []
