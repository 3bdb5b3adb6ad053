"""What may look at a table while it is staged: each typed batch of each column, and the staging table as a whole.

The pass over the rows knows nothing of rules. It hands every batch of a column to the column's ``RowCheck``, if it has
one, and the filled staging table to ``TableChecks.look_at_table``, in the transaction that fills it. Whatever refuses
the table is asked for twice: after the rows, before anything is copied for good, and after the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cache
from typing import Protocol

import pyarrow as pa
import sqlalchemy as sa

from ckanext.openhuizhou.data.arrow import pc
from ckanext.openhuizhou.domain.column_match import ColumnMatch
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.table_checks import Level, Tally, judge, rules_with


class Cells(Protocol):
    """The cells of one column in one batch, as text in the form of ``domain.cell_types``; None for no value.

    The questions answer with offsets in the batch, in order. Cells without a value are in none of the answers but that
    of ``empty``. They are far quicker than a loop over the cells: ask these for every batch, and cells one by one only
    for what they find.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, offset: int, /) -> str | None: ...

    def to_list(self) -> list[str | None]: ...

    def empty(self) -> Sequence[int]:
        """Cells without a value."""
        ...

    def longer_than(self, most: int) -> Sequence[int]:
        """Cells of more characters."""
        ...

    def not_among(self, values: frozenset[str]) -> Sequence[int]:
        """Cells that say something else than one of ``values``."""
        ...

    def outside(self, least: str | None, most: str | None, *, numeric: bool) -> Sequence[int]:
        """Cells below ``least`` or above ``most``; compared as numbers, or as texts (which suits dates and moments of
        one offset)."""
        ...

    def where(self, broken: Callable[[str], bool]) -> Sequence[int]:
        """Cells whose text is ``broken``; it is asked once for each different text of the batch."""
        ...

    def holding(self, letters: str) -> Sequence[int]:
        """Cells with one of these characters."""
        ...

    def unlike(self, pattern: str) -> Sequence[int]:
        """Cells in which nothing is found by this regular expression of RE2."""
        ...


class RowCheck(Protocol):
    """Looks at one column. ``first_row`` is the number of the batch's first row, counted from 1 without the header."""

    def feed(self, cells: Cells, first_row: int) -> None: ...


class TableChecks(Protocol):
    """The checks of one load. A new one for each load, for they count."""

    def of_column(self, item: Item) -> RowCheck | None:
        """What looks at this column; None for nothing."""
        ...

    def header(self, match: ColumnMatch) -> None:
        """The columns of a file were matched with the items; asked for refusals right after."""
        ...

    def found(self, tally: Tally) -> None:
        """What the pass counts by itself: cells that do not fit their type, formulas."""
        ...

    def refuses_any(self, check: str) -> bool:
        """Whether a single finding of this check refuses the table."""
        ...

    def look_at_table(self, connection: sa.Connection, table: str, items: Sequence[Item]) -> None:
        """The staging table is filled and analysed. ``table`` is its quoted name; nobody else sees it yet.

        Not called when exactly this table is live already.
        """
        ...

    def refusals(self) -> Iterable[Finding]:
        """All that refuses the table, as far as is known."""
        ...

    def findings(self) -> Iterable[Finding]:
        """What is to be told of a table that is not refused."""
        ...


class NoChecks:
    """For tables that nobody has rules for: what the pass itself finds refuses them."""

    def __init__(self) -> None:
        self._found: list[Tally] = []
        self._header: tuple[Finding, ...] = ()

    def header(self, match: ColumnMatch) -> None:
        self._header = match.findings

    def of_column(self, item: Item) -> RowCheck | None:  # noqa: ARG002
        return None

    def found(self, tally: Tally) -> None:
        self._found.append(tally)

    def refuses_any(self, check: str) -> bool:  # noqa: ARG002
        return True

    def look_at_table(self, connection: sa.Connection, table: str, items: Sequence[Item]) -> None:
        pass

    def refusals(self) -> Iterable[Finding]:
        wrong = [finding for finding in self._header if finding.severity == "error"]
        return [*wrong, *judge(self._found, 0, rules_with({})).findings(Level.REFUSE)]

    def findings(self) -> Iterable[Finding]:
        return [finding for finding in self._header if finding.severity != "error"]


class SeenBefore(NoChecks):
    """For rows that were checked before they came here: what was let pass then is let pass."""

    def found(self, tally: Tally) -> None:
        pass


class ListCells:
    """``Cells`` of a list."""

    __slots__ = ("_cells",)

    def __init__(self, cells: Sequence[str | None]) -> None:
        self._cells = cells

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, offset: int, /) -> str | None:
        return self._cells[offset]

    def to_list(self) -> list[str | None]:
        return list(self._cells)

    def empty(self) -> Sequence[int]:
        return [offset for offset, cell in enumerate(self._cells) if not cell]

    def longer_than(self, most: int) -> Sequence[int]:
        return [offset for offset, cell in enumerate(self._cells) if cell and len(cell) > most]

    def not_among(self, values: frozenset[str]) -> Sequence[int]:
        return [offset for offset, cell in enumerate(self._cells) if cell and cell not in values]

    def outside(self, least: str | None, most: str | None, *, numeric: bool) -> Sequence[int]:
        return self.where(is_outside(least, most, numeric=numeric))

    def where(self, broken: Callable[[str], bool]) -> Sequence[int]:
        wrong = {text for text in set(self._cells) if text and broken(text)}
        return [offset for offset, cell in enumerate(self._cells) if cell in wrong] if wrong else []

    def holding(self, letters: str) -> Sequence[int]:
        found = _one_of(letters)
        if found.search("".join(cell for cell in self._cells if cell)) is None:
            return []
        return [offset for offset, cell in enumerate(self._cells) if cell and found.search(cell)]

    def unlike(self, pattern: str) -> Sequence[int]:
        texts = [text for text in set(self._cells) if text]
        if not texts:
            return []
        # half a character, which UTF-8 cannot write, fits no pattern that asks for one
        array = pa.array([text.encode("utf-8", "replace") for text in texts], pa.binary()).cast(pa.string())
        fits = pc.match_substring_regex(array, pattern).to_pylist()
        wrong = {text for text, fit in zip(texts, fits, strict=True) if not fit}
        return [offset for offset, cell in enumerate(self._cells) if cell in wrong] if wrong else []


@cache
def _one_of(letters: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(letters)}]")


def is_outside(least: str | None, most: str | None, *, numeric: bool) -> Callable[[str], bool]:
    """The question of ``Cells.outside`` for one text."""
    if not numeric:
        return lambda text: (least is not None and text < least) or (most is not None and text > most)
    low = None if least is None else Decimal(least)
    high = None if most is None else Decimal(most)
    return lambda text: (low is not None and Decimal(text) < low) or (high is not None and Decimal(text) > high)
