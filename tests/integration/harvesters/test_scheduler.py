"""The scheduler's duties, one tick after another, on a clock that the test turns."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib import jobs
from tests.integration.harvesters.conftest import Feed, make_feed

from ckanext.openhuizhou.domain.city_time import to_city
from ckanext.openhuizhou.harvesters.daily import Daily
from ckanext.openhuizhou.harvesters.scheduler import Scheduler
from ckanext.openhuizhou.model.harvest import Run, Source

#: Nothing listens there.
DEAD_SOLR = "http://127.0.0.1:9/solr/none"
NOON = dt.datetime.fromisoformat("2027-03-01T04:00")


class Clock:
    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def to(self, now: dt.datetime, **later: float) -> None:
        self.now = now + dt.timedelta(**later)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def ticking(feed: Feed, clock: Clock, app_context: None) -> Iterator[Scheduler]:
    """A scheduler that leads."""
    jobs.get_queue().empty()
    made = Scheduler(lambda: None, Daily(start=_nothing), clock)
    yield made
    made.leader.give_up()
    jobs.get_queue().empty()


@pytest.fixture
def app_context(with_plugins: None) -> None:
    """Integration tests have a request's context already; the process has that of the application."""


def _nothing(name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", ""])


def source_of(feed: Feed) -> sa.Row[Any]:
    model.Session.rollback()
    return model.Session.execute(sa.select(Source.__table__).where(Source.id == feed.source_id)).one()


def change(feed: Feed, **values: Any) -> None:
    model.Session.execute(sa.update(Source).where(Source.id == feed.source_id).values(values))
    model.Session.commit()


def runs_of(feed: Feed) -> list[sa.Row[Any]]:
    model.Session.rollback()
    table = Run.__table__
    return list(
        model.Session.execute(sa.select(table).where(table.c.source_id == feed.source_id).order_by(table.c.created))
    )


def wake_jobs() -> int:
    return len([job for job in jobs.get_queue().jobs if job.func_name.endswith("engine.work")])


class TestDue:
    def test_a_new_schedule_gets_a_time_and_its_run_at_that_time(self, feed: Feed, ticking: Scheduler, clock: Clock):
        change(feed, schedule="0 3 * * *")
        assert ticking.tick()
        due = source_of(feed).next_run
        assert to_city(due) == to_city(NOON).replace(hour=3) + dt.timedelta(days=1)
        clock.to(due, seconds=-1)
        ticking.tick()
        assert runs_of(feed) == []
        clock.to(due)
        ticking.tick()
        [run] = runs_of(feed)
        assert (run.state, run.mode, run.trigger, run.requested_by) == ("queued", "normal", "schedule", None)

    def test_thirty_days_at_three_however_late_the_ticks_are(self, feed: Feed, ticking: Scheduler, clock: Clock):
        change(feed, schedule="0 3 * * *")
        ticking.tick()
        times = []
        for day in range(30):
            due = source_of(feed).next_run
            times.append(to_city(due).strftime("%d %H:%M:%S"))
            clock.to(due, minutes=day * 40)
            ticking.tick()
            ticking.tick()
            model.Session.execute(sa.update(Run).where(Run.source_id == feed.source_id).values(state="done"))
            model.Session.commit()
        assert times == [f"{day:02} 03:00:00" for day in range(2, 32)]
        assert len(runs_of(feed)) == 30

    def test_missed_times_run_once(self, feed: Feed, ticking: Scheduler, clock: Clock):
        change(feed, schedule="*/10 * * * *")
        ticking.tick()
        clock.to(NOON, days=3)
        ticking.tick()
        ticking.tick()
        assert len(runs_of(feed)) == 1
        assert source_of(feed).next_run > clock()

    def test_a_run_that_is_under_way_is_not_followed_by_another(self, feed: Feed, ticking: Scheduler, clock: Clock):
        change(feed, schedule="0 3 * * *", next_run=NOON)
        run_id, _new = scheduler_queue(feed)
        ticking.tick()
        assert [run.id for run in runs_of(feed)] == [run_id]
        assert source_of(feed).next_run > NOON

    @pytest.mark.parametrize("values", [{"active": False}, {"approved": False}, {"schedule": None}, {"schedule": ""}])
    def test_who_has_no_schedule_that_counts_is_never_due(self, feed: Feed, ticking: Scheduler, values: dict[str, Any]):
        change(feed, **{"schedule": "0 3 * * *", "next_run": NOON - dt.timedelta(days=1), **values})
        ticking.tick()
        assert source_of(feed).next_run is None
        assert runs_of(feed) == []

    def test_an_expression_that_is_none_stops_no_other(
        self, department: Any, feed: Feed, ticking: Scheduler, clock: Clock
    ):
        change(feed, schedule="0 0 30 2 *", next_run=NOON - dt.timedelta(days=1))
        name = feed.name + "-b"
        other = make_feed(
            department, id=scheduler_id(name), name=name, schedule="0 3 * * *", next_run=NOON - dt.timedelta(hours=1)
        )
        ticking.tick()
        assert len(runs_of(Feed(scheduler_id(name), name))) == 1
        assert source_of(feed).next_run is None
        assert other is not None

    def test_a_source_that_somebody_edits_waits_for_the_next_tick(self, feed: Feed, ticking: Scheduler):
        change(feed, schedule="0 3 * * *", next_run=NOON)
        with engine_connection() as editing:
            editing.execute(sa.select(Source.id).where(Source.id == feed.source_id).with_for_update())
            ticking.tick()
            assert runs_of(feed) == []
            editing.rollback()
        ticking.tick()
        assert len(runs_of(feed)) == 1


def scheduler_queue(feed: Feed) -> tuple[str, bool]:
    from ckanext.openhuizhou.harvesters import lease

    return lease.queue(feed.source_id)


def scheduler_id(name: str) -> str:
    from ckanext.openhuizhou.model.harvest import source_id_of

    return source_id_of(name)


@contextmanager
def engine_connection() -> Iterator[sa.Connection]:
    engine_ = model.meta.engine
    assert engine_ is not None
    with engine_.connect() as connection:
        yield connection
