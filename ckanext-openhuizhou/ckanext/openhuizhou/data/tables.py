"""A table's way from rows to readers: stage, publish, discard.

``stage_table`` types and checks every row, writes the CSV file that will be downloaded, and copies that same file
into a staging table. ``publish_table`` swaps both in. Nobody reads a staging table, and a refused or broken load
leaves what was published before.

Publication touches two databases and a file, in this order: the table (one transaction), the file (one rename), the
verdict (one transaction). The table carries the digest of its file, so that a process killed between two steps
leaves enough to finish the publication: ``finish_interrupted`` and the next ``stage_table`` of the resource do.
"""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg2
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ckanext.openhuizhou.data import datastore_tables, files
from ckanext.openhuizhou.data.row_checks import NO_CHECKS, TableChecks
from ckanext.openhuizhou.data.staging import write_table
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import COLUMN_ID, Item
from ckanext.openhuizhou.errors import StorageFull, TableRefused
from ckanext.openhuizhou.model import load

log = logging.getLogger(__name__)

#: Tables whose swap is one transaction: as many as make its commit cheap, few enough for the server's table of locks.
TOGETHER = 50
#: SQLSTATE classes for which the rows are to blame: data exception, limit of the program exceeded.
_ROWS_AT_FAULT = ("22", "54")
_NO_ROOM = "53100"
#: Where COPY stopped, as it says itself; its first line is the header.
_COPY_LINE = re.compile(r"COPY \S+, line (\d+)(?:, column (\w+))?")


