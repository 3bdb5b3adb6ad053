"""The queue of jobs on tables: asked for, worked on, given up, cancelled. What waits stands in PostgreSQL."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa
from ckan import model
from sqlalchemy.exc import OperationalError

from ckanext.openhuizhou.data import derive, job_lease, load_job, tables
from ckanext.openhuizhou.data.job_lease import JobLease
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import LeaseLost, RunStopped, WrongRunState
from ckanext.openhuizhou.model import worker
from ckanext.openhuizhou.model.data_job import ACTIVE, DataJob
from ckanext.openhuizhou.model.database import engine

log = logging.getLogger(__name__)

#: So many loads of one resource may wait.
MOST_WAITING: Final = 10
_RUN: Final[dict[str, Callable[[JobLease], None]]] = {"load": load_job.run, "derive": derive.run}


def new_id() -> str:
    """The id of a job that is to be added; its file is kept under it first (``data.uploads``)."""
    return str(uuid.uuid4())


def add_load(
    job_id: str, resource_id: str, package_id: str, mode: str, file_name: str, size: int, requested_by: str | None
) -> None:
    """Ask for a load, in the session's transaction. Loads of one resource are done one after the other.

    ``size``: bytes of the file. ``requested_by``: id of the user.

    Raises:
        WrongRunState: too many loads of this resource wait already.
    """
    waits = sa.select(sa.func.count()).where(
        DataJob.resource_id == resource_id, DataJob.kind == "load", DataJob.state == "queued"
    )
    if model.Session.execute(waits).scalar_one() >= MOST_WAITING:
        raise WrongRunState("More than {most} loads of one resource cannot wait", most=MOST_WAITING)
    job = DataJob(
        id=job_id,
        resource_id=resource_id,
        package_id=package_id,
        kind="load",
        mode=mode,
        file_name=file_name,
        bytes_total=size,
        requested_by=requested_by,
        findings=[],
    )
    model.Session.add(job)
    model.Session.flush()


def wake(title: str = "tables") -> bool:
    """Ask a worker to look for jobs that wait. False when Valkey does not answer: the scheduler wakes later."""
    return worker.wake(work, title)


def wake_if_needed() -> bool:
    """Wake a worker when a job waits for one and nobody was asked yet; whether one was."""
    return claimable() > 0 and not worker.wake_waits(work) and wake()


def claimable() -> int:
    """How many jobs a worker could take now, as far as anybody looks ahead."""
    return len(job_lease.waiting())


def claim_next() -> JobLease | None:
    """Take the next job that waits or was left behind."""
    return next((lease for lease in map(job_lease.claim, job_lease.waiting()) if lease is not None), None)


def work() -> int:
    """Do every job that waits or was left behind; how many there were. What the queue calls."""
    count = 0
    while (lease := claim_next()) is not None:
        execute(lease)
        count += 1
    return count


def execute(lease: JobLease) -> None:
    """Do a job. Every error ends in the job's findings, none leaves."""
    try:
        if lease.hopeless:
            _give_up(lease)
            return
        with lease.kept():
            _RUN[lease.kind](lease)
    except RunStopped:
        _ended(lease, lambda: lease.end("cancelled"))
    except LeaseLost:
        log.warning("Job %s belongs to another worker now", lease.id)
    except (KeyboardInterrupt, SystemExit):
        lease.put_back(counts=False)
        raise
    except OperationalError:
        log.exception("Job %s: the database went away", lease.id)
        _ended(lease, lambda: lease.put_back(counts=True))
    except Exception as error:
        log.exception("Job %s failed", lease.id)
        findings = [Finding("job-unexpected", params={"reason": type(error).__name__})]
        _ended(lease, lambda: lease.end("failed", findings))
    finally:
        model.Session.remove()


def cancel(job_id: str) -> str:
    """Cancel a load and commit; its state afterwards: one that is being worked on is still ``running`` for a moment,
    and ``done`` when it is being published already.

    Raises:
        LookupError: there is no such load.
        WrongRunState: it has ended.
    """
    query = sa.select(DataJob).where(DataJob.id == job_id, DataJob.kind == "load").with_for_update()
    job = model.Session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if job is None:
        model.Session.rollback()
        raise LookupError(job_id)
    state = job.state
    if state not in ACTIVE:
        model.Session.rollback()
        raise WrongRunState("A load in state {state} cannot be cancelled", state=state, action="cancel")
    if state == "running" and not job_lease.abandoned(job):
        job.control = "cancel"
    else:
        job.state, job.finished, job.lease_until, job.step = "cancelled", utcnow(), None, None
    state = job.state
    model.Session.commit()
    return state


def left_behind() -> list[str]:
    """Ids of the jobs whose worker is gone; the next worker takes them."""
    query = sa.select(DataJob).where(DataJob.state == "running")
    found = [job.id for job in model.Session.scalars(query) if job_lease.abandoned(job)]
    model.Session.rollback()
    return found


def loading() -> set[str]:
    """Ids of the resources that a worker is loading, or is to go on loading."""
    query = sa.select(DataJob.resource_id).where(DataJob.kind == "load", DataJob.state == "running")
    with engine().connect() as connection:
        return set(connection.scalars(query))


def _give_up(lease: JobLease) -> None:
    """A job that ended one worker after the other: what it had published is finished, and no more is tried."""
    tables.finish_publication(lease.resource_id)
    lease.end("failed", [Finding("job-ends-workers", params={"count": job_lease.MOST_ATTEMPTS})])


def _ended(lease: JobLease, end: Callable[[], None]) -> None:
    model.Session.rollback()
    try:
        end()
    except LeaseLost:
        log.warning("Job %s belongs to another worker now", lease.id)
    except OperationalError:
        # it is left as it stands; when its lease has run out, the next worker takes it
        log.exception("Job %s could not be closed", lease.id)
