"""Who may write in a run: a lease in PostgreSQL, renewed by whoever holds it, taken over when it has run out.

The lease is renewed in the same transaction as what is written, so that a worker that was given up for dead and wakes
up again cannot commit anything. A thread renews it meanwhile, because a source may take minutes to answer once; it
also brings what a person asks of the run, and writes how far it is.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.errors import LeaseLost, RunStopped
from ckanext.openhuizhou.model.database import engine
from ckanext.openhuizhou.model.harvest import ACTIVE_STATES, COUNTERS, Run, Source
from ckanext.openhuizhou.model.worker import is_gone, worker_name

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
#: Seconds between two renewals.
_BEAT: Final = 2.0
#: Seconds without a step after which a worker counts as stuck: longer than a request with all its attempts.
_STUCK: Final = 3600.0
_ROWS_PER_LOOK: Final = 1000
#: Workers that a run may end one after the other; a record that does not fit into memory ends each of them.
_MOST_LOST: Final = 5
_STOPPED: Final = {"pause": "paused", "cancel": "cancelled"}

T = TypeVar("T")


@dataclass(slots=True)
class Lease:
    """A run that this process may write in.

    ``checkpoint``: records that are settled; ``ahead``: those of the batch under way that were looked at. ``control``:
    what a person asked when the lease was last renewed. ``requests``: how many were made before this process, and
    ``count_requests`` those since. ``decision``: of a platform officer on a run that was held. ``hopeless``: it has
    ended too many workers and is to be given up.
    """

    run_id: str
    source_id: str
    mode: str
    worker: str
    resumed: bool
    counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    rules: dict[str, int] = field(default_factory=dict)
    checkpoint: int = 0
    ahead: int = 0
    total: int | None = None
    requests: int = 0
    count_requests: Callable[[], int] = lambda: 0
    decision: str | None = None
    hopeless: bool = False
    control: str | None = None
    _lost: bool = False
    _moved: float = field(default_factory=time.monotonic)

    def renew(self) -> None:
        """Renew in the session's transaction, together with the counters.

        Raises:
            LeaseLost: the session must then be rolled back.
        """
        model.Session.flush()
        self._renew(model.Session.connection(), rules=dict(self.rules), **self.counters)

    def beat_when_due(self) -> None:
        """A step was taken; to be called often.

        Raises:
            LeaseLost: another worker has the run.
            RunStopped: a person wants it to stop here.
        """
        self._moved = time.monotonic()
        if self._lost:
            raise LeaseLost(self.run_id)
        if self.control is not None:
            raise RunStopped(self.control)

    def watched(self, rows: Iterable[T]) -> Iterator[T]:
        """``rows``, with a look at the lease as they pass."""
        for number, row in enumerate(rows, 1):
            if number % _ROWS_PER_LOOK == 0:
                self.beat_when_due()
            yield row

    def settled(self, count: int) -> None:
        """So many more records are done with, in the session's transaction."""
        self.checkpoint += count
        self.ahead = max(0, self.ahead - count)

    def count_rule(self, rule: str | None, count: int = 1) -> None:
        """So many records were found changed or unchanged by this rule (``domain.change_rules``)."""
        if rule is not None:
            self.rules[rule] = self.rules.get(rule, 0) + count

    def finish(self, state: str) -> None:
        """Close the run, in the session's transaction."""
        self.ahead = 0
        self.renew()
        self._end(state, utcnow())

    def let_go(self, control: str) -> None:
        """Leave the run as a person asked, in the session's transaction; a paused one can be resumed."""
        self.ahead = 0
        self.renew()
        self._end(_STOPPED[control], utcnow() if control == "cancel" else None)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lease in the background."""
        stop = threading.Event()
        thread = threading.Thread(target=self._keep, args=(stop,), name=f"lease {self.run_id}", daemon=True)
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
                    # a transaction that holds the row is the worker's own, and renews the lease itself
                    connection.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
                    self._renew(connection)
            except LeaseLost:
                self._lost = True
                return
            except SQLAlchemyError as error:
                # when the database is back in time the lease still holds; whoever works sees for himself
                log.info("The lease of run %s was not renewed now: %s", self.run_id, type(error).__name__)

    def _end(self, state: str, finished: Any) -> None:
        values = {"state": state, "finished": finished, "lease_until": None, "control": None}
        model.Session.execute(
            sa.update(Run).where(Run.id == self.run_id).values(values).execution_options(synchronize_session=False)
        )

    def _renew(self, connection: sa.Connection, **settled: Any) -> None:
        """``settled``: what is true only together with the records that the same transaction writes."""
        now = utcnow()
        progress: Mapping[str, Any] = {
            "checkpoint": self.checkpoint + self.ahead,
            "total": self.total,
            "requests": self.requests + self.count_requests(),
            **settled,
        }
        row = connection.execute(
            sa.update(Run)
            .where(Run.id == self.run_id, Run.worker == self.worker, Run.state == "running")
            .values(heartbeat=now, lease_until=now + LEASE, **progress)
            .returning(Run.control)
        ).one_or_none()
        if row is None:
            raise LeaseLost(self.run_id)
        self.control = row.control


def add_run(
    source_id: str, mode: str = "normal", trigger: str = "person", requested_by: str | None = None
) -> str | None:
    """Add a run of a source to the queue, in the session's transaction; None when the source has an active one.

    What an older held run would have withdrawn is not asked any more: the new run looks anew. ``trigger``: one of
    ``model.harvest.TRIGGERS``; ``requested_by``: id of the user who asked.

    Raises:
        sqlalchemy.exc.IntegrityError: there is no such source.
    """
    run_id = str(uuid.uuid4())
    held_here = (Run.source_id == source_id, Run.state == "held")
    # first, so that an officer who decides on it just now has decided, or will see that this run took its place; and
    # before it the source, as whoever deletes that does
    model.Session.execute(sa.select(Source.id).where(Source.id == source_id).with_for_update(read=True, key_share=True))
    model.Session.execute(sa.select(Run.id).where(*held_here).with_for_update())
    values = {"id": run_id, "source_id": source_id, "mode": mode, "trigger": trigger, "requested_by": requested_by}
    active = Run.__table__.c.state.in_(ACTIVE_STATES)
    statement = insert(Run).values(values).on_conflict_do_nothing(index_elements=["source_id"], index_where=active)
    if model.Session.execute(statement.returning(Run.id)).one_or_none() is None:
        return None
    if mode != "dry":
        held = sa.update(Run).where(*held_here)
        values = {"state": "cancelled", "finished": utcnow()}
        model.Session.execute(held.values(values).execution_options(synchronize_session=False))
    return run_id


def queue(
    source_id: str, mode: str = "normal", trigger: str = "person", requested_by: str | None = None
) -> tuple[str, bool]:
    """Queue a run of a source and commit; ``(run id, whether it is new)``: a source has one active run at most.

    Raises:
        sqlalchemy.exc.IntegrityError: there is no such source.
    """
    while True:
        try:
            run_id = add_run(source_id, mode, trigger, requested_by)
            model.Session.commit()
        except IntegrityError:
            model.Session.rollback()
            raise
        if run_id is not None:
            return run_id, True
        active = sa.select(Run.id).where(Run.source_id == source_id, Run.state.in_(ACTIVE_STATES))
        run_id = model.Session.execute(active).scalar_one_or_none()
        if run_id is not None:
            return run_id, False
        # the active run ended between the two statements


def claim(run_id: str) -> Lease | None:
    """Take a run that is queued, or whose worker is gone; None when somebody works on it, or nobody shall. Commits."""
    query = sa.select(Run).where(Run.id == run_id, Run.state.in_(("queued", "running")))
    query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    run = model.Session.execute(query).scalar_one_or_none()
    if run is None or (run.state == "running" and not abandoned(run)):
        model.Session.rollback()
        return None
    if run.control is not None:
        stop_here(run, run.control)
        model.Session.commit()
        return None
    now = utcnow()
    resumed, lost = run.started is not None, run.state == "running"
    worker = worker_name()
    run.state, run.worker, run.heartbeat, run.lease_until = "running", worker, now, now + LEASE
    run.started, run.claimed = run.started or now, now
    counters = {name: getattr(run, name) for name in COUNTERS}
    # what had been looked at but was not settled is looked at again
    settled = sum(counters.values()) - counters["withdrawn"]
    stuck = settled <= run.claimed_at_record
    run.workers_lost = (run.workers_lost if stuck else 0) + lost
    run.claimed_at_record = settled
    lease = Lease(
        run.id,
        run.source_id,
        run.mode,
        worker,
        resumed,
        counters,
        rules=dict(run.rules),
        checkpoint=settled,
        total=run.total,
        requests=run.requests,
        decision=run.decision,
        hopeless=run.workers_lost > _MOST_LOST,
    )
    model.Session.commit()
    return lease


def claim_next() -> Lease | None:
    """Take a run that is queued, else one that is abandoned; of the source with the highest priority, the oldest."""
    return next((lease for lease in map(claim, _waiting()) if lease is not None), None)


def claimable() -> int:
    """How many runs a worker could take now."""
    return len(_waiting())


def _waiting() -> list[str]:
    """Ids of the runs that are queued or abandoned, in the order in which they are to be taken.

    Abandoned ones last: should it be the run that ends its workers, the others are done before.
    """
    query = (
        sa.select(Run.id, Run.state, Run.worker, Run.lease_until)
        .join(Source, Source.id == Run.source_id)
        .where(Run.state.in_(("queued", "running")))
        .order_by(Run.state == "running", Source.priority.desc(), Run.created)
    )
    with engine().connect() as connection:
        rows = connection.execute(query).all()
    return [row.id for row in rows if row.state == "queued" or abandoned(row)]


def abandoned(run: Run | sa.Row[Any]) -> bool:
    """Whether nobody works on a run that was started: its lease has run out, or its worker's process has ended."""
    return run.lease_until is None or run.lease_until <= utcnow() or is_gone(run.worker)


def stop_here(run: Run, control: str) -> None:
    """Pause or cancel a run that nobody works on, in the session's transaction."""
    run.state, run.control, run.lease_until = _STOPPED[control], None, None
    if control == "cancel":
        run.finished = utcnow()