@dataclass(frozen=True, slots=True)
class StagedTable:
    """Rows that passed every check and wait to be published.

    ``digest`` is the SHA-256 of the CSV file. ``changed`` is False when exactly this table is live already:
    publishing it then only renews the verdict.
    """

    resource_id: str
    rows: int
    digest: str
    size_bytes: int
    findings: tuple[Finding, ...]
    csv_path: Path
    dictionary: str
    changed: bool = True

    def mark(self) -> dict[str, Any]:
        """What the table in the DataStore remembers of its file."""
        return {
            "digest": self.digest,
            "rows": self.rows,
            "size_bytes": self.size_bytes,
            "dictionary": self.dictionary,
        }

    def result(self) -> LoadResult:
        return LoadResult(self.resource_id, self.rows, self.digest, self.size_bytes, self.changed)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What is published now; ``changed`` is False when it was so before."""

    resource_id: str
    rows: int
    digest: str
    size_bytes: int
    changed: bool


def stage_table(
    resource_id: str, items: Sequence[Item], rows: Iterable[Sequence[object]], checks: TableChecks = NO_CHECKS
) -> StagedTable:
    """Type, check and stage ``rows`` (cells in the order of ``items``), streaming.

    Raises:
        TableRefused: a column id is not usable, a cell does not fit its type, a row has the wrong width, a column
            holds personal data, or the database cannot hold the table. Nothing is left behind.
        StorageFull: there is no room for it now.
    """
    if invalid := _invalid_columns(items):
        raise TableRefused(invalid)
    live = _settled_mark(resource_id)
    path = files.writing_file(resource_id)
    try:
        staged = _written(resource_id, items, rows, path, live, checks)
        staged = replace(staged, csv_path=files.staged_file(resource_id, staged.digest))
        if not staged.changed:
            path.unlink()
            return replace(staged, findings=(*staged.findings, *checks.findings()))
        copied = datastore_tables.copy_to_staging(resource_id, items, path, staged.mark(), _looking(checks, items))
        _check_count(copied, staged.rows)
        path.replace(staged.csv_path)
    except BaseException as error:
        path.unlink(missing_ok=True)
        _explain(error, items)
        raise
    return replace(staged, findings=(*staged.findings, *checks.findings()))


def try_table(
    resource_id: str, items: Sequence[Item], rows: Iterable[Sequence[object]], checks: TableChecks = NO_CHECKS
) -> StagedTable:
    """What ``stage_table`` would make of these rows, with the same errors. Nothing of it stays in the databases or the
    storage, even when the process is killed.

    The table that is returned cannot be published.
    """
    if invalid := _invalid_columns(items):
        raise TableRefused(invalid)
    with TemporaryDirectory(prefix="openhuizhou-") as folder:
        path = Path(folder) / "table.csv"
        try:
            staged = _written(resource_id, items, rows, path, datastore_tables.live_mark(resource_id), checks)
            if staged.changed:
                copied = datastore_tables.copy_on_trial(items, path, _looking(checks, items))
                _check_count(copied, staged.rows)
        except BaseException as error:
            _explain(error, items)
            raise
    return replace(staged, findings=(*staged.findings, *checks.findings()))


def _looking(checks: TableChecks, items: Sequence[Item]) -> datastore_tables.Look:
    def look(connection: sa.Connection, table: str) -> None:
        checks.look_at_table(connection, table, items)
        if refused := list(checks.refusals()):
            raise TableRefused(refused)

    return look


def _written(
    resource_id: str,
    items: Sequence[Item],
    rows: Iterable[Sequence[object]],
    path: Path,
    live: dict[str, Any] | None,
    checks: TableChecks,
) -> StagedTable:
    """Write the CSV file to ``path`` and compare it with the mark of what is live."""
    written = write_table(path, items, rows, checks)
    staged = StagedTable(
        resource_id,
        written.rows,
        written.digest,
        written.size_bytes,
        written.findings,
        path,
        datastore_tables.dictionary_digest(items),
    )
    same = live == staged.mark() and files.published_file(resource_id).exists()
    return replace(staged, changed=not same)


def _check_count(copied: int, expected: int) -> None:
    if copied != expected:
        raise TableRefused([Finding("row-count", params={"count": copied, "expected": expected})])


def publish_table(staged: StagedTable, package_id: str) -> LoadResult:
    """Swap the staged table and file in; on failure the old ones stay and the verdict of the load says so.

    Raises:
        TableRefused: the swap did not happen; the cause is chained and logged.
    """
    try:
        with datastore_tables.publication_lock(staged.resource_id):
            if staged.changed:
                datastore_tables.swap_in(staged.resource_id, staged.mark())
                files.move_in(staged.resource_id, staged.csv_path)
            load.record_ok(_published(staged, package_id))
    except (DBAPIError, OSError, LookupError) as error:
        raise _not_published(staged, package_id, error) from error
    files.remove_waiting(staged.resource_id)  # of loads that were killed before; the lease lets nobody else write now
    return staged.result()


def publish_tables(staged: Sequence[tuple[StagedTable, str]]) -> dict[str, TableRefused]:
    """``publish_table`` for many ``(table, package id)`` of different resources, in few transactions; by resource id,
    why those that were not published were not.

    A kill leaves what a kill of one publication leaves, for as many as one transaction swaps.
    """
    refused: dict[str, TableRefused] = {}
    for start in range(0, len(staged), TOGETHER):
        group = staged[start : start + TOGETHER]
        with datastore_tables.publication_lock(*(table.resource_id for table, _package in group)):
            swapped = _swapped_together([table for table, _package in group if table.changed])
            if swapped:
                refused |= _moved_and_recorded(group)
        for table, package_id in () if swapped else group:
            try:
                publish_table(table, package_id)
            except TableRefused as error:
                refused[table.resource_id] = error
        files.remove_waiting(*(table.resource_id for table, _package in group))
    return refused


def _swapped_together(changed: Sequence[StagedTable]) -> bool:
    """False when one of them cannot be swapped now: whose table that is, shows when each goes alone."""
    if not changed:
        return True
    try:
        datastore_tables.swap_in_together({table.resource_id: table.mark() for table in changed})
    except (DBAPIError, LookupError) as error:
        log.info("%s tables are published one by one: %s", len(changed), type(error).__name__)
        return False
    return True


def _moved_and_recorded(group: Sequence[tuple[StagedTable, str]]) -> dict[str, TableRefused]:
    refused: dict[str, TableRefused] = {}
    moved = []
    for table, package_id in group:
        try:
            if table.changed:
                files.move_in(table.resource_id, table.csv_path)
        except OSError as error:
            refused[table.resource_id] = _not_published(table, package_id, error)
        else:
            moved.append(_published(table, package_id))
    if moved:
        load.record_ok(*moved)
    return refused


def _published(staged: StagedTable, package_id: str) -> load.Published:
    findings = [finding.as_dict() for finding in staged.findings]
    return load.Published(
        staged.resource_id, package_id, staged.rows, staged.digest, staged.size_bytes, findings, staged.changed
    )


def _not_published(staged: StagedTable, package_id: str, error: Exception) -> TableRefused:
    log.error("Table %s could not be published", staged.resource_id, exc_info=error)
    findings = [Finding("load-failed")]
    record_failure(staged.resource_id, package_id, findings)
    return TableRefused(findings)


def discard_table(staged: StagedTable) -> None:
    """Drop the staging table and its file. Idempotent."""
    datastore_tables.drop_staging(staged.resource_id)
    staged.csv_path.unlink(missing_ok=True)


def drop_table(resource_id: str) -> None:
    """Remove what is published of a resource and what waits: table, file and verdict. Idempotent."""
    datastore_tables.drop_staging(resource_id)
    datastore_tables.drop_live(resource_id)
    files.remove_waiting(resource_id)
    files.remove(resource_id)
    load.forget(resource_id)


def record_failure(resource_id: str, package_id: str, findings: Iterable[Finding]) -> None:
    """Keep the verdict of a load that was refused before anything could be published."""
    load.record_failed(resource_id, package_id, [finding.as_dict() for finding in findings])


def finish_publication(resource_id: str) -> bool:
    """Complete a publication that a kill interrupted after the table's swap. True when there was one."""
    if not _interrupted(resource_id, datastore_tables.live_mark(resource_id)):
        return False
    with datastore_tables.publication_lock(resource_id):  # whoever is publishing right now finishes by himself
        mark = datastore_tables.live_mark(resource_id)
        if mark is None or not _interrupted(resource_id, mark):
            return False
        known = load.load_of(resource_id)
        package_id = known.package_id if known is not None else load.package_of(resource_id)
        if package_id is None:
            return False
        waiting = files.staged_file(resource_id, mark["digest"])
        if waiting.exists():
            files.move_in(resource_id, waiting)
        load.record_ok(load.Published(resource_id, package_id, mark["rows"], mark["digest"], mark["size_bytes"], []))
        return True


