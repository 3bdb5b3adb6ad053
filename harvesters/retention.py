"""What is old is deleted, in small batches by index, so that no table grows for ever and nobody waits for a lock.

Of each source the last runs are kept for ever, with their findings until these are old. A record that is gone from its
source is forgotten when its entry is gone too; the record of a withdrawn entry stays, for the entry can come back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from ckan import model
from sqlalchemy.orm import aliased

from ckanext.openhuizhou import config
from ckanext.openhuizhou.data import uploads
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.model.data_job import ACTIVE, DataJob
from ckanext.openhuizhou.model.database import engine
from ckanext.openhuizhou.model.harvest import (
    ACTIVE_STATES,
    Difference,
    Outbox,
    Record,
    Run,
    RunFinding,
    RunNotice,
    Source,
)
from ckanext.openhuizhou.model.link import LinkCheck

log = logging.getLogger(__name__)

KEPT_RUNS: Final = 20
_BATCH: Final = 5000
_RUNS: Final = 200
#: A mail that was sent, or given up, is kept as long as findings are.
_GONE: Final = ("withdrawn", "refused", "failed", "superseded")


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows were deleted."""

    findings: int
    differences: int
    notices: int
    runs: int
    records: int
    outbox: int
    link_checks: int
    loads: int
    uploads: int

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in asdict(self).items())


def prune(clock: Callable[[], datetime] = utcnow) -> Pruned:
    """Delete what is older than the options say. Each batch is a transaction of its own; may be ended at any time."""
    now = clock()
    findings_until = now - timedelta(days=config.keep_findings_days())
    runs_until = now - timedelta(days=config.keep_runs_days())
    old_runs = _runs_before(findings_until)
    pruned = Pruned(
        findings=sum(_delete_of_run(RunFinding, run_id) for run_id in old_runs),
        differences=sum(_delete_of_run(Difference, run_id) for run_id in old_runs),
        notices=_delete_notices(findings_until),
        runs=_delete_runs(runs_until),
        records=_delete_records(runs_until),
        outbox=_collapse_outbox(),
        link_checks=_delete_link_checks(findings_until),
        loads=_delete_jobs(runs_until),
        uploads=_delete_uploads(findings_until),
    )
    log.info("Deleted: %s", pruned)
    return pruned


def _runs_before(moment: datetime) -> list[str]:
    """Ids of runs that ended before, oldest first; those that are under way, or wait for a person, are not among them.

    Runs without findings are left out; of those that are kept for years most have none left.
    """
    own = sa.or_(
        sa.exists().where(RunFinding.run_id == Run.id),
        sa.exists().where(Difference.run_id == Run.id),
    )
    query = sa.select(Run.id).where(Run.created < moment, _ended(), own).order_by(Run.created)
    with engine().connect() as connection:
        return list(connection.scalars(query))


def _ended() -> sa.ColumnElement[bool]:
    return Run.state.not_in((*ACTIVE_STATES, "held"))


def _delete_of_run(table: type[RunFinding] | type[Difference], run_id: str) -> int:
    batch = sa.select(table.id).where(table.run_id == run_id).order_by(table.id).limit(_BATCH)
    return _in_batches(sa.delete(table).where(table.id.in_(batch.scalar_subquery())))


def _delete_notices(moment: datetime) -> int:
    settled = RunNotice.next_attempt.is_(None)
    return _once(sa.delete(RunNotice).where(settled, RunNotice.created < moment))


def _delete_link_checks(moment: datetime) -> int:
    batch = sa.select(LinkCheck.id).where(LinkCheck.checked_at < moment).limit(_BATCH)
    return _in_batches(sa.delete(LinkCheck).where(LinkCheck.id.in_(batch.scalar_subquery())))


def _delete_runs(moment: datetime) -> int:
    """Source by source; their findings are old enough to be gone already, else they go with them."""
    count = 0
    for source_id in _source_ids():
        kept = sa.select(Run.id).where(Run.source_id == source_id).order_by(Run.created.desc()).limit(KEPT_RUNS)
        old = sa.select(Run.id).where(
            Run.source_id == source_id, Run.created < moment, _ended(), Run.id.not_in(kept.scalar_subquery())
        )
        batch = old.order_by(Run.created).limit(_RUNS).scalar_subquery()
        count += _in_batches(sa.delete(Run).where(Run.id.in_(batch)))
    return count


def _source_ids() -> list[str]:
    with engine().connect() as connection:
        return list(connection.scalars(sa.select(Source.id).order_by(Source.id)))


def _delete_records(moment: datetime) -> int:
    """Records that their source has lacked for long, and that hold no entry: purged, deleted, or never there."""
    entry = sa.exists().where(model.Package.id == Record.dataset_id, model.Package.state != model.State.DELETED)
    key = sa.tuple_(Record.source_id, Record.key)
    old = sa.select(Record.source_id, Record.key).where(Record.state.in_(_GONE), Record.last_seen < moment, ~entry)
    return _in_batches(sa.delete(Record).where(key.in_(old.limit(_BATCH))))


def _delete_jobs(moment: datetime) -> int:
    """Loads that ended long ago, and what could not be derived; files that they leave go with ``_delete_uploads``."""
    ended = DataJob.state.not_in((*ACTIVE, "held"))
    batch = sa.select(DataJob.id).where(ended, DataJob.finished < moment).order_by(DataJob.created).limit(_BATCH)
    return _in_batches(sa.delete(DataJob).where(DataJob.id.in_(batch.scalar_subquery())))


def _delete_uploads(moment: datetime) -> int:
    """Files of loads that ended before, but for the last that was published of each resource; of jobs that are gone."""
    last = sa.select(DataJob.id).where(DataJob.state == "done").distinct(DataJob.resource_id)
    last = last.order_by(DataJob.resource_id, DataJob.finished.desc())
    recent = sa.or_(DataJob.finished.is_(None), DataJob.finished >= moment)
    with engine().connect() as connection:
        needed = {*connection.scalars(last), *connection.scalars(sa.select(DataJob.id).where(recent))}
    age = (utcnow() - moment).total_seconds()
    gone = [job_id for job_id in uploads.all_kept(age) if job_id not in needed]
    for job_id in gone:
        uploads.remove(job_id)
    return len(gone)


def _collapse_outbox() -> int:
    """One row for each entry is enough: its newest. Rows that a drain holds are left to it."""
    later = aliased(Outbox)
    newer = sa.exists().where(later.package_id == Outbox.package_id, later.id > Outbox.id)
    batch = sa.select(Outbox.id).where(newer).order_by(Outbox.id).limit(_BATCH).with_for_update(skip_locked=True)
    return _in_batches(sa.delete(Outbox).where(Outbox.id.in_(batch.scalar_subquery())))


def _in_batches(statement: sa.Delete) -> int:
    total = 0
    while count := _once(statement):
        total += count
    return total


def _once(statement: sa.Delete) -> int:
    with engine().begin() as connection:
        return connection.execute(statement).rowcount
