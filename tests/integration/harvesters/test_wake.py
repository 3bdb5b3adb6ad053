"""Workers are woken through the queue, which may be down."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
import pytest
from ckan.lib import jobs, redis

from ckanext.openhuizhou.harvesters import engine, wake


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
