"""Who may work on a job: a lease in PostgreSQL, renewed by a thread of its holder, taken over when it has run out.

Everything that is written about a job is written on the condition that the lease is still held, in a transaction of
its own: a worker that was given up for dead and wakes up again changes nothing.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import LeaseLost, RunStopped
from ckanext.openhuizhou.model.data_job import ACTIVE, DataJob
from ckanext.openhuizhou.model.database import engine
from ckanext.openhuizhou.model.worker import is_gone, worker_name

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
#: Seconds between two renewals.
_BEAT: Final = 1.0
#: Seconds without a step after which a worker counts as stuck: longer than the database takes to index a large table.
_STUCK: Final = 3600.0
#: Workers that a job may end; a file that does not fit into memory ends each of them.
MOST_ATTEMPTS: Final = 3
#: Findings that a job keeps one by one; the rest is counted.
KEPT_FINDINGS: Final = 500
#: So many jobs are looked at when one is to be taken; more than there are workers.
_LOOKED_AT: Final = 50
_JOBS: Final = DataJob.__table__

EndState = Literal["held", "done", "refused", "failed", "cancelled"]


@dataclass(slots=True)
class JobLease:
    """A job that this process may work on. ``digest``: of the table that an earlier worker was about to publish.

    ``hopeless``: it has ended too many workers and is to be given up. ``control``: what a person asked when the lease
    was last renewed.
    """

    id: str
    resource_id: str
    package_id: str
    kind: str
    mode: str
    file_name: str
    digest: str | None
    worker: str
    hopeless: bool = False
    control: str | None = None
    rows: int | None = None
    _lost: bool = False
    _moved: float = field(default_factory=time.monotonic)

    def moved(self, rows: int | None = None) -> None:
        """A step was taken; to be called often. ``rows``: read so far.

        Raises:
            LeaseLost: another worker has the job.
            RunStopped: a person wants it to stop here.
        """
        self._moved = time.monotonic()
        self.rows = self.rows if rows is None else rows
        if self._lost:
            raise LeaseLost(self.id)
        if self.control is not None:
            raise RunStopped(self.control)

    def step(self, name: str, **values: Any) -> None:
        """Say what is done now.

        Raises:
            LeaseLost: another worker has the job.
            RunStopped: a person wants it to stop here.
        """
        with engine().begin() as connection:
            self._write(connection, step=name, **values)
        self.moved(values.get("rows"))

    def end(self, state: EndState, findings: Sequence[Finding] = (), **values: Any) -> None:
        """Close the job.

        Raises:
            LeaseLost: another worker has it.
        """
        ended = {"state": state, "finished": utcnow(), "step": None, "control": None, "findings": listed(findings)}
        with engine().begin() as connection:
            self._write(connection, **ended, **values, lease_until=None)

    def forget(self) -> None:
        """The job is done and there is nothing to remember of it.

        Raises:
            LeaseLost: another worker has it.
        """
        with engine().begin() as connection:
            if connection.execute(sa.delete(_JOBS).where(*self._mine())).rowcount == 0:
                raise LeaseLost(self.id)

    def put_back(self, *, counts: bool) -> None:
        """Leave the job to the next worker. ``counts``: this was an attempt."""
        values: dict[str, Any] = {"state": "queued", "step": None, "lease_until": None}
        if not counts:
            values["attempts"] = sa.func.greatest(_JOBS.c.attempts - 1, 0)
        with engine().begin() as connection:
            connection.execute(sa.update(_JOBS).where(*self._mine()).values(values))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lease in the background."""
        stop = threading.Event()
        thread = threading.Thread(target=self._keep, args=(stop,), name=f"job {self.id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _keep(self, stop: threading.Event) -> None:
        while not stop.wait(_BEAT) and time.monotonic() - self._moved < _STUCK:
            try:
                with engine().begin() as connection:
                    self._write(connection, rows=self.rows)
            except LeaseLost:
                self._lost = True
                return
            except SQLAlchemyError as error:
                # when the database is back in time the lease still holds; whoever works sees for himself
                log.info("The lease of job %s was not renewed now: %s", self.id, type(error).__name__)

    def _write(self, connection: sa.Connection, **values: Any) -> None:
        given = {"lease_until": utcnow() + LEASE, **values}
        row = connection.execute(
            sa.update(_JOBS).where(*self._mine()).values(given).returning(_JOBS.c.control)
        ).one_or_none()
        if row is None:
            self._lost = True
            raise LeaseLost(self.id)
        self.control = row.control

    def _mine(self) -> tuple[sa.ColumnElement[bool], ...]:
        return _JOBS.c.id == self.id, _JOBS.c.worker == self.worker, _JOBS.c.state == "running"


def listed(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as a job keeps them: errors first, by row, then what is about the whole; so many at most."""
    rank = {"error": 0, "warning": 1, "info": 2}
    ordered = sorted(findings, key=lambda finding: (rank[finding.severity], finding.row or math.inf))
    kept = [finding.as_dict() for finding in ordered[:KEPT_FINDINGS]]
    if len(ordered) > KEPT_FINDINGS:
        kept.append(Finding("findings-more", params={"count": len(ordered) - KEPT_FINDINGS}).as_dict())
    return kept


def claim(job_id: str) -> JobLease | None:
    """Take a job that is queued, or whose worker is gone; None when somebody works on it or on its resource, or nobody
    shall."""
    query = sa.select(_JOBS).where(_JOBS.c.id == job_id, _JOBS.c.state.in_(ACTIVE))
    try:
        with engine().begin() as connection:
            job = connection.execute(query.with_for_update(skip_locked=True)).mappings().one_or_none()
            if job is None or (job["state"] == "running" and not abandoned(job)):
                return None
            return _taken(connection, job)
    except IntegrityError:
        # somebody took another job of the resource between the question and this
        return None


def _taken(connection: sa.Connection, job: sa.RowMapping) -> JobLease | None:
    now = utcnow()
    mine = sa.update(_JOBS).where(_JOBS.c.id == job["id"])
    if job["control"] == "cancel":
        values = {"state": "cancelled", "finished": now, "lease_until": None, "control": None, "step": None}
        connection.execute(mine.values(values))
        return None
    worker = worker_name()
    values = {
        "state": "running",
        "worker": worker,
        "lease_until": now + LEASE,
        "started": job["started"] or now,
        "attempts": job["attempts"] + 1,
    }
    connection.execute(mine.values(values))
    names = ("id", "resource_id", "package_id", "kind", "digest")
    return JobLease(
        **{name: job[name] for name in names},
        mode=job["mode"] or "replace",
        file_name=job["file_name"] or "",
        worker=worker,
        hopeless=job["attempts"] >= MOST_ATTEMPTS,
    )


def waiting() -> list[str]:
    """Ids of the first jobs that a worker could take now, in the order in which they are to be taken: loads before what
    is derived, of loads those that no worker has left behind before the others, the oldest first."""
    by_age = (_JOBS.c.created, _JOBS.c.id)
    with engine().connect() as connection:
        loads = connection.execute(_takeable("load").order_by(_JOBS.c.state == "running", *by_age)).mappings().all()
        # a harvest leaves thousands: by age alone, the index gives the first without looking at the others
        derives = connection.execute(_takeable("derive").order_by(*by_age)).mappings().all()
    return [row["id"] for row in (*loads, *derives) if row["state"] == "queued" or abandoned(row)]


def _takeable(kind: str) -> sa.Select[Any]:
    """Jobs of a kind whose turn it is."""
    other = _JOBS.alias()
    busy = sa.exists().where(other.c.resource_id == _JOBS.c.resource_id, other.c.id != _JOBS.c.id)
    earlier = sa.tuple_(other.c.created, other.c.id) < sa.tuple_(_JOBS.c.created, _JOBS.c.id)
    earlier_load = sa.and_(other.c.state == "queued", other.c.kind == "load", earlier)
    busy = busy.where(sa.or_(other.c.state == "running", earlier_load))
    mine = sa.or_(_JOBS.c.state == "running", sa.and_(_JOBS.c.state == "queued", ~busy))
    query = sa.select(_JOBS.c.id, _JOBS.c.state, _JOBS.c.worker, _JOBS.c.lease_until)
    return query.where(_JOBS.c.state.in_(ACTIVE), _JOBS.c.kind == kind, mine).limit(_LOOKED_AT)


def abandoned(job: sa.RowMapping | DataJob) -> bool:
    """Whether nobody works on a job that was started: its lease has run out, or its worker's process has ended."""
    lease_until = job.lease_until if isinstance(job, DataJob) else job["lease_until"]
    worker = job.worker if isinstance(job, DataJob) else job["worker"]
    return lease_until is None or lease_until <= utcnow() or is_gone(worker)
