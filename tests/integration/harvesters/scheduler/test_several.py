"""Several schedulers on one database."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib import jobs
from tests.integration.harvesters.conftest import Feed
from tests.integration.harvesters.scheduler.steps import (
    NOON,
    change,
    change_run,
    execute,
    runs_of,
)

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.harvesters import scheduler
from ckanext.openhuizhou.harvesters.scheduler import NAME, Scheduler
from ckanext.openhuizhou.model.harvest import Source
from ckanext.openhuizhou.model.leader import Leader


class TestSeveral:
    """Real processes on one database."""

    @pytest.fixture
    def start(
        self, feed: Feed, request: pytest.FixtureRequest, tmp_path: Path
    ) -> Iterator[Callable[[], subprocess.Popen[str]]]:
        jobs.get_queue().empty()
        base = Path(str(request.config.getoption("--ckan-ini"))).resolve()
        ini = tmp_path / "scheduler.ini"
        ini.write_text(f"[app:main]\nuse = config:{base}\nckanext.openhuizhou.scheduler_interval = 1\n")
        ckan = Path(sys.executable).with_name("ckan")
        processes: list[subprocess.Popen[str]] = []

        def start_one() -> subprocess.Popen[str]:
            command = [str(ckan), "-c", str(ini), "openhuizhou", "harvest", "schedule"]
            processes.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
            return processes[-1]

        yield start_one
        for process in processes:
            process.kill()
            process.communicate()
        jobs.get_queue().empty()

    @staticmethod
    def until(process: subprocess.Popen[str], words: str) -> None:
        assert process.stderr is not None
        assert any(words in line for line in process.stderr)

    def test_two_queue_one_run_and_the_second_leads_when_the_first_is_killed(
        self, feed: Feed, start: Callable[[], subprocess.Popen[str]]
    ):
        first = start()
        self.until(first, "This scheduler leads")
        second = start()
        change(feed, schedule="0 3 * * *", next_run=utcnow() - dt.timedelta(hours=1))
        self.until(first, "is due")
        [run] = runs_of(feed)
        change_run(run.id, state="done")
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        self.until(second, "This scheduler leads")
        change(feed, next_run=utcnow() - dt.timedelta(hours=1))
        self.until(second, "is due")
        assert len(runs_of(feed)) == 2

    def test_it_ends_at_once_when_it_is_told_to(self, start: Callable[[], subprocess.Popen[str]]):
        process = start()
        self.until(process, "This scheduler leads")
        began = time.monotonic()
        process.terminate()
        assert process.wait(10) == 0
        assert time.monotonic() - began < 3

    def test_a_leader_whose_connection_died_leads_no_more(self, ticking: Scheduler):
        assert ticking.leader.leads()
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
        execute(sa.text(query), name=ticking.leader.application_name)
        assert not ticking.leader.leads()
        other = Leader(NAME)
        assert other.leads()
        assert not ticking.tick()
        other.give_up()
        assert ticking.tick()

    def test_ten_at_once_queue_one_run(self, feed: Feed, with_plugins: None):
        """Also when all of them lead, as after a split."""
        execute(sa.update(Source).values(next_run=None))
        change(feed, schedule="*/5 * * * *", next_run=NOON)
        together = Barrier(10)

        def queue() -> list[str]:
            together.wait()
            try:
                return scheduler.queue_due(NOON)
            finally:
                model.Session.remove()

        with ThreadPoolExecutor(10) as pool:
            queued = [run_id for found in pool.map(lambda _number: queue(), range(10)) for run_id in found]
        assert [run.id for run in runs_of(feed)] == queued
        assert len(queued) == 1
