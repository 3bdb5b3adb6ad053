"""From raw rows to the CSV file of a table, in one pass and in batches: typed, checked, hashed.

The file is the published download and the input of COPY at once: UTF-8 with a byte order mark (Excel shows Chinese
only then), a header row of the items' Chinese names, RFC 4180 quoting and line ends, NULL as nothing.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from typing_extensions import Buffer

from ckanext.openhuizhou.data.arrow_cells import ArrayTyper, ArrowCells, Noteworthy, as_lines, quoted
from ckanext.openhuizhou.data.row_checks import ListCells, NoChecks, RowCheck, TableChecks
from ckanext.openhuizhou.domain import pii
from ckanext.openhuizhou.domain.cell_types import Converter
from ckanext.openhuizhou.domain.cell_units import FIGURES, TEXTUAL, converter_of, misfit
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.table_checks import Tally
from ckanext.openhuizhou.errors import TableRefused

#: Rows typed at a time: large enough that Python's overhead per batch vanishes, small enough to stay in the cache.
BATCH_ROWS = 2000
#: Findings of one kind per column that are listed one by one; the rest is counted.
LISTED_FINDINGS = 20
#: A table with this many wrong cells is the wrong table; reading on would only cost time.
GIVE_UP_AFTER = 10_000

_LINE_END = "\r\n"
#: How a formula begins, for spreadsheet programs.
_FORMULA_STARTS = "=+-@\t\r"
#: One that does something when the file is opened: calls a function, or another program (DDE). What merely looks like
#: a formula, as "+86 752 …" does, is published as it is: a download has to be the data.
_FORMULA = re.compile(r"[=+\-@\t\r]+\s*(?:[A-Za-z_][\w.]*\s*\(|[^|]*\|.*!)", re.DOTALL)


@dataclass(slots=True)
class WrittenTable:
    """What a pass over the rows produced. ``digest`` is the SHA-256 of the whole file, in hexadecimal."""

    rows: int
    digest: str
    size_bytes: int
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Column:
    item: Item
    convert: Converter
    typer: ArrayTyper
    scanner: pii.ColumnScanner | None
    check: RowCheck | None
    misfits: Tally
    formulas: Tally

    @classmethod
    def of(cls, item: Item, checks: TableChecks) -> _Column:
        scanned = item.data_type in TEXTUAL or item.data_type in FIGURES
        scanner = pii.ColumnScanner(item.name, numeric=item.data_type in FIGURES) if scanned else None
        convert = converter_of(item.data_type, item.unit)
        tallies = Tally("type", item.name), Tally("formula", item.name)
        return cls(item, convert, ArrayTyper(item.data_type, convert), scanner, checks.of_column(item), *tallies)

    def typed_array(self, array: pa.StringArray, first_row: int) -> pa.StringArray:
        """The same for an array of texts, looked at, and quoted for the file."""
        typed = self.typer.typed(array, lambda offset, cell: self._refuse(cell, first_row + offset))
        if self.check is not None:
            self.check.feed(ArrowCells(typed), first_row)
        if self.scanner is None:
            return typed
        noted = Noteworthy(typed, self.item.data_type)
        rows = [first_row + offset for offset in noted.offsets]
        self.scanner.feed_chosen(noted.cells, rows, noted.values)
        self._count_formulas(zip(rows, noted.cells, strict=True))
        return quoted(typed) if noted.cells else typed

    def typed(self, cells: Sequence[object], first_row: int) -> Sequence[str | None]:
        """The batch's cells as text; wrong ones become findings and NULL."""
        try:
            return [self.convert(cell) for cell in cells]
        except ValueError:
            return [self._typed_cell(cell, first_row + offset) for offset, cell in enumerate(cells)]

    def _typed_cell(self, cell: object, row: int) -> str | None:
        try:
            return self.convert(cell)
        except ValueError:
            self._refuse(cell, row)
            return None

    def _refuse(self, cell: object, row: int) -> None:
        kind, params = misfit(self.item.data_type, cell), {"data_type": self.item.data_type}
        self.misfits.add(Finding(kind, row=row, column=self.item.name, value=shortened(cell), params=params))

    def look_at(self, values: Sequence[str | None], first_row: int) -> None:
        """Everything that is asked of typed cells."""
        if self.scanner is not None:
            self.scanner.feed(values, first_row)
        self._count_formulas(enumerate(values, first_row))
        if self.check is not None:
            self.check.feed(ListCells(values), first_row)

    def _count_formulas(self, numbered: Iterable[tuple[int, str | None]]) -> None:
        if self.item.data_type not in TEXTUAL:
            return
        for row, value in numbered:
            if value and value[0] in _FORMULA_STARTS and _FORMULA.match(value):
                self.formulas.add(Finding("cell-formula", row=row, column=self.item.name, value=shortened(value)))


def shortened(value: object, length: int = 40) -> str:
    """A cell's text for a finding: cut, and without any number long enough to identify a person."""
    text = pii.LONG_NUMBER.sub("…", str(value))
    return text if len(text) <= length else text[: length - 1] + "…"


class _HashingFile(io.RawIOBase):
    """Writes to a file and hashes what it writes."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.sha256 = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, chunk: Buffer, /) -> int:
        self._target.write(chunk)
        self.sha256.update(chunk)
        length = memoryview(chunk).nbytes
        self.size += length
        return length


def header_of(items: Sequence[Item]) -> bytes:
    """How the file of a table begins."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=_LINE_END).writerow([item.name for item in items])
    return codecs.BOM_UTF8 + text.getvalue().encode()


class Target(Protocol):
    """Where the file's bytes go, all of them at each call."""

    def write(self, chunk: Buffer, /) -> object: ...


