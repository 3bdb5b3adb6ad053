"""The rows of a query as they are at one moment, read once and with flat memory.

PostgreSQL copies them to a file without a name as fast as it can, while whoever sends them on reads behind it at his
own speed: a slow reader keeps neither the table (its next load waits for readers) nor a connection.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryFile
from threading import Condition, Thread
from typing import IO, Any, Final

import psycopg2
import sqlalchemy as sa
from ckanext.datastore.backend.postgres import identifier, literal_string

from ckanext.openhuizhou.data import datastore_tables, export_files
from ckanext.openhuizhou.data.table_columns import columns_in
from ckanext.openhuizhou.data.table_query import TableQuery, quoted, select_sql
from ckanext.openhuizhou.data.table_reading import reading
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import ReadTimedOut

#: Rows that are made into a format together.
BATCH_ROWS: Final = 2000
CHUNK: Final = 1 << 18
#: The database gives a table of ten million rows in a minute; whatever takes longer is no export.
TIMEOUT_MS: Final = 300_000
#: How a formula begins, for spreadsheet programs; in Chinese ones also in full width.
FORMULA_STARTS: Final = "=+-@\t\r\n＝＋－＠"
TEXTUAL: Final = frozenset({"string", "text"})
#: Until then the city kept its own time, whose offset PostgreSQL writes with seconds.
_ZONES_BEGIN: Final = "1900-12-31 15:54:17+00"
_CELL_BYTES: Final = 1 << 30
#: Seconds that a reader may wait for the first byte.
_SETTLED: Final = 10.0

Batch = list[list[str | None]]


@dataclass(frozen=True, slots=True)
class Rows:
    """``columns`` in the order of the cells; ``mark`` is what the table remembers of its load (None: not ours).

    ``raw`` or ``batches`` is read once.
    """

    columns: tuple[Item, ...]
    mark: dict[str, Any] | None
    source: Behind

    def raw(self) -> Iterator[bytes]:
        """CSV without a header, as PostgreSQL writes it: UTF-8, quotes where they are needed, NULL as nothing."""
        return iter(lambda: self.source.read(CHUNK), b"")

    def batches(self) -> Iterator[Batch]:
        """Cells as canonical texts (``domain.cell_types``), None for NULL; parts of a second end without zeros."""
        self.source.settle(_SETTLED)
        csv.field_size_limit(_CELL_BYTES)
        text = io.TextIOWrapper(io.BufferedReader(self.source, CHUNK), encoding="utf-8", newline="")
        # a row of one column that is NULL is an empty line, which the csv module gives as a row of no cells
        empty = [None] * len(self.columns)
        reader = csv.reader(text)
        while batch := list(islice(reader, BATCH_ROWS)):
            yield [[cell or None for cell in row] or list(empty) for row in batch]


class Behind(io.RawIOBase):
    """A file that is read while another thread writes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file.fileno()
        self._changed = Condition()
        self._written = 0
        self._read = 0
        self._ended = False
        self._error: BaseException | None = None

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any, /) -> int:
        count = os.pwrite(self._file, chunk, self._written)
        with self._changed:
            self._written += count
            self._changed.notify()
        return count

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more will be written; ``error`` says that more should have been."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify()

    def settle(self, seconds: float) -> None:
        """Wait so long for the end. One of two busy threads waits for the other at each row; reading that begins
        when writing has ended costs no more time and lets go of the table sooner."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, seconds)

    def readinto(self, buffer: Any, /) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._read < self._written or self._ended)
            if self._error is not None:
                raise self._error
            ready = self._written - self._read
        count = os.preadv(self._file, [memoryview(buffer)[:ready]], self._read)
        self._read += count
        return count


@contextmanager
def rows_of(query: TableQuery, *, harmless: bool = False) -> Iterator[Rows]:
    """Read the rows of ``query``. ``harmless``: texts that a spreadsheet program would run get an apostrophe before
    them.

    Raises:
        LookupError: the table, or a column of it, is gone.
        ReadTimedOut: it takes longer than any export may; also while the rows are read.
    """
    with reading(TIMEOUT_MS) as connection, TemporaryFile(dir=export_files.folder(), buffering=0) as file:
        connection.exec_driver_sql("SET LOCAL datestyle TO 'ISO, YMD'")
        connection.exec_driver_sql("SET LOCAL timezone TO 'Asia/Shanghai'")
        # from here on the table stays what it is: its columns, its mark and its rows belong together
        connection.exec_driver_sql(f"LOCK TABLE {quoted(query.resource_id)} IN ACCESS SHARE MODE")
        known = {item.column: item for item in columns_in(connection, query.resource_id)}
        columns = tuple(known[name] for name in query.columns)  # KeyError is a LookupError
        mark = _mark(connection, query.resource_id)
        source = Behind(file)
        driver: Any = connection.connection.driver_connection
        thread = Thread(target=_copy, args=(driver, _statement(driver, query, columns, harmless), source), daemon=True)
        thread.start()
        try:
            yield Rows(columns, mark, source)
        finally:
            if thread.is_alive():
                driver.cancel()
                thread.join()


def _copy(driver: Any, statement: bytes, target: Behind) -> None:
    try:
        rows = io.BufferedWriter(target, CHUNK)  # psycopg2 writes row by row
        with driver.cursor() as cursor:
            cursor.copy_expert(statement, rows)
        rows.detach()
    except psycopg2.errors.QueryCanceled as error:
        reason = ReadTimedOut("Reading the table took too long")
        reason.__cause__ = error
        target.end(reason)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the reader gets it
        target.end(error)
    else:
        target.end()


def _statement(driver: Any, query: TableQuery, columns: Sequence[Item], harmless: bool) -> bytes:
    inner, params = select_sql(query)
    cells = ", ".join(_cell(item, harmless) for item in columns)
    with driver.cursor() as cursor:
        # names are quoted, values bound
        select = cursor.mogrify(inner, params)
    return f"COPY (SELECT {cells} FROM (".encode() + select + b") AS taken) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"  # noqa: S608


_STARTS: Final = ", ".join(map(literal_string, FORMULA_STARTS))


def _cell(item: Item, harmless: bool) -> str:
    """SQL of a cell in the spelling of ``domain.cell_types``."""
    name = identifier(item.column)
    if item.data_type == "boolean":
        return f"{name}::text"
    if item.data_type == "datetime":
        offset = f"CASE WHEN {name} < '{_ZONES_BEGIN}' THEN '' ELSE ':00' END"
        return f"{name}::timestamptz::text || {offset}"
    if harmless and item.data_type in TEXTUAL:
        return f"CASE WHEN left({name}, 1) IN ({_STARTS}) THEN '''' || {name} ELSE {name} END"
    return name


def _mark(connection: sa.Connection, resource_id: str) -> dict[str, Any] | None:
    comment = connection.execute(
        sa.text("SELECT obj_description(to_regclass(quote_ident(:name)), 'pg_class')"), {"name": resource_id}
    ).scalar()
    return datastore_tables.parsed_mark(comment)
