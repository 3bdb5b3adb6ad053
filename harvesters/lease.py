"""Who may write in a run: a lease in PostgreSQL, renewed by whoever holds it, taken over when it has run out.

The lease is renewed in the same transaction as what is written, so that a worker that was given up for dead and wakes
up again cannot commit anything.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import sqlalchemy as sa
from ckan import model
from sqlalchemy.exc import IntegrityError

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.errors import LeaseLost
from ckanext.openhuizhou.model.database import engine
from ckanext.openhuizhou.model.harvest import ACTIVE_STATES, COUNTERS, Run, Source

LEASE: Final = timedelta(seconds=60)
#: Seconds after which a lease is renewed while tables are staged, and rows between two looks at the clock.
_BEAT: Final = 15.0
_ROWS_PER_LOOK: Final = 1000
_ATTEMPTS: Final = 5

T = TypeVar("T")


def worker_name() -> str:
    """This process: host, process id, and when it started (ids are used again)."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


@dataclass(slots=True)
class Lease:
    """A run that this process may write in."""

    run_id: str
    source_id: str
    mode: str
    worker: str
    resumed: bool
    counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    checkpoint: int = 0
    _renewed: float = field(default_factory=time.monotonic)

    def renew(self) -> None:
        """Renew in the session's transaction, together with the counters.

        Raises:
            LeaseLost: the session must then be rolled back.
        """
        model.Session.flush()
        self._renew(model.Session.connection())

    def beat_when_due(self) -> None:
        """Renew in a transaction of its own, when it is time."""
        if time.monotonic() - self._renewed > _BEAT:
            with engine().begin() as connection:
                self._renew(connection)

    def watched(self, rows: Iterable[T]) -> Iterator[T]:
        """``rows``, renewing the lease as they pass."""
        for number, row in enumerate(rows, 1):
            if number % _ROWS_PER_LOOK == 0:
                self.beat_when_due()
            yield row

    def finish(self, state: str) -> None:
        """Close the run, in the session's transaction."""
        self.renew()
        model.Session.execute(
            sa.update(Run)
            .where(Run.id == self.run_id)
            .values(state=state, finished=utcnow(), lease_until=None)
            .execution_options(synchronize_session=False)
        )

    def _renew(self, connection: sa.Connection) -> None:
        now = utcnow()
        done = connection.execute(
            sa.update(Run)
            .where(Run.id == self.run_id, Run.worker == self.worker, Run.state == "running")
            .values(heartbeat=now, lease_until=now + LEASE, checkpoint=self.checkpoint, **self.counters)
        )
        if done.rowcount != 1:
            raise LeaseLost(self.run_id)
        self._renewed = time.monotonic()


def queue(source_id: str, mode: str = "normal") -> tuple[str, bool]:
    """Queue a run of a source and commit; ``(run id, whether it is new)``: a source has one active run at most.

    Raises:
        sqlalchemy.exc.IntegrityError: there is no such source.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        run = Run(source_id=source_id, mode=mode)
        model.Session.add(run)
        try:
            model.Session.commit()
        except IntegrityError:
            model.Session.rollback()
            active = sa.select(Run.id).where(Run.source_id == source_id, Run.state.in_(ACTIVE_STATES))
            run_id = model.Session.execute(active).scalar_one_or_none()
            if run_id is not None:
                return run_id, False
            # the active run ended between the two statements, unless the source itself is not there
            if attempt == _ATTEMPTS:
                raise
        else:
            return run.id, True
    raise AssertionError("the last attempt returns or raises")


def claim(run_id: str) -> Lease | None:
    """Take a run that is queued, or whose worker is gone; None when somebody works on it. Commits."""
    now = utcnow()
    row = model.Session.execute(
        sa.select(Run).where(Run.id == run_id, Run.state.in_(ACTIVE_STATES)).with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    if row is None or (row.state == "running" and row.lease_until and row.lease_until > now and not _gone(row.worker)):
        model.Session.rollback()
        return None
    resumed = row.state == "running"
    worker = worker_name()
    row.state, row.worker, row.heartbeat, row.lease_until = "running", worker, now, now + LEASE
    row.started = row.started or now
    lease = Lease(row.id, row.source_id, row.mode, worker, resumed, {name: getattr(row, name) for name in COUNTERS})
    model.Session.commit()
    return lease


def claim_next() -> Lease | None:
    """Take the oldest run that is queued or abandoned, of the source with the highest priority first."""
    waiting = (
        sa.select(Run.id)
        .join(Source, Source.id == Run.source_id)
        .where(sa.or_(Run.state == "queued", sa.and_(Run.state == "running", Run.lease_until < utcnow())))
        .order_by(Source.priority.desc(), Run.created)
        .limit(10)
    )
    run_ids = list(model.Session.scalars(waiting))
    model.Session.rollback()
    return next((lease for lease in map(claim, run_ids) if lease is not None), None)


def _gone(worker: str | None) -> bool:
    """Whether a worker of this machine has ended, so that nobody has to wait for its lease."""
    try:
        host, pid, started = (worker or "").rsplit(":", 2)
    except ValueError:
        return True
    return host == socket.gethostname() and _started(int(pid)) != started


def _started(pid: int) -> str:
    """When a process started, in the kernel's own measure; empty when it is not running (a zombie is not)."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return ""
    return "" if after_name[0] in "ZX" else after_name[19]