class TableWriter:
    """One pass over a table, batch by batch: typed, looked at, written. What is wrong is collected until ``finish``."""

    def __init__(self, target: Target, items: Sequence[Item], checks: TableChecks) -> None:
        #: rows that were typed, and rows that were taken over as they are
        self.rows = 0
        self.kept = 0
        self._items = items
        self._checks = checks
        self._columns = [_Column.of(item, checks) for item in items]
        self._refused: list[Finding] = []
        self._sink = _HashingFile(target)
        self._text = io.TextIOWrapper(io.BufferedWriter(self._sink, 1 << 20), encoding="utf-8", newline="")
        self._csv = csv.writer(self._text, lineterminator=_LINE_END)
        self._sink.write(header_of(items))

    @property
    def hopeless(self) -> bool:
        """So much is wrong that reading on only costs time."""
        if len(self._refused) > GIVE_UP_AFTER:
            return True
        misfits = sum(column.misfits.count for column in self._columns)
        return misfits > GIVE_UP_AFTER and self._checks.refuses_any("type")

    def add_rows(self, batch: Sequence[Sequence[object]]) -> None:
        """Column by column: one loop per converter and one expression per column, not one per cell."""
        misshapen = _width_findings(batch, len(self._items), self.rows + 1)
        self._refused += misshapen or _write_batch(self._csv.writerows, self._columns, batch, self.rows + 1)
        self.rows += len(batch)

    def add_arrays(self, batch: Sequence[pa.StringArray]) -> None:
        """The same for the columns of a file, as texts."""
        first_row = self.rows + 1
        typed = [column.typed_array(array, first_row) for column, array in zip(self._columns, batch, strict=True)]
        self._text.flush()
        self._sink.write(as_lines(typed))
        self.rows += len(batch[0])

    def add_written(self, rows: Buffer, count: int) -> None:
        """Rows in their final form, as a table's file has them; nobody looks at them again."""
        self._text.flush()
        self._sink.write(rows)
        self.kept += count

    def finish(self) -> WrittenTable:
        """
        Raises:
            TableRefused: with every finding of the pass; the file is then unfinished and must not be used.
        """
        self._text.flush()
        refused = self._refused + _header_findings(self._items)
        refused += _personal_data_findings(self._columns, self.rows)
        for column in self._columns:
            self._checks.found(column.misfits)
            self._checks.found(column.formulas)
        refused += self._checks.refusals()
        if refused:
            raise TableRefused(refused)
        rows = self.rows + self.kept
        warnings = () if rows else (Finding("table-empty"),)
        return WrittenTable(rows, self._sink.sha256.hexdigest(), self._sink.size, warnings)


def write_table(
    path: Path, items: Sequence[Item], rows: Iterable[Sequence[object]], checks: TableChecks | None = None
) -> WrittenTable:
    """Type, check and write ``rows`` (cells in the order of ``items``) to ``path``.

    Raises:
        TableRefused: with every finding of the pass; the file is then unfinished and must not be used.
    """
    with path.open("wb") as target:
        writer = TableWriter(target, items, checks or NoChecks())
        for batch in batches(rows):
            writer.add_rows(batch)
            if writer.hopeless:
                break
        return writer.finish()


def batches(rows: Iterable[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH_ROWS)):
        yield batch


def _write_batch(
    write_rows: Callable[[Iterable[Sequence[str | None]]], object],
    columns: Sequence[_Column],
    batch: Sequence[Sequence[object]],
    first_row: int,
) -> list[Finding]:
    typed = []
    for column, cells in zip(columns, zip(*batch, strict=True), strict=True):
        values = column.typed(cells, first_row)
        column.look_at(values, first_row)
        typed.append(values)
    try:
        write_rows(zip(*typed, strict=True))
    except UnicodeEncodeError:
        return _unwritable(columns, typed, first_row)
    return []


def _unwritable(columns: Sequence[_Column], typed: Sequence[Sequence[str | None]], first_row: int) -> list[Finding]:
    """Lone surrogates come from files that were decoded wrongly; UTF-8 has no form for them."""
    broken = []
    for column, values in zip(columns, typed, strict=True):
        rows = (row for row, value in enumerate(values, first_row) if value and not _encodes(value))
        if (row := next(rows, None)) is not None:
            broken.append(Finding("cell-characters", row=row, column=column.item.name))
    return broken


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _width_findings(batch: Sequence[Sequence[object]], width: int, first_row: int) -> list[Finding]:
    wrong = [(first_row + offset, len(row)) for offset, row in enumerate(batch) if len(row) != width]
    return [
        Finding("row-width", row=row, params={"count": found, "expected": width})
        for row, found in wrong[:LISTED_FINDINGS]
    ]


def _header_findings(items: Sequence[Item]) -> list[Finding]:
    verdicts = pii.scan_headers([item.name for item in items], [item.data_type in TEXTUAL for item in items])
    return [_personal_data(items[verdict.column], verdict, 0) for verdict in verdicts]


def _personal_data_findings(columns: Sequence[_Column], rows: int) -> list[Finding]:
    return [
        _personal_data(column.item, verdict, rows)
        for index, column in enumerate(columns)
        if column.scanner is not None
        for verdict in column.scanner.verdicts(index)
    ]


def _personal_data(item: Item, verdict: pii.ColumnVerdict, rows: int) -> Finding:
    if verdict.first_row is None:
        return Finding("personal-data-header", column=item.name, params={"pii_kind": pii.KIND_LABELS[verdict.kind]})
    params = {"pii_kind": pii.KIND_LABELS[verdict.kind], "count": verdict.count, "rows": rows}
    return Finding("personal-data", row=verdict.first_row, column=item.name, params=params)
