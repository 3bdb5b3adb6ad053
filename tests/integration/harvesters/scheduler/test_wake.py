"""Workers are woken while runs wait, and the outbox is drained while nobody else does it."""

from __future__ import annotations

import datetime as dt
import os
import socket
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib import jobs
from tests.integration.harvesters.conftest import Feed
from tests.integration.harvesters.scheduler.steps import (
    DEAD_SOLR,
    NOON,
    Clock,
    change,
    change_run,
    execute,
    restart_valkey_empty,
    runs_of,
    wake_jobs,
    work_off,
)

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.harvesters import lease
from ckanext.openhuizhou.harvesters.scheduler import Scheduler
from ckanext.openhuizhou.model.harvest import Outbox, dataset_id_of
from ckanext.openhuizhou.search import outbox


class TestWake:
    def test_a_run_that_waits_wakes_one_worker(self, feed: Feed, ticking: Scheduler):
        lease.queue(feed.source_id)
        ticking.tick()
        ticking.tick()
        assert wake_jobs() == 1

    def test_nobody_is_woken_fornothing(self, feed: Feed, ticking: Scheduler):
        ticking.tick()
        assert wake_jobs() == 0

    def test_while_runs_are_left_another_worker_is_woken(self, feed: Feed, ticking: Scheduler):
        """Whoever took the first job may be busy for hours."""
        lease.queue(feed.source_id)
        ticking.tick()
        jobs.get_queue().empty()
        ticking.tick()
        assert wake_jobs() == 1

    @pytest.mark.parametrize("state", ["paused", "held", "done"])
    def test_what_waits_for_a_person_wakes_nobody(self, feed: Feed, ticking: Scheduler, state: str):
        run_id, _new = lease.queue(feed.source_id)
        change_run(run_id, state=state)
        ticking.tick()
        assert wake_jobs() == 0

    @pytest.mark.parametrize("gone", ["lease", "process"])
    def test_a_run_whose_worker_is_gone_is_taken_over(self, department: Any, feed: Feed, ticking: Scheduler, gone: str):
        department.add("D-1")
        run_id, _new = lease.queue(feed.source_id)
        assert lease.claim(run_id) is not None
        ticking.tick()
        assert wake_jobs() == 0
        if gone == "lease":
            change_run(run_id, worker="elsewhere:1:1", lease_until=utcnow() - dt.timedelta(seconds=1))
        else:
            change_run(run_id, worker=f"{socket.gethostname()}:{os.getpid()}:1")
        ticking.tick()
        assert wake_jobs() == 1
        assert work_off() == 1
        assert feed.report(run_id)["state"] == "done"

    def test_a_wake_job_that_valkey_forgot_is_made_again(
        self, department: Any, feed: Feed, ticking: Scheduler, clock: Clock
    ):
        """Valkey is restarted, without what was in it, after the run was queued and before a worker came."""
        department.add("D-1")
        change(feed, schedule="0 3 * * *", next_run=NOON)
        ticking.tick()
        assert wake_jobs() == 1
        restart_valkey_empty()
        assert wake_jobs() == 0
        ticking.tick()
        assert wake_jobs() == 1
        assert work_off() == 1
        [run] = runs_of(feed)
        assert (run.state, run.added) == ("done", 1)

    def test_while_valkey_is_down_the_rest_is_done(
        self, department: Any, feed: Feed, ticking: Scheduler, monkeypatch: pytest.MonkeyPatch
    ):
        change(feed, schedule="0 3 * * *", next_run=NOON)
        with monkeypatch.context() as down:
            down.setitem(tk.config, "ckan.redis.url", "redis://127.0.0.1:9/0")
            down.setattr(jobs, "_queues", {})
            ticking.tick()
        assert [run.state for run in runs_of(feed)] == ["queued"]
        ticking.tick()
        assert wake_jobs() == 1


class TestIndex:
    def test_what_waits_is_indexed_when_no_run_does_it(self, department: Any, feed: Feed, ticking: Scheduler):
        department.add("D-1")
        feed.run()
        outbox.enqueue(dataset_id_of(feed.source_id, "D-1"))
        model.Session.commit()
        ticking.tick()
        assert outbox.waiting() == 0

    def test_a_run_that_works_indexes_by_itself(self, feed: Feed, ticking: Scheduler):
        run_id, _new = lease.queue(feed.source_id)
        assert lease.claim(run_id) is not None
        outbox.enqueue("no-such-entry")
        model.Session.commit()
        ticking.tick()
        assert outbox.waiting() == 1
        change_run(run_id, state="done")
        ticking.tick()
        assert outbox.waiting() == 0

    def test_what_a_slow_run_has_written_does_not_wait_for_its_end(self, feed: Feed, ticking: Scheduler):
        run_id, _new = lease.queue(feed.source_id)
        assert lease.claim(run_id) is not None
        outbox.enqueue("no-such-entry")
        model.Session.execute(sa.update(Outbox).values(created=sa.text("localtimestamp - interval '2 minutes'")))
        model.Session.commit()
        ticking.tick()
        assert outbox.waiting() == 0
        change_run(run_id, state="done")

    def test_a_dry_run_keeps_nothing_waiting(self, feed: Feed, ticking: Scheduler):
        run_id, _new = lease.queue(feed.source_id, "dry")
        assert lease.claim(run_id) is not None
        outbox.enqueue("no-such-entry")
        model.Session.commit()
        ticking.tick()
        assert outbox.waiting() == 0
        change_run(run_id, state="done")

    def test_a_dead_index_stopsnothing_and_is_one_line_in_the_log(
        self,
        feed: Feed,
        ticking: Scheduler,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ):
        outbox.enqueue("no-such-entry")
        model.Session.commit()
        with monkeypatch.context() as down:
            down.setitem(tk.config, "solr_url", DEAD_SOLR)
            for _ in range(3):
                ticking.tick()
            lease.queue(feed.source_id)
            ticking.tick()
        assert wake_jobs() == 1
        assert len([one for one in caplog.records if "Failed: draining" in one.message]) == 1
        ticking.tick()
        assert outbox.waiting() == 0
        assert any("Works again: draining" in one.message for one in caplog.records)

    def test_what_cannot_be_indexed_is_not_tried_in_every_tick(
        self, department: Any, feed: Feed, ticking: Scheduler, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ):
        department.add("D-1", "D-2")
        feed.run()
        tries: list[int] = []
        drain = outbox.drain
        monkeypatch.setattr(outbox, "drain", lambda **options: tries.append(1) or drain(**options))
        broken, good = (dataset_id_of(feed.source_id, key) for key in ("D-1", "D-2"))
        execute(sa.update(model.Package).where(model.Package.id == broken).values(metadata_created=None))
        outbox.enqueue(broken)
        model.Session.commit()
        for _ in range(3):
            ticking.tick()
        assert len(tries) == 1
        outbox.enqueue(good)
        model.Session.commit()
        ticking.tick()
        assert len(tries) == 2
        clock.to(NOON, minutes=30)
        ticking.tick()
        assert len(tries) == 3
        execute(sa.update(model.Package).where(model.Package.id == broken).values(metadata_created=utcnow()))
