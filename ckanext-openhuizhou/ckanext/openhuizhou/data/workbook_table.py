"""The table of a workbook: its sheet, its header, its rows. How sheets are laid out, ``spreadsheet`` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, BinaryIO, Final

from ckanext.openhuizhou.data.spreadsheet import HEAD_ROWS, NOTE_STARTS, SUM_STARTS, Layout, Sheet, find_layout
from ckanext.openhuizhou.data.workbook import OpenSheet, open_sheet
from ckanext.openhuizhou.domain.column_match import ColumnMatch, match_columns
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import RecordRefused

MOST_COLUMNS: Final = 2000
BATCH_ROWS: Final = 2000
_JOIN: Final = "_"
_DAYS: Final = frozenset({"date", "datetime"})
#: Days from 1899-12-30, which Excel calls 0, to 1904-01-01, which old Macs call 0; and more than any real day.
_FROM_1904: Final = 1462
_LAST_DAY: Final = 100_000
#: Sheets that are looked through for the items' names.
_MOST_SHEETS: Final = 20


@dataclass(slots=True)
class WorkbookTable:
    columns: tuple[str, ...]
    match: ColumnMatch
    batches: Iterator[list[Sequence[object]]]


@contextmanager
def open_workbook(
    stream: BinaryIO, items: Sequence[Item], closed: Sequence[Item], wanted: str | int | None, header: int | None
) -> Iterator[WorkbookTable]:
    """The table on the sheet of that name or number, or on the first visible sheet that has the items' names.

    Raises:
        RecordRefused: it is no workbook, too large a one, or no table is found on it; also while rows are read.
    """
    with ExitStack() as opened:
        shown = opened.enter_context(_shown(stream, wanted, items, closed, header))
        if wanted is None and not shown.complete and len(shown.sheet.visible) > 1:
            better = _sheet_with(stream, shown, items, closed, header)
            if better is not None:
                opened.close()  # a sheet takes memory as long as it is open
                shown = opened.enter_context(_shown(stream, better, items, closed, header))
        yield shown.table(items)


@dataclass(slots=True)
class _Shown:
    """An open sheet and where its table is; ``layout`` is None when it has none."""

    sheet: OpenSheet
    head: list[list[Any]]
    layout: Layout | None
    match: ColumnMatch

    @property
    def complete(self) -> bool:
        return self.layout is not None and not self.match.missing

    def table(self, items: Sequence[Item]) -> WorkbookTable:
        if self.layout is None:
            raise RecordRefused([Finding("header-not-found", value=self.sheet.name)])
        rows = self.layout.rows(chain(self.head, self.sheet.rows), self.sheet.merged, NOTE_STARTS, SUM_STARTS)
        names = [name for name in self.layout.columns if name]
        days = [place for place, item in enumerate(items) if item.data_type in _DAYS] if self.sheet.from_1904 else []
        return WorkbookTable(tuple(names), self.match, _batches(rows, names, self.match, days))


@contextmanager
def _shown(
    stream: BinaryIO, wanted: str | int | None, items: Sequence[Item], closed: Sequence[Item], header: int | None
) -> Iterator[_Shown]:
    with open_sheet(stream, wanted) as sheet:
        head = list(islice(sheet.rows, HEAD_ROWS))
        yield _Shown(sheet, head, *_laid_out(sheet, head, items, closed, header))


def _sheet_with(
    stream: BinaryIO, first: _Shown, items: Sequence[Item], closed: Sequence[Item], header: int | None
) -> str | None:
    """The first visible sheet whose header has all items, else the one that has most of them; None when that is
    ``first``."""
    best, found = -1 if first.layout is None else len(items) - len(first.match.missing), None
    for name in first.sheet.visible[1:_MOST_SHEETS]:
        with _shown(stream, name, items, closed, header) as shown:
            matched = -1 if shown.layout is None else len(items) - len(shown.match.missing)
            if matched > best:
                best, found = matched, name
            if shown.complete:
                break
    return found


def _laid_out(
    sheet: OpenSheet, head: list[list[Any]], items: Sequence[Item], closed: Sequence[Item], header: int | None
) -> tuple[Layout | None, ColumnMatch]:
    """How the sheet is laid out: as it looks, or with another header row when that one has more of the items' names."""
    shown = Sheet(sheet.name, head, sheet.merged)
    best: tuple[Layout, ColumnMatch] | None = None
    missing = len(items) + 1
    for declared in [header] if header is not None else [None, *range(1, min(len(head), 40) + 1)]:
        try:
            layout = find_layout(shown, None if declared is None else [declared], _JOIN)
        except RecordRefused:
            continue
        match = match_columns([name for name in layout.columns if name], items, closed)
        if len(match.missing) < missing:
            best, missing = (layout, match), len(match.missing)
        if not missing:
            break
    if best is None:
        return None, match_columns([], items, closed)
    if best[0].width > MOST_COLUMNS:
        raise RecordRefused([Finding("columns-too-many", params={"count": best[0].width, "most": MOST_COLUMNS})])
    return best


def _batches(
    rows: Iterator[dict[str, object]], names: Sequence[str], match: ColumnMatch, days: Sequence[int]
) -> Iterator[list[Sequence[object]]]:
    """``days``: places of cells whose numbers count from 1904."""
    cells = [names[place] for place in match.positions if place is not None]
    while batch := [[row[name] for name in cells] for row in islice(rows, BATCH_ROWS)]:
        for row in batch if days else ():
            for place in days:
                row[place] = _from_1900(row[place])
        yield [*batch]


def _from_1900(cell: object) -> object:
    """A day of Excel that counts from 1904 as one that counts from 1900; 20180301 and the like are no such number."""
    return cell + _FROM_1904 if isinstance(cell, float) and 0 < cell < _LAST_DAY else cell
