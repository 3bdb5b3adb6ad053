"""The table of a text file: its dialect, its header, its rows.

Delimiter and header row are those with which the file has most of the items' names in one row; a detector that guesses
from frequencies has nothing to add to that. A row that is plain is read by Arrow with many others, any other by the
module ``csv``; both give the same cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.csv as arrow_csv

from ckanext.openhuizhou.data.arrow import pc
from ckanext.openhuizhou.data.csv_file import CsvFile
from ckanext.openhuizhou.data.spreadsheet import HEAD_ROWS, NOTE_STARTS, SUM_STARTS, column_names
from ckanext.openhuizhou.domain.column_match import ColumnMatch, match_columns
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import TableRefused
from ckanext.openhuizhou.transport import decoding

DELIMITERS: Final = (",", "\t", ";", "|", "｜", "，", "；")
MOST_COLUMNS: Final = 2000
#: Rows that are read one by one before many at once are tried again.
BATCH_ROWS: Final = 2000
_HEAD_BYTES: Final = 1 << 18
#: Wrong rows that are listed.
_LISTED: Final = 20
#: The first cell of a row that is none of the table, for RE2.
_NO_ROW: Final = rf"^\s*(?:(?:{'|'.join(SUM_STARTS)})\s*[:：]?\s*$|{'|'.join(NOTE_STARTS)})"


@dataclass(slots=True)
class TextTable:
    """A text file whose header was found; ``header_row`` is its number among the rows, from 1."""

    file: CsvFile
    header_row: int
    columns: tuple[str, ...]
    match: ColumnMatch
    _in_notes: bool = field(default=False, repr=False)
    _rows: int = field(default=0, repr=False)

    def batches(self) -> Iterator[list[Sequence[object]] | list[pa.StringArray]]:
        """The rows below the header, in the order of the items.

        Raises:
            TableRefused: rows of another width than the header, rows below the notes, or what is no CSV.
        """
        for _row in islice(self.file.rows(), self.header_row):
            pass
        while True:
            arrays = self._many()
            if arrays is not None:
                if len(arrays[0]):
                    self._rows += len(arrays[0])
                    yield arrays
                continue
            rows = list(islice(self.file.rows(), BATCH_ROWS))
            if not rows:
                return
            if kept := self._kept(rows):
                self._rows += len(kept)
                yield [self.match.cells(row) for row in kept]

    def _many(self) -> list[pa.StringArray] | None:
        """About a megabyte of rows, when they are plain rows of the table and nothing else."""
        if self._in_notes or len(self.columns) < 2:
            return None
        block = self.file.plain_rows()
        if block is None:
            return None
        names = [str(place) for place in range(len(self.columns))]
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(block),
                read_options=arrow_csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
                parse_options=arrow_csv.ParseOptions(delimiter=self.file.delimiter, newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    check_utf8=False, column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
        except pa.ArrowInvalid:
            return None  # rows of another width; they are told one by one
        arrays = [_one_array(column) for column in table.columns]
        if pc.any(pc.match_substring_regex(arrays[0], _NO_ROW)).as_py():
            return None
        self.file.taken(block)
        arrays = _without_blank_rows(arrays)
        # a column that is missing has refused the table before
        return [arrays[place] for place in self.match.positions if place is not None]

    def _kept(self, rows: Sequence[list[str]]) -> list[list[str]]:
        width = len(self.columns)
        kept: list[list[str]] = []
        wrong: list[Finding] = []
        for row in rows:
            if not row or (width > 1 and not any(cell.strip() for cell in row)):
                continue
            if self._is_no_row(row, self._rows + len(kept) + 1):
                continue
            if len(row) > width and not any(cell.strip() for cell in row[width:]):
                del row[width:]
            kept.append(row)
            if len(row) != width:
                number, params = self._rows + len(kept), {"count": len(row), "expected": width}
                wrong.append(Finding("row-width", row=number, params=params))
        if wrong:
            raise TableRefused(wrong[:_LISTED])
        return kept

    def _is_no_row(self, row: Sequence[str], number: int) -> bool:
        """A sum, a note, or what stands under the notes.

        Raises:
            TableRefused: under the notes there is what looks like a row.
        """
        first, rest = row[0].strip(), [cell for cell in row[1:] if cell.strip()]
        if self._in_notes:
            if len(self.columns) >= 3 and len(rest) + bool(first) >= max(3, len(self.columns) * 0.6):
                raise TableRefused([Finding("rows-after-notes", row=number)])
            return True
        if first.rstrip(":：").rstrip() in SUM_STARTS:
            return True
        self._in_notes = not rest and first.startswith(NOTE_STARTS) and len(self.columns) > 1
        return self._in_notes


def open_text(stream: BinaryIO, items: Sequence[Item], closed: Sequence[Item], header: int | None) -> TextTable:
    """Find the header of a text file.

    Raises:
        DecodingError: it is in no accepted encoding.
        TableRefused: it has no header, or too many columns.
    """
    encoding = decoding.detect(stream)
    head = decoding.head(stream, encoding, _HEAD_BYTES)
    best: tuple[int, int] = (-1, -1)
    found: tuple[str, int, list[str]] | None = None
    for delimiter in _delimiters(head):
        number, names = _header(head, delimiter, items, closed, header)
        score = (_matched(names, items, closed), len(names))
        if names and score > best:
            best, found = score, (delimiter, number, names)
    if found is None:
        raise TableRefused([Finding("header-not-found", value="")])
    delimiter, number, names = found
    if len(names) > MOST_COLUMNS:
        raise TableRefused([Finding("columns-too-many", params={"count": len(names), "most": MOST_COLUMNS})])
    return TextTable(CsvFile(stream, encoding, delimiter), number, tuple(names), match_columns(names, items, closed))


def _delimiters(head: str) -> list[str]:
    """Those that occur; a first line ``sep=;`` of a spreadsheet program settles it."""
    if head.startswith("sep=") and head[4:5]:
        return [head[4]]
    return [delimiter for delimiter in DELIMITERS if delimiter in head] or [","]


def _header(
    head: str, delimiter: str, items: Sequence[Item], closed: Sequence[Item], declared: int | None
) -> tuple[int, list[str]]:
    """Number and names of the row that holds most of the items' names; the first row with cells when none has any."""
    rows = _first_rows(head, delimiter)
    if declared is not None:
        chosen = rows[declared - 1] if 0 < declared <= len(rows) else []
        return declared, column_names(chosen) if any(cell.strip() for cell in chosen) else []
    best, found = -1, (0, [])
    for number, row in enumerate(rows, 1):
        if not any(cell.strip() for cell in row) or (number == 1 and head.startswith("sep=")):
            continue
        names = column_names(row)
        matched = _matched(names, items, closed)
        if matched > best:
            best, found = matched, (number, names)
    return found


def _first_rows(head: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in islice(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), HEAD_ROWS):
            rows.append(row)
    except csv.Error:
        pass
    return rows


def _matched(names: Sequence[str], items: Sequence[Item], closed: Sequence[Item]) -> int:
    return sum(place is not None for place in match_columns(names, items, closed).positions) if names else 0


def _one_array(column: pa.ChunkedArray) -> pa.StringArray:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _without_blank_rows(arrays: list[pa.StringArray]) -> list[pa.StringArray]:
    """Rows of delimiters only are no rows."""
    blank = _blank(arrays[0])
    if not pc.any(blank).as_py():
        return arrays
    for array in arrays[1:]:
        blank = pc.and_(blank, _blank(array))
        if not pc.any(blank).as_py():
            return arrays
    kept = pc.invert(blank)
    return [array.filter(kept) for array in arrays]


def _blank(array: pa.StringArray) -> pa.BooleanArray:
    return pc.equal(pc.utf8_trim_whitespace(array), "")
