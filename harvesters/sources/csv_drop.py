"""Kind ``csv``: a folder of CSV files, with or without a manifest."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import RecordRefused
from ckanext.openhuizhou.harvesters.folder_source import FOLDER_OPTIONS, FolderKind
from ckanext.openhuizhou.harvesters.kinds import Option, source_kind
from ckanext.openhuizhou.harvesters.records import Row
from ckanext.openhuizhou.transport import decoding

_DELIMITERS: Final = ",\t;|，"
#: A cell of more characters is a quote that was never closed.
_LONGEST_CELL: Final = 1 << 20
# the module csv has one limit for the whole process
csv.field_size_limit(_LONGEST_CELL)


@source_kind
class CsvDrop(FolderKind):
    """Files are read as a stream; their encoding is the one that the whole file is in."""

    name = "csv"
    options = (
        *FOLDER_OPTIONS,
        Option("pattern", default="*.csv"),
        Option("header", (int,), default=1),
        Option("delimiter"),
    )

    def describe(self, stream: BinaryIO, entry: Mapping[str, Any]) -> dict[str, Any]:
        encoding = decoding.detect(stream)
        missing = RecordRefused([Finding("header-not-found", value=str(entry.get(self.config["file"])))])
        with io.TextIOWrapper(stream, encoding=encoding, newline="") as text:
            lines = list(islice(text, self.config["header"]))
            if len(lines) < self.config["header"] or not lines[-1].strip():
                raise missing
            delimiter = self.config["delimiter"] or max(_DELIMITERS, key=lines[-1].count)
            text.seek(0)
            try:
                header = next(islice(_reader(text, delimiter), self.config["header"] - 1, None))
            except (csv.Error, StopIteration) as error:
                raise missing from error
        names = column_names(header)
        return {
            "encoding": encoding,
            "delimiter": delimiter,
            "columns": [{"name": name, "label": name, "type": ""} for name in names],
        }

    def rows(self, stream: BinaryIO, description: Mapping[str, Any]) -> Iterator[Row]:
        names = [column["name"] for column in description["columns"]]
        with io.TextIOWrapper(stream, encoding=description["encoding"], newline="") as text:
            reader = _reader(text, description["delimiter"])
            try:
                for number, row in enumerate(reader, 1):
                    if number <= self.config["header"] or not row:
                        continue
                    if len(row) != len(names):
                        params = {"count": len(row), "expected": len(names)}
                        raise RecordRefused([Finding("row-width", row=number, params=params)])
                    yield dict(zip(names, row, strict=True))
            except csv.Error as error:
                raise RecordRefused([Finding("record-unreadable", params={"reason": str(error)})]) from error


def column_names(header: Sequence[object]) -> list[str]:
    """Names of the columns; one without a name gets its number, one that stands twice a number behind it."""
    names: list[str] = []
    for position, cell in enumerate(header, 1):
        name = str(cell).replace("\ufeff", "").strip() or f"列{position}"
        base, count = name, 2
        while name in names:
            name, count = f"{base}_{count}", count + 1
        names.append(name)
    return names


def _reader(text: io.TextIOWrapper, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(text, delimiter=delimiter, strict=True)
