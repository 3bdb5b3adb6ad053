"""A load that a person asked for: from the kept file to the published table, resumable at every step.

A load that was killed begins again from its file; what it had published already is recognised by the table's digest,
which the job knows before it publishes, so that rows are never appended twice.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ckanext.openhuizhou.data import datastore_tables, tables, uploads
from ckanext.openhuizhou.data.checks import checked
from ckanext.openhuizhou.data.entry_data import entry_of, follow, validation_findings, write_entry
from ckanext.openhuizhou.data.job_lease import JobLease
from ckanext.openhuizhou.data.staged import LoadResult, StagedTable
from ckanext.openhuizhou.data.table_file import FileSource
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.visibility import public_items
from ckanext.openhuizhou.errors import LeaseLost, StorageFull, TableRefused
from ckanext.openhuizhou.model.data_job import DataJob
from ckanext.openhuizhou.model.database import engine
from ckanext.openhuizhou.model.load import Origin, load_of

log = logging.getLogger(__name__)

_STAGE: Final = {"replace": tables.stage_file, "append": tables.stage_append, "upsert": tables.stage_upsert}


def run(lease: JobLease) -> None:
    """Load the file of a job, and close the job. Only ``LeaseLost``, ``RunStopped`` and what nobody foresaw leave."""
    try:
        entry = entry_of(lease.package_id)
    except tk.ObjectNotFound:
        entry = {}
    if not any(one["id"] == lease.resource_id for one in entry.get("resources") or ()):
        lease.end("failed", [Finding("job-resource-gone")])
        return
    published = _published_before(lease)
    if published is not None:
        _finish(lease, published, ())
        return
    try:
        staged = _staged(lease, entry)
    except TableRefused as error:
        _refused(lease, error.findings)
    except StorageFull:
        lease.end("failed", [Finding("storage-full")])
    else:
        _publish(lease, staged)


def table_items(entry: Mapping[str, Any]) -> tuple[list[Item], list[Item]]:
    """The items that may stand in the entry's table, and those that may not."""
    items = [Item.from_dict(values) for values in entry.get("items") or ()]
    shown = public_items(entry, items)
    return shown, [item for item in items if item not in shown]


def settle_held(resource_id: str, package_id: str, published: LoadResult | None) -> None:
    """An officer has decided on a table that was held back: ``published``, or None when it was discarded.

    Writes what entry and resource say of the table, tells the index, and closes the job that waited.

    Raises:
        tk.ValidationError: the entry breaks a rule by now; the table is published all the same.
    """
    values: dict[str, Any] = {"state": "refused" if published is None else "done", "finished": utcnow()}
    if published is not None:
        write_entry(package_id, published)
        values["rows"] = published.rows
    held = sa.update(DataJob).where(DataJob.resource_id == resource_id, DataJob.state == "held")
    with engine().begin() as connection:
        connection.execute(held.values(values))
    follow(package_id)


def _published_before(lease: JobLease) -> LoadResult | None:
    """What an earlier worker of this job has published before it was killed."""
    mark = datastore_tables.live_mark(lease.resource_id) if lease.digest else None
    if mark is None or mark["digest"] != lease.digest:
        return None
    tables.finish_publication(lease.resource_id)
    return LoadResult(lease.resource_id, mark["rows"], mark["digest"], mark["size_bytes"], changed=True)


def _staged(lease: JobLease, entry: Mapping[str, Any]) -> StagedTable:
    items, closed = table_items(entry)
    path = uploads.kept_file(lease.id)
    if not path.exists():
        raise TableRefused([Finding("job-file-gone", value=lease.file_name)])
    source = FileSource(path, lease.file_name)
    lease.step("staging", bytes_total=path.stat().st_size, rows=0)
    _supersede_held(lease)
    mode = lease.mode if datastore_tables.live_mark(lease.resource_id) is not None else "replace"
    return checked(
        lease.resource_id,
        lease.package_id,
        lambda rules: _STAGE[mode](lease.resource_id, items, source, rules, closed=closed, watch=lease.moved),
    )


def _publish(lease: JobLease, staged: StagedTable) -> None:
    """The entry first, as a harvest does: a table that nobody can be told of is not published."""
    if staged.held:
        lease.end("held", staged.findings, rows=staged.rows)
        return
    try:
        lease.step("publishing", rows=staged.rows, digest=staged.digest)
        write_entry(lease.package_id, staged)
    except tk.ValidationError as error:
        _discard(staged)
        lease.end("failed", validation_findings(error))
        return
    except LeaseLost:
        # what waits is the other worker's now
        raise
    except BaseException:
        _discard(staged)
        raise
    try:
        published = tables.publish_table(staged, lease.package_id, Origin(job_id=lease.id))
    except TableRefused as error:
        follow(lease.package_id)
        lease.end("failed", error.findings)
    else:
        _finish(lease, published, staged.findings)


def _discard(staged: StagedTable) -> None:
    """Best effort: what is left is dropped by the next load of the resource, or by the nightly comparison."""
    if staged.changed:
        with suppress(SQLAlchemyError, OSError):
            tables.discard_table(staged)


def _finish(lease: JobLease, published: LoadResult, findings: Sequence[Finding]) -> None:
    """The job is closed last: whoever is killed before does this once more."""
    follow(lease.package_id)
    lease.end("done", findings, rows=published.rows)


def _refused(lease: JobLease, findings: Sequence[Finding]) -> None:
    """What was published before stays, and its verdict says that the next load was refused."""
    if load_of(lease.resource_id) is not None:
        tables.record_failure(lease.resource_id, lease.package_id, findings)
        follow(lease.package_id)
    lease.end("refused", findings)


def _supersede_held(lease: JobLease) -> None:
    """Nobody has to decide any more on a table that waits while a newer file is being loaded."""
    held = sa.update(DataJob).where(DataJob.resource_id == lease.resource_id, DataJob.state == "held")
    with engine().begin() as connection:
        connection.execute(held.values(state="cancelled", finished=utcnow()))
