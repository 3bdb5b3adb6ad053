"""Kind ``csv``: a folder of CSV files, with or without a manifest."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO, Final

from ckanext.openhuizhou.data.spreadsheet import column_names
from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.errors import RecordRefused
from ckanext.openhuizhou.harvesters.folder_source import FOLDER_OPTIONS, MOST_COLUMNS, FolderKind
from ckanext.openhuizhou.harvesters.kinds import Option, source_kind
from ckanext.openhuizhou.harvesters.records import Row
from ckanext.openhuizhou.transport import decoding

_DELIMITERS: Final = ",\t;|，"
#: A cell of more characters is a quote that was never closed.
_LONGEST_CELL: Final = 1 << 20
#: Characters of one row.
_LONGEST_ROW: Final = 4 << 20
# the module csv has one limit for the whole process
csv.field_size_limit(_LONGEST_CELL)


@source_kind
class CsvDrop(FolderKind):
    """Files are read as a stream; their encoding is the one that the whole file is in."""

    name = "csv"
    title = N_("Folder of CSV files")
    description = N_("Tables as text files, in UTF-8 or GB18030, with or without a list of what they are")
    options = (
        *FOLDER_OPTIONS,
        Option("pattern", default="*.csv", label=N_("Files"), help=N_("Without a list: which files are data sets")),
        Option(
            "header", (int,), default=1, label=N_("Header row"), help=N_("Number of the row with the names"), rare=True
        ),
        Option(
            "delimiter",
            label=N_("Delimiter"),
            help=N_("What stands between two cells; found out by default"),
            rare=True,
        ),
    )

    def describe(self, stream: BinaryIO, entry: Mapping[str, Any]) -> dict[str, Any]:
        encoding = decoding.detect(stream)
        missing = RecordRefused([Finding("header-not-found", value=str(entry.get(self.config["file"])))])
        with io.TextIOWrapper(stream, encoding=encoding, newline="") as text:
            lines = list(islice(_Lines(text), self.config["header"]))
            if len(lines) < self.config["header"] or not lines[-1].strip():
                raise missing
            delimiter = self.config["delimiter"] or max(_DELIMITERS, key=lines[-1].count)
            text.seek(0)
            try:
                header = next(islice(_rows(text, delimiter), self.config["header"] - 1, None))
            except (csv.Error, StopIteration) as error:
                raise missing from error
        if len(header) > MOST_COLUMNS:
            raise RecordRefused([Finding("columns-too-many", params={"count": len(header), "most": MOST_COLUMNS})])
        names = column_names(header)
        return {
            "encoding": encoding,
            "delimiter": delimiter,
            "columns": [{"name": name, "label": name, "type": ""} for name in names],
        }

    def rows(self, stream: BinaryIO, description: Mapping[str, Any]) -> Iterator[Row]:
        names = [column["name"] for column in description["columns"]]
        with io.TextIOWrapper(stream, encoding=description["encoding"], newline="") as text:
            try:
                for number, row in enumerate(_rows(text, description["delimiter"]), 1):
                    if number <= self.config["header"] or not row:
                        continue
                    if len(row) != len(names):
                        params = {"count": len(row), "expected": len(names)}
                        raise RecordRefused([Finding("row-width", row=number, params=params)])
                    yield dict(zip(names, row, strict=True))
            except csv.Error as error:
                raise RecordRefused([Finding("record-unreadable", params={"reason": str(error)})]) from error


class _Lines(Iterator[str]):
    """Lines of a text, none longer than a row may be. ``csv`` and ``readline`` would take a line of any length into
    memory, and a row of any number of lines."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._left = _LONGEST_ROW

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise RecordRefused([Finding("row-too-long", params={"most": _LONGEST_ROW})])
        if not line:
            raise StopIteration
        return line

    def row_ended(self) -> None:
        self._left = _LONGEST_ROW


def _rows(text: io.TextIOWrapper, delimiter: str) -> Iterator[list[str]]:
    lines = _Lines(text)
    for row in csv.reader(lines, delimiter=delimiter, strict=True):
        lines.row_ended()
        yield row
