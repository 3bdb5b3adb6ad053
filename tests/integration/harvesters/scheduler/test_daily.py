"""What is done once a day."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from tests.integration.harvesters.conftest import Feed
from tests.integration.harvesters.scheduler.steps import (
    Clock,
    execute,
    nothing,
)

from ckanext.openhuizhou.harvesters.daily import Daily, start_command


class TestDaily:
    @pytest.fixture
    def started(self, feed: Feed, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
        names: list[str] = []

        def start(name: str) -> subprocess.Popen[bytes]:
            names.append(name)
            return subprocess.Popen([sys.executable, "-c", self.program])

        # every hour elsewhere; here only what happens at night is looked at
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.links_schedule", "0 0 1 1 *")
        self.program = ""
        self.daily = Daily(start)
        for name in ("retention", "reconcile", "links"):
            execute(sa.delete(model.SystemInfo).where(model.SystemInfo.key == f"openhuizhou.last_{name}"))
        yield names
        self.daily.stop()

    def end(self) -> None:
        assert self.daily._running is not None
        self.daily._running[1].wait(30)

    def at(self, clock_time: str) -> str | None:
        """Both are due in the night: 01:30 and 04:30 in the city."""
        return self.daily.start_due(dt.datetime.fromisoformat(clock_time) - dt.timedelta(hours=8))

    def test_each_once_a_day_at_its_time(self, started: list[str]):
        assert self.at("2027-03-01T00:00") is None
        assert self.at("2027-03-01T01:29") is None
        assert self.at("2027-03-01T01:31") == "retention"
        self.end()
        assert self.at("2027-03-01T01:32") is None
        assert self.at("2027-03-01T04:31") == "reconcile"
        self.end()
        assert self.at("2027-03-01T23:59") is None
        assert self.at("2027-03-02T01:30:01") == "retention"
        assert started == ["retention", "reconcile", "retention"]

    def test_one_at_a_time(self, started: list[str]):
        self.at("2027-03-01T00:00")
        self.program = "import sys; sys.stdin.read()"
        self.daily._start = lambda name: subprocess.Popen(
            [sys.executable, "-c", self.program], stdin=subprocess.PIPE
        )  # ends when its standard input does
        assert self.at("2027-03-01T09:00") == "retention"
        assert self.at("2027-03-01T09:01") is None
        assert self.daily._running is not None
        running = self.daily._running[1]
        assert running.stdin is not None
        running.stdin.close()
        running.wait(30)
        assert self.at("2027-03-01T09:02") == "reconcile"

    def test_a_scheduler_that_was_started_anew_remembers(self, started: list[str]):
        self.at("2027-03-01T00:00")
        self.at("2027-03-01T01:31")
        assert Daily(nothing).start_due(dt.datetime.fromisoformat("2027-02-28T17:32")) is None

    def test_a_missed_night_is_made_up_for_once(self, started: list[str]):
        self.at("2027-03-01T00:00")
        assert self.at("2027-03-05T12:00") == "retention"
        self.end()
        assert self.at("2027-03-05T12:01") == "reconcile"
        self.end()
        assert self.at("2027-03-05T12:02") is None

    def test_what_is_started_are_our_commands(self, feed: Feed):
        with start_command("reconcile") as process:
            assert process.wait(120) in (0, 1, 2)
