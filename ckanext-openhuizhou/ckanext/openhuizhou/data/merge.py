"""Rows that join a published table: appended, or put in the place of those with the same key.

What comes out is a whole table again, staged and swapped like any other: nobody sees it half, and the CSV file holds
the same rows in the same order. What was published is taken from its file, byte by byte; only the new rows are typed.
Which rows have the same key, the database says, for it compares values and not their spelling.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import get_write_engine, identifier

from ckanext.openhuizhou.data import datastore_tables, files
from ckanext.openhuizhou.data.staging import TableWriter, header_of
from ckanext.openhuizhou.domain.cell_types import POSTGRESQL_TYPES
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import TableRefused

_SPELLED: Final = {"timestamptz": "timestamp with time zone"}
_END: Final = b"\r\n"
_CHUNK: Final = 1 << 20
_AT_ONCE: Final = 20_000
#: Rows with a key that stands twice, which are listed.
_LISTED: Final = 20


def require_same_columns(resource_id: str, items: Sequence[Item]) -> None:
    """
    Raises:
        TableRefused: the published table has other columns, or what is published is not the table of its file.
    """
    query = sa.text(
        "SELECT attname, format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(:table))"
        " AND attnum > 0 AND NOT attisdropped AND NOT starts_with(attname, '_') ORDER BY attnum"
    )
    with get_write_engine().connect() as connection:
        live = [(name, kind) for name, kind in connection.execute(query, {"table": resource_id})]
    kinds = (POSTGRESQL_TYPES[item.data_type] for item in items)
    wanted = [(item.column, _SPELLED.get(kind, kind)) for item, kind in zip(items, kinds, strict=True)]
    path = files.published_file(resource_id)
    header = header_of(items)
    if live != wanted or not path.exists() or _start(path, len(header)) != header:
        raise TableRefused([Finding("merge-columns")])


def _start(path: Path, length: int) -> bytes:
    with path.open("rb") as file:
        return file.read(length)


def write_published(resource_id: str, items: Sequence[Item], rows: int, writer: TableWriter) -> None:
    """Write the rows that are published."""
    with files.published_file(resource_id).open("rb") as file:
        file.seek(len(header_of(items)))
        while chunk := file.read(_CHUNK):
            writer.add_written(chunk, 0)
    writer.kept += rows


def write_replaced(resource_id: str, items: Sequence[Item], rows: int, part: Path, writer: TableWriter) -> None:
    """Write the published rows, each with the new row of the same key in its place, and after them the new rows whose
    key is new. ``part`` is the CSV file of the new rows.

    Raises:
        TableRefused: no item is a key, a new row lacks a part of it, two new rows have the same, or somebody wrote into
            the published table.
    """
    start = len(header_of(items))
    with _mapped(files.published_file(resource_id)) as old, _mapped(part) as new:
        places = array("Q", [start, *_ends(new, start)])
        used = bytearray(len(places))
        written, number, begin, end = start, 0, start, start
        ends = _ends(old, start)
        for line, replacement in _same_keys(resource_id, items, rows, part):
            while number < line:
                begin, end, number = end, next(ends), number + 1
            writer.add_written(old[written:begin], 0)
            writer.add_written(new[places[replacement - 1] : places[replacement]], 0)
            used[replacement] = 1
            written = end
        for begin in range(written, len(old), _CHUNK):
            writer.add_written(old[begin : min(begin + _CHUNK, len(old))], 0)
        added = [place for place in range(1, len(places)) if not used[place]]
        for place in added:
            writer.add_written(new[places[place - 1] : places[place]], 0)
    writer.kept += rows + len(added)


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content


def _ends(content: mmap.mmap, place: int) -> Iterator[int]:
    """Where each row ends, in a file that this program has written: a line end within quotation marks ends none."""
    begin = place
    while (end := content.find(_END, place)) >= 0:
        place = end + len(_END)
        if content[begin:end].count(b'"') % 2 == 0:
            begin = place
            yield place


def _same_keys(resource_id: str, items: Sequence[Item], rows: int, part: Path) -> Iterator[Any]:
    """Number of a published row and of the new row with the same key, both from 1, in the order of the former."""
    keys = [identifier(item.column) for item in items if item.is_key]
    if not keys:
        raise TableRefused([Finding("merge-key-undeclared")])
    live, joined = identifier(resource_id), " AND ".join(f"l.{key} = n.{key}" for key in keys)
    with get_write_engine().connect() as connection:
        counted = connection.execute(sa.text(f"SELECT count(*), max(_id) FROM {live}")).one()  # noqa: S608
        if tuple(counted) not in {(rows, rows), (0, None)}:
            raise TableRefused([Finding("merge-table-edited")])
        datastore_tables.copy_to_temporary(connection, "new_rows", items, part)
        if refused := _key_findings(connection, items, keys):
            raise TableRefused(refused)
        streamed = connection.execution_options(stream_results=True, yield_per=_AT_ONCE)
        query = f"SELECT l._id, n._id FROM {live} l JOIN new_rows n ON {joined} ORDER BY l._id"  # noqa: S608
        yield from streamed.execute(sa.text(query))
        connection.rollback()


def _key_findings(connection: sa.Connection, items: Sequence[Item], keys: Sequence[str]) -> list[Finding]:
    names = "、".join(item.name for item in items if item.is_key)
    empty = " OR ".join(f"{key} IS NULL" for key in keys)
    columns = ", ".join(keys)
    lacking = f"SELECT _id FROM new_rows WHERE {empty} ORDER BY _id LIMIT {_LISTED}"  # noqa: S608
    twice = (
        f"SELECT min(_id), max(_id) FROM new_rows GROUP BY {columns} HAVING count(*) > 1"  # noqa: S608
        f" ORDER BY 1 LIMIT {_LISTED}"
    )

    def found(query: str) -> Any:
        return connection.execute(sa.text(query))

    return [
        *(Finding("merge-key-empty", row=row, column=names) for (row,) in found(lacking)),
        *(Finding("merge-key-twice", row=last, column=names, params={"first": first}) for first, last in found(twice)),
    ]
