"""Which column of a file is which item of its entry.

The closest way wins for each column of the file, in this order: the item's label, its column id, both without regard
to width, spaces, letter case and signs that mark a column, and at last the label with the item's unit behind it
(``金额（万元）``). A column that fits no item is left out and told; one whose item is not public is left out too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .findings import Finding
from .items import Item
from .text_rules import shown

#: What does not tell two headers apart: white space, and marks of spreadsheets and templates for “must be filled in”.
_IGNORED: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff*★※:]+")
_BRACKETS: Final = str.maketrans("[]{}<>【】〔〕", "()()()()()")
#: ``浓度(μg/m3)``: a name, and a unit in brackets at its end.
_WITH_UNIT: Final = re.compile(r"(.+)\(([^()]+)\)")


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """``positions``: for each item, in order, the place of its column in the file counted from 0; None without one.

    ``findings`` are of the kinds ``table-column-missing``, ``table-column-extra``, ``table-column-duplicate`` and
    ``table-column-closed``; which of them stop a load, the rules of the entry's checks say.
    """

    items: tuple[Item, ...]
    positions: tuple[int | None, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def missing(self) -> tuple[Item, ...]:
        """Items that the file has no column for."""
        return tuple(item for item, place in zip(self.items, self.positions, strict=True) if place is None)

    def cells(self, row: Sequence[object]) -> list[object]:
        """The cells of a row of the file in the order of the items; None where there is no column, or no cell."""
        return [row[place] if place is not None and place < len(row) else None for place in self.positions]


def match_columns(header: Sequence[object], items: Sequence[Item], closed: Sequence[Item] = ()) -> ColumnMatch:
    """Match the header of a file with the public items of its entry; ``closed`` are those that are not public."""
    known = (*items, *closed)
    ways = _Ways(known)
    found: dict[int, list[tuple[int, int]]] = {}
    for place, name in enumerate(header):
        rank, which = ways.find("" if name is None else str(name))
        if which is not None:
            found.setdefault(which, []).append((rank, place))
    best = {which: [place for rank, place in fits if rank == min(fits)[0]] for which, fits in found.items()}
    positions = tuple(best[which][0] if which in best else None for which in range(len(items)))
    missing = (item for item, place in zip(items, positions, strict=True) if place is None)
    findings = (
        *(Finding("table-column-missing", column=item.name, value=item.column) for item in missing),
        *_twice(known, best, header),
        *_left_out(header, known, best, len(items)),
    )
    return ColumnMatch(tuple(items), positions, findings)


def normalised(name: str) -> str:
    """A header without what does not tell two headers apart."""
    folded = unicodedata.normalize("NFKC", name).casefold().translate(_BRACKETS)
    return _IGNORED.sub("", folded)


class _Ways:
    """The ways to an item, the closest first: text of the header → number of the item."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._ways = (
            _way(item.name.strip() for item in items),
            _way(item.column for item in items),
            _way(normalised(item.name) for item in items),
            _way(normalised(item.column) for item in items),
        )
        self._units = [normalised(item.unit) for item in items]

    def find(self, name: str) -> tuple[int, int | None]:
        """Rank of the way (the smaller, the closer) and number of the item; None when it is none."""
        exact, alike = name.strip(), normalised(name)
        for rank, (way, text) in enumerate(zip(self._ways, (exact, exact, alike, alike), strict=True)):
            if (which := way.get(text)) is not None:
                return rank, which
        split = _WITH_UNIT.fullmatch(alike)
        which = self._ways[2].get(split[1]) if split is not None else None
        if split is not None and which is not None and self._units[which] == split[2]:
            return len(self._ways), which
        return len(self._ways), None


def _way(texts: Iterable[str]) -> dict[str, int]:
    """Of two alike the first; without a text there is no way."""
    way: dict[str, int] = {}
    for number, text in enumerate(texts):
        if text:
            way.setdefault(text, number)
    return way


def _twice(items: Sequence[Item], best: Mapping[int, Sequence[int]], header: Sequence[object]) -> Iterator[Finding]:
    """Columns that fit an item equally well: nobody can say which is meant."""
    for which, places in sorted(best.items()):
        if len(places) > 1:
            params = {"first": places[0] + 1, "second": places[1] + 1, "count": len(places)}
            value = shown(header[places[1]])
            yield Finding("table-column-duplicate", column=items[which].name, value=value, params=params)


def _left_out(
    header: Sequence[object], items: Sequence[Item], best: Mapping[int, Sequence[int]], public: int
) -> Iterator[Finding]:
    """Columns that nobody asked for; one without a name at the end of a sheet is nothing to tell of."""
    fits = {place: which for which, places in best.items() for place in places}
    for place, name in enumerate(header):
        text = "" if name is None else str(name).strip()
        which = fits.get(place)
        if which is not None and which >= public:
            yield Finding("table-column-closed", column=items[which].name, params={"place": place + 1})
        elif which is None and text:
            yield Finding("table-column-extra", column=shown(text), params={"place": place + 1})
