"""Tables that the checks hold back: staged whole, waiting for an officer, while the published one serves on."""

from __future__ import annotations

from ckanext.datastore.backend.postgres import get_write_engine

from ckanext.openhuizhou.data import datastore_tables, files, inventory
from ckanext.openhuizhou.data.table_columns import columns_in
from ckanext.openhuizhou.data.tables import LoadResult, StagedTable, discard_table, publish_table
from ckanext.openhuizhou.errors import NothingHeld, TableRefused
from ckanext.openhuizhou.model import data_check
from ckanext.openhuizhou.model.load import UNKNOWN, Origin


def held_table(resource_id: str) -> StagedTable | None:
    """The table that waits, ready to be published; None when nothing waits, or not with all its parts."""
    check = data_check.check_of(resource_id)
    if check is None or check.verdict != "held" or check.decision is not None:
        return None
    return _staged(resource_id, check.digest or "")


def decide(
    resource_id: str, decision: data_check.Decision, by: str | None, origin: Origin = UNKNOWN
) -> LoadResult | None:
    """Publish or discard the table that waits; None when it was discarded. ``by``: a user id.

    Raises:
        NothingHeld: nothing waits: it was decided, or another load came, while somebody read the findings.
        TableRefused: it could not be published now, and still waits.
    """
    staged = held_table(resource_id)
    check = data_check.check_of(resource_id)
    if staged is None or check is None or not data_check.decide(resource_id, staged.digest, decision, by):
        raise NothingHeld("No table waits for a decision")
    if decision == "discard":
        discard_table(staged)
        return None
    try:
        return publish_table(staged, check.package_id, origin)
    except TableRefused:
        data_check.reopen(resource_id, staged.digest)
        raise


def keep_only(staged: StagedTable) -> None:
    """Drop the files of loads that waited before this one; its staging table has taken the place of theirs."""
    for path in files.staging_dir().glob(f"{staged.resource_id}.*.csv"):
        if path != staged.csv_path:
            path.unlink(missing_ok=True)


def let_go(resource_id: str) -> None:
    """Drop what waits: a newer load says something else. Idempotent."""
    datastore_tables.drop_staging(resource_id)
    files.remove_waiting(resource_id)


def _staged(resource_id: str, digest: str) -> StagedTable | None:
    path = files.staged_file(resource_id, digest)
    name = datastore_tables.staging_name(resource_id)
    mark = inventory.marks_of([name]).get(name)
    if mark is None or mark["digest"] != digest or not path.exists():
        return None
    with get_write_engine().connect() as connection:
        columns = columns_in(connection, name)
    return StagedTable(
        resource_id,
        mark["rows"],
        digest,
        mark["size_bytes"],
        (),
        path,
        mark["dictionary"],
        columns=columns,
    )
