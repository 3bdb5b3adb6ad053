"""Workers are woken through the queue, which may be down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.lib import jobs, redis
from tests.integration.harvesters.workers import start_command

from ckanext.openhuizhou.harvesters import engine, lease, wake


@pytest.mark.usefixtures("with_plugins", "with_request_context")
class TestWake:
    def test_puts_one_job_without_a_limit_of_time_into_the_queue(self):
        queue = jobs.get_queue()
        queue.empty()
        assert wake.wake("演示")
        job = queue.jobs[0]
        assert (len(queue.jobs), job.func, job.timeout, job.meta["title"]) == (1, engine.work, -1, "演示")
        queue.empty()

    def test_says_so_when_the_queue_is_down(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(tk.config, "ckan.redis.url", "redis://127.0.0.1:9/0")
        monkeypatch.setattr(redis, "_connection_pool", None)
        monkeypatch.setattr(jobs, "_queues", {})
        assert not wake.wake()

    def test_a_woken_worker_does_what_waits(
        self, department: Any, feed: Any, request: pytest.FixtureRequest, tmp_path: Path
    ):
        department.add("D-1", "D-2")
        run_id, _new = lease.queue(feed.source_id)
        assert wake.wake()
        model.Session.remove()
        worker = start_command(department, request, tmp_path, "jobs", "worker", "--burst")
        assert worker.wait(120) == 0
        run = feed.report(run_id)
        assert (run["state"], run["findings"], run["counts"], run["trigger"]) == ("done", [], {"added": 2}, "person")
        assert jobs.get_queue().jobs == []
