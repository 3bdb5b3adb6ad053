"""The checks of the cells of one column, batch by batch. Each is one question to the batch (``row_checks.Cells``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ckanext.openhuizhou.data.row_checks import Cells
from ckanext.openhuizhou.data.staging import shortened
from ckanext.openhuizhou.domain import mojibake
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.item_values import NUMERIC, TEXTUAL, allowed_texts, limit_text, pattern_of
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.table_checks import MOST_PLACES, Level, Rule, Tally

#: From a batch to the offsets of the cells that are wrong.
Find = Callable[[Cells], Sequence[int]]


@dataclass(slots=True)
class Question:
    """One check of one column. ``params`` of a wrong cell's finding, from its text."""

    kind: str
    find: Find
    tally: Tally
    params: Callable[[str], dict[str, Any]]

    def ask(self, cells: Cells, first_row: int) -> None:
        """Count what is wrong in a batch, and keep it while there is room."""
        offsets = self.find(cells)
        kept = offsets[: max(MOST_PLACES - len(self.tally.findings), 0)]
        for offset in kept:
            text = cells[offset]
            self.tally.findings.append(
                Finding(
                    self.kind,
                    row=first_row + offset,
                    column=self.tally.column,
                    value=None if text is None else shortened(text),
                    params=self.params(text or ""),
                )
            )
        self.tally.count += len(offsets)


@dataclass(slots=True)
class ColumnCheck:
    """All checks of one column; ``rows`` counts what went through."""

    item: Item
    questions: list[Question] = field(default_factory=list)
    rows: int = 0

    @classmethod
    def of(cls, item: Item, rules: Mapping[str, Rule]) -> ColumnCheck:
        """The questions that this item gives reason to ask, without those that nobody wants to know."""
        asked = [(check, make(item)) for check, make in _CHECKS.items() if rules[check].level != Level.IGNORE]
        questions = [
            Question(made[0], made[1], Tally(check, item.name), made[2]) for check, made in asked if made is not None
        ]
        return cls(item, questions)

    @property
    def tallies(self) -> list[Tally]:
        return [question.tally for question in self.questions]

    def feed(self, cells: Cells, first_row: int) -> None:
        """Look at one batch; ``first_row`` is the number of its first row, counted from 1."""
        self.rows += len(cells)
        for question in self.questions:
            question.ask(cells, first_row)


_Made = tuple[str, Find, Callable[[str], dict[str, Any]]] | None


def _none(text: str) -> dict[str, Any]:  # noqa: ARG001 - the signature of all
    return {}


def _required(item: Item) -> _Made:
    if not (item.required or item.is_key):
        return None
    return "cell-empty", lambda cells: cells.empty(), _none


def _length(item: Item) -> _Made:
    """Of texts; the length of a number is that of a database column, and says nothing of a figure."""
    most = item.length
    if most is None or item.data_type not in TEXTUAL:
        return None
    return "cell-length", lambda cells: cells.longer_than(most), lambda text: {"length": len(text), "most": most}


def _code_list(item: Item) -> _Made:
    allowed = allowed_texts(item)
    if not allowed:
        return None
    return "cell-code", lambda cells: cells.not_among(allowed), _none


def _range(item: Item) -> _Made:
    """Limits that cannot be read check nothing; the rules of an entry do not let them in."""
    try:
        least, most = limit_text(item, item.minimum), limit_text(item, item.maximum)
    except ValueError:
        return None
    if least is None and most is None:
        return None
    numeric = item.data_type in NUMERIC
    limits = {"limits": f"{item.minimum or '…'} – {item.maximum or '…'}"}
    return "cell-range", lambda cells: cells.outside(least, most, numeric=numeric), lambda _text: dict(limits)


def _pattern(item: Item) -> _Made:
    try:
        pattern = pattern_of(item)
    except ValueError:
        return None
    if pattern is None:
        return None
    return "cell-pattern", lambda cells: cells.unlike(pattern), lambda _text: {"pattern": item.pattern}


def _encoding(item: Item) -> _Made:
    if item.data_type not in TEXTUAL:
        return None
    return "cell-mojibake", _damaged, _meant


def _damaged(cells: Cells) -> list[int]:
    return [place for place in cells.holding(mojibake.MARKS) if mojibake.damage(cells[place] or "") is not None]


def _meant(text: str) -> dict[str, Any]:
    found = mojibake.damage(text)
    return {} if found is None or found.meant is None else {"meant": shortened(found.meant)}


_CHECKS: Mapping[str, Callable[[Item], _Made]] = {
    "required": _required,
    "length": _length,
    "code-list": _code_list,
    "range": _range,
    "pattern": _pattern,
    "encoding": _encoding,
}
