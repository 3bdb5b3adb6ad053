"""Staging: rows or a file, typed and checked in one pass, written as the CSV file, copied into the staging table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from ckanext.openhuizhou.data import datastore_tables, files, merge
from ckanext.openhuizhou.data.copying_file import CopyingFile
from ckanext.openhuizhou.data.load_errors import explain
from ckanext.openhuizhou.data.row_checks import SeenBefore, TableChecks
from ckanext.openhuizhou.data.staged import StagedTable
from ckanext.openhuizhou.data.staging import TableWriter, WrittenTable, batches, write_table
from ckanext.openhuizhou.data.table_file import FileSource, OpenTable, open_table
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import COLUMN_ID, Item
from ckanext.openhuizhou.errors import TableRefused

#: Told how many rows were read, after each batch; what it raises ends the load, and nothing is left of it.
Watch = Callable[[int], None]
#: Writes a table's rows.
Feed = Callable[[TableWriter], None]


def stage_rows(
    resource_id: str,
    items: Sequence[Item],
    rows: Iterable[Sequence[object]],
    checks: TableChecks,
    watch: Watch | None = None,
) -> StagedTable:
    """``tables.stage_table``, when nothing of the resource waits to be finished."""
    return stage_fed(resource_id, items, partial(_feed_rows, rows, watch), checks)


def stage_source(
    resource_id: str,
    items: Sequence[Item],
    source: FileSource,
    checks: TableChecks,
    closed: Sequence[Item] = (),
    watch: Watch | None = None,
) -> StagedTable:
    """``tables.stage_file``, when nothing of the resource waits to be finished."""
    _require_columns(items)
    with opened(source, items, closed, checks) as table:
        return stage_fed(resource_id, items, partial(feed_table, table, watch), checks)


def stage_appended(
    resource_id: str,
    items: Sequence[Item],
    source: FileSource,
    checks: TableChecks,
    closed: Sequence[Item] = (),
    watch: Watch | None = None,
) -> StagedTable:
    """``tables.stage_append``, when nothing of the resource waits to be finished."""
    published = _published(resource_id, items)

    def feed(writer: TableWriter) -> None:
        merge.write_published(resource_id, items, published["rows"], writer)
        feed_table(table, watch, writer)

    with opened(source, items, closed, checks) as table:
        return stage_fed(resource_id, items, feed, checks)


def stage_upserted(
    resource_id: str,
    items: Sequence[Item],
    source: FileSource,
    checks: TableChecks,
    closed: Sequence[Item] = (),
    watch: Watch | None = None,
) -> StagedTable:
    """``tables.stage_upsert``, when nothing of the resource waits to be finished."""
    published = _published(resource_id, items)
    part = files.writing_file(resource_id)
    try:
        with opened(source, items, closed, checks) as table, part.open("wb") as target:
            writer = TableWriter(target, items, checks)
            feed_table(table, watch, writer)
            writer.finish()
        feed = partial(merge.write_replaced, resource_id, items, published["rows"], part)
        # the new rows were looked at; what is left to look at is the table as a whole
        return stage_fed(resource_id, items, feed, checks, of_columns=False)
    except BaseException as error:
        explain(error, items)
        raise
    finally:
        part.unlink(missing_ok=True)


def _published(resource_id: str, items: Sequence[Item]) -> dict[str, Any]:
    """The mark of the table that rows are to join."""
    _require_columns(items)
    mark = datastore_tables.live_mark(resource_id)
    if mark is None:
        raise TableRefused([Finding("merge-columns")])
    merge.require_same_columns(resource_id, items)
    return mark


@contextmanager
def opened(
    source: FileSource, items: Sequence[Item], closed: Sequence[Item], checks: TableChecks
) -> Iterator[OpenTable]:
    """The table of a file that has all columns of ``items``.

    Raises:
        TableRefused: it has not, or there is no table in it.
    """
    with open_table(source, items, closed) as table:
        checks.header(table.match)
        if refused := list(checks.refusals()):
            raise TableRefused(refused)
        yield table


def _feed_rows(rows: Iterable[Sequence[object]], watch: Watch | None, writer: TableWriter) -> None:
    for batch in batches(rows):
        writer.add_rows(batch)
        if writer.hopeless:
            return
        if watch is not None:
            watch(writer.rows)


def feed_table(table: OpenTable, watch: Watch | None, writer: TableWriter) -> None:
    """Write the rows of a file."""
    for batch in table.batches:
        if isinstance(batch[0], list):
            writer.add_rows(batch)  # type: ignore[arg-type] - one kind in a batch
        else:
            writer.add_arrays(batch)  # type: ignore[arg-type]
        if writer.hopeless:
            return
        if watch is not None:
            watch(writer.rows)


def stage_fed(
    resource_id: str, items: Sequence[Item], feed: Feed, checks: TableChecks, *, of_columns: bool = True
) -> StagedTable:
    """Stage what ``feed`` writes. ``of_columns``: the checks look at the columns of what is typed.

    Raises:
        TableRefused, StorageFull: as ``tables.stage_table``. Nothing is left behind.
    """
    _require_columns(items)
    live = datastore_tables.live_mark(resource_id)
    path = files.writing_file(resource_id)
    look = _looking(checks, items)
    file: CopyingFile | None = None
    try:
        file = CopyingFile(path, lambda source, mark: _copied(resource_id, items, source, mark, look))
        writer = TableWriter(file, items, checks if of_columns else SeenBefore())
        feed(writer)
        staged = _compared(resource_id, items, writer.finish(), path, live)
        staged = replace(staged, csv_path=files.staged_file(resource_id, staged.digest))
        if staged.changed:
            _check_count(file.finish(staged.mark()), staged.rows)
            path.replace(staged.csv_path)
        else:
            file.give_up()
            path.unlink()
    except BaseException as error:
        if file is not None:
            file.give_up()
        path.unlink(missing_ok=True)
        explain(error, items)
        raise
    return replace(staged, findings=(*staged.findings, *checks.findings()))


def _copied(
    resource_id: str,
    items: Sequence[Item],
    source: datastore_tables.Readable,
    mark: datastore_tables.MarkWhenRead,
    look: datastore_tables.Look,
) -> int:
    return datastore_tables.copy_to_staging(resource_id, items, source, mark, look)


def try_rows(
    resource_id: str, items: Sequence[Item], rows: Iterable[Sequence[object]], checks: TableChecks
) -> StagedTable:
    """``tables.try_table``."""
    _require_columns(items)
    with TemporaryDirectory(prefix="openhuizhou-") as folder:
        path = Path(folder) / "table.csv"
        try:
            written = write_table(path, items, rows, checks)
            staged = _compared(resource_id, items, written, path, datastore_tables.live_mark(resource_id))
            if staged.changed:
                with path.open("rb") as source:
                    copied = datastore_tables.copy_on_trial(items, source, _looking(checks, items))
                _check_count(copied, staged.rows)
        except BaseException as error:
            explain(error, items)
            raise
    return replace(staged, findings=(*staged.findings, *checks.findings()))


def _looking(checks: TableChecks, items: Sequence[Item]) -> datastore_tables.Look:
    def look(connection: sa.Connection, table: str) -> None:
        checks.look_at_table(connection, table, items)
        if refused := list(checks.refusals()):
            raise TableRefused(refused)

    return look


def _compared(
    resource_id: str, items: Sequence[Item], written: WrittenTable, path: Path, live: dict[str, Any] | None
) -> StagedTable:
    """Compare a written file with the mark of what is live."""
    staged = StagedTable(
        resource_id,
        written.rows,
        written.digest,
        written.size_bytes,
        written.findings,
        path,
        datastore_tables.dictionary_digest(items),
        columns=tuple(items),
    )
    same = live == staged.mark() and files.published_file(resource_id).exists()
    return replace(staged, changed=not same)


def _check_count(copied: int, expected: int) -> None:
    if copied != expected:
        raise TableRefused([Finding("row-count", params={"count": copied, "expected": expected})])


def _require_columns(items: Sequence[Item]) -> None:
    if invalid := _invalid_columns(items):
        raise TableRefused(invalid)


def _invalid_columns(items: Sequence[Item]) -> list[Finding]:
    if not items:
        return [Finding("mapping-columns-missing", field="items")]
    seen: set[str] = set()
    invalid = []
    for item in items:
        if not COLUMN_ID.fullmatch(item.column) or item.column in seen:
            invalid.append(Finding("column-invalid", column=item.name, value=item.column))
        seen.add(item.column)
    return invalid
