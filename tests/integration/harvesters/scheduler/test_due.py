"""Sources that are due, one tick after another."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from tests.integration.harvesters.conftest import Feed, make_feed
from tests.integration.harvesters.scheduler.steps import (
    NOON,
    Clock,
    change,
    engine_connection,
    runs_of,
    source_of,
)

from ckanext.openhuizhou.domain.city_time import to_city
from ckanext.openhuizhou.harvesters import lease
from ckanext.openhuizhou.harvesters.scheduler import Scheduler
from ckanext.openhuizhou.model.harvest import Run, Source, source_id_of


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
        run_id, _new = lease.queue(feed.source_id)
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
            department, id=source_id_of(name), name=name, schedule="0 3 * * *", next_run=NOON - dt.timedelta(hours=1)
        )
        ticking.tick()
        assert len(runs_of(Feed(source_id_of(name), name))) == 1
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
