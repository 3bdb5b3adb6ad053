"""A file that somebody brought: what it is, by its content and not by its name, and the rows of its table.

Text files in any accepted encoding and with any usual delimiter, and workbooks. Above the header there may be titles,
below the table notes and sums, as people leave them: they are told apart from rows, and never loaded.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from ckanext.openhuizhou.data import text_table, workbook_table
from ckanext.openhuizhou.domain.column_match import ColumnMatch
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import DecodingError, RecordRefused, TableRefused

#: Rows of cells, or the columns of rows as texts; both in the order of the items.
Batch = list[Sequence[object]] | list[pa.StringArray]

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD_BYTES: Final = 4096
#: How other things begin that are sometimes called a table: markup and JSON, after white space.
_TEXT_KINDS: Final = (
    (b"<?xml", "xml"),
    (b"<", "html"),
    (b'{"', "json"),
    (b"{\n", "json"),
    (b"{\r", "json"),
    (b"[{", "json"),
    (b"[\n", "json"),
    (b"[\r", "json"),
)
_STARTS: Final = (
    (b"%PDF", "pdf"),
    (b"Rar!", "rar"),
    (b"7z\xbc\xaf", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"PAR1", "parquet"),
)


@dataclass(frozen=True, slots=True)
class FileSource:
    """``name`` is only for messages. ``sheet``: name or number from 1; ``header``: number of the header row from 1;
    both are found when they are not given."""

    path: Path
    name: str = ""
    sheet: str | int | None = None
    header: int | None = None


@dataclass(slots=True)
class OpenTable:
    """A table whose header was found. ``batches`` can be read once."""

    columns: tuple[str, ...]
    match: ColumnMatch
    batches: Iterator[Batch]


@contextmanager
def open_table(source: FileSource, items: Sequence[Item], closed: Sequence[Item] = ()) -> Iterator[OpenTable]:
    """Find the table of a file by the items that it should have.

    Raises:
        TableRefused: it is no table, in no accepted encoding, damaged, or without a header; also while it is read.
    """
    try:
        with source.path.open("rb") as stream:
            if kind_of(stream) == "workbook":
                with workbook_table.open_workbook(stream, items, closed, source.sheet, source.header) as table:
                    yield OpenTable(table.columns, table.match, table.batches)
            else:
                table = text_table.open_text(stream, items, closed, source.header)
                yield OpenTable(table.columns, table.match, table.batches())
    except DecodingError as error:
        raise TableRefused([Finding("encoding-unknown", value=source.name, params=error.params)]) from error
    except RecordRefused as error:
        raise TableRefused(error.findings) from error


def kind_of(stream: BinaryIO) -> str:
    """``text`` or ``workbook``; ``stream`` is left at its start.

    Raises:
        TableRefused: it is something else.
    """
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    if head.startswith(_OLE):
        return _kind_of_ole(stream)
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(stream)
    found = next((kind for start, kind in _STARTS if head.startswith(start)), None)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    found = found or next((kind for start, kind in _TEXT_KINDS if text.startswith(start)), None)
    if found is not None:
        raise TableRefused([Finding("file-kind", params={"found": found})])
    return "text"


def _kind_of_ole(stream: BinaryIO) -> str:
    """An old workbook; a new one that is locked stands in a container of the same form."""
    tail = b""
    locked = "EncryptedPackage".encode("utf-16-le")
    try:
        while chunk := stream.read(1 << 20):
            if locked in tail + chunk:
                raise TableRefused([Finding("workbook-password")])
            tail = chunk[-len(locked) :]
    finally:
        stream.seek(0)
    return "workbook"


def _kind_of_zip(stream: BinaryIO) -> str:
    try:
        names = set(zipfile.ZipFile(stream).namelist())
    except (zipfile.BadZipFile, NotImplementedError):
        names = set()
    finally:
        stream.seek(0)
    if any(name.startswith("xl/") for name in names) or "content.xml" in names:
        return "workbook"
    raise TableRefused([Finding("file-kind", params={"found": "zip"})])
