"""Where the table is on a sheet: title rows above it, one or two header rows, merged cells, notes and sums. Pure.

Rows are counted from 1, as Excel shows them. Nothing is dropped in silence: a row that looks like data but stands
under the notes refuses the sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import RecordRefused

#: First cells that begin the notes under a table, and first cells of rows that only add up others.
NOTE_STARTS: Final = ("注：", "注:", "备注：", "备注:", "说明：", "说明:", "填表", "制表", "审核", "数据来源", "来源：")
SUM_STARTS: Final = ("合计", "总计", "小计", "合 计", "总 计")
#: A header is looked for so far down; a row is the table's when it fills this share of the width.
_SEARCHED_ROWS: Final = 40
#: So many rows are looked at to find out how a sheet is laid out.
HEAD_ROWS: Final = 100
_MOST_NOTES: Final = 100
_FILLED: Final = 0.6

_STATEMENT: Final = re.compile(r"[：:]\s*\S")

Range = tuple[tuple[int, int], tuple[int, int]]
#: So many cells of a merged range can stand in one row; more ranges at once lie over one another.
_MOST_AT_ONCE: Final = 16_384


@dataclass(slots=True)
class Sheet:
    """The first rows of a sheet, and its merged ranges as ``((row, column), (row, column))`` counted from 0."""

    name: str
    cells: list[list[Any]]
    merged: Sequence[Range] = ()
    _filled: list[list[Any]] | None = field(default=None, repr=False)

    @property
    def filled(self) -> list[list[Any]]:
        """Cells with the value of a merged range in each of its cells."""
        if self._filled is None:
            self._filled = [full for _bare, full in fill(self.cells, self.merged)]
        return self._filled


def fill(rows: Iterable[list[Any]], merged: Sequence[Range]) -> Iterator[tuple[list[Any], list[Any]]]:
    """Each row as it is, and with the value of a merged range in each of its cells.

    Raises:
        RecordRefused: so many ranges reach over one row that they lie over one another.
    """
    begins: dict[int, list[Range]] = {}
    for place in merged:
        begins.setdefault(place[0][0], []).append(place)
    active: list[tuple[int, int, int, Any]] = []
    for number, row in enumerate(rows):
        if active:
            active = [one for one in active if one[0] >= number]
        for (_top, left), (bottom, right) in begins.get(number, ()):
            if left < len(row):
                active.append((bottom, left, right, row[left]))
        if len(active) > _MOST_AT_ONCE:
            raise RecordRefused([Finding("record-unreadable", row=number + 1, params={"reason": "merged cells"})])
        full = list(row) if active else row
        for _bottom, left, right, value in active:
            full[left : right + 1] = [value] * len(full[left : right + 1])
        yield row, full


@dataclass(frozen=True, slots=True)
class Layout:
    """``header_rows`` counted from 1; ``columns`` by position, empty text where there is none."""

    header_rows: tuple[int, ...]
    columns: tuple[str, ...]
    title: str

    @property
    def width(self) -> int:
        return sum(bool(name) for name in self.columns)

    def notes(self, rows: Iterable[list[Any]], merged: Sequence[Range], ends: Sequence[str]) -> list[str]:
        """Texts under the table; ``rows`` are all of the sheet."""
        notes: list[str] = []
        for _number, row, _full, in_table in self._below_header(rows, merged, ends):
            if not in_table and len(notes) < _MOST_NOTES:
                notes += [text for text in (_text(cell) for cell in row) if text]
        return notes[:_MOST_NOTES]

    def rows(
        self, rows: Iterable[list[Any]], merged: Sequence[Range], ends: Sequence[str], skipped: Sequence[str]
    ) -> Iterator[dict[str, object]]:
        """The rows of the table, without empty ones and without sums; ``rows`` are all of the sheet.

        A row whose every cell belongs to a range that begins above it is no other row than that one.

        Raises:
            RecordRefused: rows that look like data stand under the notes.
        """
        for number, row, full, in_table in self._below_header(rows, merged, ends):
            if not in_table:
                if self.width >= 3 and _count(row) >= max(3, self.width * _FILLED):
                    raise RecordRefused([Finding("rows-after-notes", row=number)])
            elif _count(row) and not _text(full[0]).startswith(tuple(skipped)):
                yield {
                    name: full[place] if place < len(full) else None for place, name in enumerate(self.columns) if name
                }

    def _below_header(
        self, rows: Iterable[list[Any]], merged: Sequence[Range], ends: Sequence[str]
    ) -> Iterator[tuple[int, list[Any], list[Any], bool]]:
        """Number, cells, cells with merged ranges filled in, and whether the row stands above the notes."""
        in_table = True
        labels = {top for (top, left), (bottom, _right) in merged if left == 0 and bottom > top}
        for number, (row, full) in enumerate(fill(rows, merged), 1):
            if number <= self.header_rows[-1]:
                continue
            in_table = in_table and not self._is_note(row, number - 1 in labels, ends)
            yield number, row, full, in_table

    def _is_note(self, row: list[Any], is_label: bool, ends: Sequence[str]) -> bool:
        first = _text(row[0]) if row else ""
        if first.startswith(tuple(ends)):
            return True
        # one text alone, in a table of some width, is a remark, unless it is a label of merged rows
        return bool(first) and self.width >= 3 and not is_label and _count(row) == 1


def find_layout(sheet: Sheet, declared: Sequence[int] | None, join: str) -> Layout:
    """The layout of a sheet; ``declared`` header rows are believed, otherwise they are found.

    Raises:
        RecordRefused: no header was found.
    """
    rows = tuple(declared) if declared else _find_header(sheet)
    if not rows or min(rows) < 1 or max(rows) > len(sheet.cells):
        raise RecordRefused([Finding("header-not-found", value=sheet.name)])
    columns = _columns(sheet, rows, join)
    if not any(columns):
        raise RecordRefused([Finding("header-not-found", value=sheet.name)])
    title = " ".join(text for row in sheet.cells[: rows[0] - 1] for text in (_text(cell) for cell in row) if text)
    return Layout(rows, columns, title)


def _find_header(sheet: Sheet) -> tuple[int, ...]:
    """The first row of texts that is about as wide as the table; with the next one when merged cells bind them."""
    rows = sheet.filled[:_SEARCHED_ROWS]
    width = max((_count(row) for row in sheet.cells[:_SEARCHED_ROWS]), default=0)
    enough = max(2, width * _FILLED)
    for index, row in enumerate(rows):
        parent = _is_parent(sheet, index)
        # a merged title fills the width too, but has one text only; a parent header binds the row below it
        wide = _count(sheet.cells[index]) >= enough or (parent and _count(row) >= enough)
        texts = [cell for cell in row if cell not in (None, "")]
        if wide and all(isinstance(cell, str) for cell in texts) and not _says(texts):
            return (index + 1, index + 2) if parent else (index + 1,)
    return ()


def _says(texts: Sequence[str]) -> bool:
    """Whether a row says things about the table (填报单位：市安监局, 单位：家) rather than naming columns."""
    return 2 * sum(_STATEMENT.search(text) is not None for text in texts) > len(texts)


def _is_parent(sheet: Sheet, index: int) -> bool:
    """A row of which some cells span columns while others span down, or have texts of their own below them."""
    if index + 1 >= len(sheet.cells):
        return False
    across = [r for r in sheet.merged if r[0][0] == index == r[1][0] and r[1][1] > r[0][1]]
    if not across or (len(across) == 1 and across[0][1][1] - across[0][0][1] + 1 >= len(sheet.cells[index])):
        return False
    below = sheet.cells[index + 1]
    return all(
        any(_text(cell) and isinstance(cell, str) for cell in below[left : right + 1])
        for (_top, left), (_bottom, right) in across
    )


def _columns(sheet: Sheet, rows: Sequence[int], join: str) -> tuple[str, ...]:
    width = max(len(sheet.filled[row - 1]) for row in rows)
    names: list[str] = []
    for place in range(width):
        parts: list[str] = []
        for row in rows:
            cells = sheet.filled[row - 1]
            text = "".join(_text(cells[place]).split()) if place < len(cells) else ""
            if text and (not parts or parts[-1] != text):
                parts.append(text)
        names.append(join.join(parts))
    return tuple(unique(names))


def unique(names: Iterable[str]) -> list[str]:
    """Names of columns, each once: one that stands twice gets a number behind it. Empty ones stay empty."""
    found: list[str] = []
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for base in names:
        name = base
        while name and name in taken:
            counts[base] = counts.get(base, 1) + 1
            name = f"{base}_{counts[base]}"
        taken.add(name)
        found.append(name)
    return found


def column_names(header: Sequence[object]) -> list[str]:
    """Names of the columns; one without a name gets its number, one that stands twice a number behind it."""
    return unique(str(cell).replace("\ufeff", "").strip() or f"列{place}" for place, cell in enumerate(header, 1))


def _count(row: Sequence[Any]) -> int:
    return sum(cell not in (None, "") and bool(_text(cell)) for cell in row)


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():  # a year as the name of a column
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
