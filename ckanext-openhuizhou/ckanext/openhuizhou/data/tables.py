"""A table's way from rows to readers: stage, publish, discard.

``stage_table`` types and checks every row, writes the CSV file that will be downloaded, and copies that same file
into a staging table. ``publish_table`` swaps both in. Nobody reads a staging table, and a refused or broken load
leaves what was published before.

Publication touches two databases and a file, in this order: the table (one transaction), the file (one rename), the
verdict (one transaction). The table carries the digest of its file, so that a process killed between two steps
leaves enough to finish the publication: ``finish_interrupted`` and the next ``stage_table`` of the resource do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from ckanext.openhuizhou.data import bad_rows, datastore_tables, export_files, files, stage, versions
from ckanext.openhuizhou.data.row_checks import NoChecks, TableChecks
from ckanext.openhuizhou.data.stage import Watch
from ckanext.openhuizhou.data.staged import LoadResult, StagedTable
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.data.table_file import FileSource
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import TableRefused
from ckanext.openhuizhou.model import data_check, load, table_profile

log = logging.getLogger(__name__)

#: Tables whose swap is one transaction: as many as make its commit cheap, few enough for the server's table of locks.
TOGETHER = 50


def stage_table(
    resource_id: str, items: Sequence[Item], rows: Iterable[Sequence[object]], checks: TableChecks | None = None
) -> StagedTable:
    """Type, check and stage ``rows`` (cells in the order of ``items``), streaming.

    Raises:
        TableRefused: a column id is not usable, a cell does not fit its type, a row has the wrong width, a column
            holds personal data, or the database cannot hold the table. Nothing is left behind.
        StorageFull: there is no room for it now.
    """
    _settle(resource_id)
    return stage.stage_rows(resource_id, items, rows, checks or NoChecks())


def stage_file(
    resource_id: str,
    items: Sequence[Item],
    source: FileSource,
    checks: TableChecks | None = None,
    *,
    closed: Sequence[Item] = (),
    watch: Watch | None = None,
) -> StagedTable:
    """The same for the table in a file, whose columns are found by their names; the memory it takes does not grow with
    the file. ``closed``: items that are not public, whose columns are left out.

    Raises:
        TableRefused: also when the file is no table, or lacks a column.
    """
    _settle(resource_id)
    return stage.stage_source(resource_id, items, source, checks or NoChecks(), closed, watch)


def stage_append(
    resource_id: str,
    items: Sequence[Item],
    source: FileSource,
    checks: TableChecks | None = None,
    *,
    closed: Sequence[Item] = (),
    watch: Watch | None = None,
) -> StagedTable:
    """The published table with the rows of a file behind its own.

    Raises:
        TableRefused: also when nothing is published yet, or a table with other columns.
    """
    _settle(resource_id)
    return stage.stage_appended(resource_id, items, source, checks or NoChecks(), closed, watch)


def stage_upsert(
    resource_id: str,
    items: Sequence[Item],
    source: FileSource,
    checks: TableChecks | None = None,
    *,
    closed: Sequence[Item] = (),
    watch: Watch | None = None,
) -> StagedTable:
    """The published table with the rows of a file in the place of those that have the same key (``Item.is_key``), and
    behind them the rows whose key is new.

    Raises:
        TableRefused: also when there is no key, a row of the file lacks a part of it, or two have the same.
    """
    _settle(resource_id)
    return stage.stage_upserted(resource_id, items, source, checks or NoChecks(), closed, watch)


def try_table(
    resource_id: str, items: Sequence[Item], rows: Iterable[Sequence[object]], checks: TableChecks | None = None
) -> StagedTable:
    """What ``stage_table`` would make of these rows, with the same errors. Nothing of it stays in the databases or the
    storage, even when the process is killed.

    The table that is returned cannot be published.
    """
    return stage.try_rows(resource_id, items, rows, checks or NoChecks())


def publish_table(staged: StagedTable, package_id: str, origin: load.Origin = load.UNKNOWN) -> LoadResult:
    """Swap the staged table and file in; on failure the old ones stay and the verdict of the load says so.

    Raises:
        TableRefused: the swap did not happen; the cause is chained and logged.
    """
    if staged.held:
        return staged.result()
    try:
        with datastore_tables.publication_lock(staged.resource_id):
            if staged.changed:
                datastore_tables.swap_in(staged.resource_id, staged.mark())
                _move_in(staged.resource_id, staged.digest, staged.csv_path)
            load.record_ok(_published(staged, package_id, origin))
    except (DBAPIError, OSError, LookupError) as error:
        raise _not_published(staged, package_id, error) from error
    files.remove_waiting(staged.resource_id)  # of loads that were killed before; the lease lets nobody else write now
    return staged.result()


def publish_tables(
    staged: Sequence[tuple[StagedTable, str]], origin: load.Origin = load.UNKNOWN
) -> dict[str, TableRefused]:
    """``publish_table`` for many ``(table, package id)`` of different resources, in few transactions; by resource id,
    why those that were not published were not.

    A kill leaves what a kill of one publication leaves, for as many as one transaction swaps.
    """
    refused: dict[str, TableRefused] = {}
    staged = [one for one in staged if not one[0].held]
    for start in range(0, len(staged), TOGETHER):
        group = staged[start : start + TOGETHER]
        with datastore_tables.publication_lock(*(table.resource_id for table, _package in group)):
            swapped = _swapped_together([table for table, _package in group if table.changed])
            if swapped:
                refused |= _moved_and_recorded(group, origin)
        for table, package_id in () if swapped else group:
            try:
                publish_table(table, package_id, origin)
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


def _moved_and_recorded(group: Sequence[tuple[StagedTable, str]], origin: load.Origin) -> dict[str, TableRefused]:
    refused: dict[str, TableRefused] = {}
    moved = []
    for table, package_id in group:
        try:
            if table.changed:
                _move_in(table.resource_id, table.digest, table.csv_path)
        except OSError as error:
            refused[table.resource_id] = _not_published(table, package_id, error)
        else:
            moved.append(_published(table, package_id, origin))
    if moved:
        load.record_ok(*moved)
    return refused


def _published(staged: StagedTable, package_id: str, origin: load.Origin) -> load.Published:
    return load.Published(
        staged.resource_id,
        package_id,
        staged.rows,
        staged.digest,
        staged.size_bytes,
        [finding.as_dict() for finding in staged.findings],
        staged.columns,
        staged.changed,
        origin,
    )


def _move_in(resource_id: str, digest: str, path: Path) -> None:
    """Publish the file; what it holds stays when the next one takes its place."""
    versions.keep_csv(resource_id, digest, path)
    files.move_in(resource_id, path)


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
    versions.forget(resource_id)
    export_files.forget(resource_id)
    table_profile.forget(resource_id)
    bad_rows.remove(resource_id)
    data_check.forget(resource_id)
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
            _move_in(resource_id, mark["digest"], waiting)
        else:
            versions.keep_csv(resource_id, mark["digest"], files.published_file(resource_id))
        columns = columns_of(resource_id)
        found = load.Published(resource_id, package_id, mark["rows"], mark["digest"], mark["size_bytes"], [], columns)
        load.record_ok(found)
        return True


def _settle(resource_id: str) -> None:
    """What began to be published is published first: a load compares itself with what is live."""
    if _interrupted(resource_id, datastore_tables.live_mark(resource_id)):
        finish_publication(resource_id)


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