def _settled_mark(resource_id: str) -> dict[str, Any] | None:
    """The mark of the live table, once nothing of it waits."""
    mark = datastore_tables.live_mark(resource_id)
    if _interrupted(resource_id, mark):
        finish_publication(resource_id)
        return datastore_tables.live_mark(resource_id)
    return mark


def finish_interrupted() -> list[str]:
    """Complete every interrupted publication; the resource ids that it was needed for."""
    known = load.digests()
    marks = datastore_tables.live_marks()
    interrupted = [resource_id for resource_id, mark in marks.items() if known.get(resource_id) != mark["digest"]]
    return [resource_id for resource_id in interrupted if finish_publication(resource_id)]


def _interrupted(resource_id: str, mark: dict[str, Any] | None) -> bool:
    """Only a digest that differs tells of an interruption: a failed verdict keeps the digest of the last good load."""
    if mark is None:
        return False
    known = load.load_of(resource_id)
    return known is None or known.digest != mark["digest"]


def _explain(error: BaseException, items: Sequence[Item]) -> None:
    """Raise what a failure of the disk or of the database means for the table; return when it means nothing for it."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise StorageFull("There is no room for the table") from error
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = cause.pgcode if isinstance(cause, psycopg2.Error) else None
    if code == _NO_ROOM:
        raise StorageFull("There is no room for the table") from error
    if code is None or not code.startswith(_ROWS_AT_FAULT):
        return
    log.info("The database refuses a table: %s", code)
    # the database's own sentence stays out: it can quote the cell
    params = {"code": code}
    place = _COPY_LINE.search(str(cause))
    if place is None:
        raise TableRefused([Finding("table-unfit", params=params)]) from error
    names = {item.column: item.name for item in items}
    row_unfit = Finding("row-unfit", row=int(place[1]) - 1, column=names.get(place[2] or ""), params=params)
    raise TableRefused([row_unfit]) from error


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
