"""The scheduler: a process that ticks, and does nothing that could not be done twice.

One of several leads (``model.leader``); should two lead for a moment, row locks and unique keys keep them from doing
anything twice. What is due stands in PostgreSQL, so that a tick that failed is made up for by the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou import config
from ckanext.openhuizhou.data import jobs, quality
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.schedule import next_time
from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters import engine, lease
from ckanext.openhuizhou.harvesters.daily import Daily
from ckanext.openhuizhou.harvesters.wake import wake
from ckanext.openhuizhou.model.harvest import Outbox, Run, Source
from ckanext.openhuizhou.model.leader import Leader
from ckanext.openhuizhou.model.worker import wake_waits
from ckanext.openhuizhou.search import outbox

log = logging.getLogger(__name__)

#: Name of the lock, and of its connection in ``pg_stat_activity``.
NAME: Final = "openhuizhou scheduler"
#: Batches of the outbox in one tick; what is left waits for the next.
_BATCHES: Final = 3
#: How long datasets that cannot be indexed are left alone while nothing else waits.
_HOPELESS: Final = timedelta(minutes=10)
#: What has waited so long in the outbox is indexed although a run is under way.
_OVERDUE: Final = timedelta(minutes=1)
#: Only these sources have a schedule that counts.
_SCHEDULED: Final = sa.and_(Source.active, Source.approved, Source.schedule.is_not(None), Source.schedule != "")


class Scheduler:
    """``send_notices``: sends what mail is due. ``daily``: what is started once a day. ``clock``: now, in UTC."""

    def __init__(
        self, send_notices: Callable[[], object], daily: Daily, clock: Callable[[], datetime] = utcnow
    ) -> None:
        self.leader = Leader(NAME)
        self.clock = clock
        self._daily = daily
        self._index = IndexDuty(clock)
        self._duties: dict[str, Callable[[], object]] = {
            "queueing what is due": lambda: queue_due(self.clock()),
            "setting next runs": lambda: set_next_runs(self.clock()),
            "waking workers": wake_workers,
            "waking workers for tables": jobs.wake_if_needed,
            "draining the outbox": self._index.drain,
            "scoring what has changed": ScoreDuty(clock).refresh,
            "sending notices": send_notices,
            "daily work": lambda: daily.start_due(self.clock()),
        }
        self._failing: dict[str, str] = {}

    def run(self, stop: Event, interval: float) -> None:
        """Tick every ``interval`` seconds until ``stop`` is set."""
        led = False
        try:
            while not stop.is_set():
                leads = self.tick(stop)
                if leads != led:
                    log.info("This scheduler %s", "leads" if leads else "waits for its turn")
                led = leads
                stop.wait(interval)
        finally:
            self._daily.stop()
            self.leader.give_up()

    def tick(self, stop: Event | None = None) -> bool:
        """Do what is due now; whether this process leads. A duty that fails keeps no other from being done."""
        if not self.leader.leads():
            return False
        for name, duty in self._duties.items():
            if stop is not None and stop.is_set():
                break
            self._do(name, duty)
        return True

    def _do(self, name: str, duty: Callable[[], object]) -> None:
        try:
            duty()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"[:500]
            # a server that is down for hours is one line in the log, not one in every tick
            if self._failing.get(name) != type(error).__name__:
                log.exception("Failed: %s (%s)", name, reason)
            self._failing[name] = type(error).__name__
        else:
            if self._failing.pop(name, None):
                log.info("Works again: %s", name)
        finally:
            model.Session.remove()


def queue_due(now: datetime) -> list[str]:
    """Queue a run of each source that is due, and set when it is due next; ids of the runs that are new.

    However many times were missed, one run is queued. A source with an active run gets no second one.
    """
    queued: list[str] = []
    while (due := _take_due(now)) is not None:
        source_id, schedule, name = due
        values = {"next_run": _next_run(name, schedule, now)}
        model.Session.execute(sa.update(Source).where(Source.id == source_id).values(values))
        run_id = lease.add_run(source_id, trigger="schedule")
        # both or neither: a run without its next time would be queued again
        model.Session.commit()
        if run_id is not None:
            log.info("Run %s of source %s is due", run_id, name)
            queued.append(run_id)
    model.Session.rollback()
    return queued


def _take_due(now: datetime) -> tuple[str, str | None, str] | None:
    due = (
        sa.select(Source.id, Source.schedule, Source.name)
        .where(_SCHEDULED, Source.next_run <= now)
        .order_by(Source.next_run, Source.id)
        .limit(1)
    )
    # a source that another scheduler takes, or that somebody is editing, is left to the next tick
    row = model.Session.execute(due.with_for_update(skip_locked=True)).one_or_none()
    return None if row is None else (row.id, row.schedule, row.name)


def set_next_runs(now: datetime) -> int:
    """Set when sources are due whose schedule is new, and clear it where no schedule counts; how many changed."""
    counts_no_more = sa.update(Source).where(Source.next_run.is_not(None), sa.not_(_SCHEDULED)).values(next_run=None)
    cleared = model.Session.execute(counts_no_more.execution_options(synchronize_session=False))
    changed: int = cleared.rowcount  # pyright: ignore[reportAttributeAccessIssue]
    new = sa.select(Source.id, Source.schedule, Source.name).where(_SCHEDULED, Source.next_run.is_(None))
    for source_id, schedule, name in model.Session.execute(new.with_for_update(skip_locked=True)).all():
        next_run = _next_run(name, schedule, now)
        if next_run is not None:
            model.Session.execute(sa.update(Source).where(Source.id == source_id).values(next_run=next_run))
            changed += 1
    model.Session.commit()
    return changed


def _next_run(name: str, schedule: str | None, now: datetime) -> datetime | None:
    try:
        return next_time(schedule, now) if schedule else None
    except ConfigurationError as error:
        # forms and files refuse it; what got past them must not stop the others
        log.debug("Source %s is never due: %s", name, error)
        return None


def wake_workers() -> bool:
    """Wake a worker when a run waits for one and nobody was asked yet; whether one was.

    One at a time: while runs are left, each tick wakes one more, until all are taken or all workers are busy. So the
    wake job of a Valkey that was restarted is made again.
    """
    return lease.claimable() > 0 and not wake_waits(engine.work) and wake()


class IndexDuty:
    """Drains the outbox when nobody else does: after edits while Solr was down, or when a worker died before it did."""

    def __init__(self, clock: Callable[[], datetime] = utcnow) -> None:
        self._clock = clock
        self._hopeless: tuple[int, datetime] | None = None

    def drain(self) -> int:
        """How many datasets were indexed.

        Raises:
            ckan.lib.search.SearchIndexError: Solr does not answer.
        """
        last = model.Session.scalar(sa.select(sa.func.max(Outbox.id)))
        if last is None or self._left_alone(last) or self._run_drains():
            model.Session.rollback()
            return 0
        model.Session.rollback()
        sent = outbox.drain(limit=_BATCHES)
        left = model.Session.scalar(sa.select(sa.func.max(Outbox.id)))
        model.Session.rollback()
        # nothing went in and something is left: datasets that cannot be indexed
        self._hopeless = (left, self._clock() + _HOPELESS) if left is not None and sent == 0 else None
        return sent

    def _left_alone(self, last: int) -> bool:
        return self._hopeless is not None and last <= self._hopeless[0] and self._clock() < self._hopeless[1]

    @staticmethod
    def _run_drains() -> bool:
        """A run that is under way drains after every few batches, which may be long when its source is slow; a dry one
        never does."""
        waited = sa.func.localtimestamp() - sa.func.min(Outbox.created)
        if model.Session.scalar(sa.select(waited > _OVERDUE)):
            return False
        running = model.Session.scalars(sa.select(Run).where(Run.state == "running", Run.mode != "dry")).all()
        return any(not lease.abandoned(run) for run in running)


class ScoreDuty:
    """Scores entries that have changed: looks now and then, and at once again while there are more."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._next: datetime | None = None

    def refresh(self) -> None:
        now, interval = self._clock(), config.scores_interval()
        if interval and (self._next is None or now >= self._next):
            more = quality.refresh_stale() == quality.PAGE
            self._next = None if more else now + timedelta(seconds=interval)
