"""Any part may be killed at any moment; ``openhuizhou up`` brings the stack back. Two stacks do not disturb each other.

Runs after everything else that needs the portal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from ckanapi import RemoteCKAN

from ckanext.openhuizhou.stack import process as processes
from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.ports import find_free
from ckanext.openhuizhou.stack.supervisor import Supervisor

pytestmark = pytest.mark.stops_the_portal

Command = Callable[..., subprocess.CompletedProcess[str]]
PARTS = ("postgres", "valkey", "solr", "web", "worker", "scheduler", "department-huanbaoju")


@pytest.fixture
def supervisor(layout: Layout) -> Supervisor:
    return Supervisor(layout, lambda _: None)


@pytest.fixture
def pids(supervisor: Supervisor) -> Callable[[], dict[str, int]]:
    """The first process of each running part."""

    def running() -> dict[str, int]:
        found = {name: supervisor.running(name) for name in supervisor.known()}
        return {name: process.pid for name, process in found.items() if process}

    return running


@pytest.fixture
def figures(base_url: str) -> Callable[[], dict[str, Any]]:
    """What must be the same afterwards: the catalogue's size and rows of a table."""

    def read() -> dict[str, Any]:
        with RemoteCKAN(base_url) as portal:
            found = portal.action.package_search(fq="dataset_type:dataset", sort="name asc", rows=1)
            resource = found["results"][0]["resources"][0]["id"]
            return {
                "datasets": found["count"],
                "rows": portal.action.datastore_search(resource_id=resource, limit=0)["total"],
            }

    return read


def kill(process: psutil.Process | None) -> None:
    assert process is not None
    process.kill()
    assert processes.wait_until(lambda: not processes.lives(process), 10)


class TestKill:
    @pytest.mark.parametrize("name", PARTS)
    def test_a_killed_part_comes_back_and_the_others_are_left_alone(
        self, name: str, supervisor: Supervisor, openhuizhou: Command, pids: Callable, figures: Callable
    ):
        before, counted = pids(), figures()
        kill(supervisor.running(name))
        openhuizhou("up", "--no-harvest")
        after = pids()
        assert after.pop(name) != before.pop(name)
        assert after == before
        assert figures() == counted
        openhuizhou("status")

    def test_children_of_a_killed_web_server_do_not_keep_the_port(self, supervisor: Supervisor, openhuizhou: Command):
        web = supervisor.running("web")
        assert web is not None
        children = web.children()
        assert children
        kill(web)
        openhuizhou("up", "--no-harvest")
        assert not any(map(processes.lives, children))

    def test_a_power_cut_loses_nothing(
        self, layout: Layout, supervisor: Supervisor, openhuizhou: Command, pids: Callable, figures: Callable
    ):
        before, counted = pids(), figures()
        everything = {process for name in supervisor.known() for process in supervisor.members(name)}
        for process in everything:
            with suppress(psutil.NoSuchProcess):  # PostgreSQL's children end with their parent
                process.kill()
        assert processes.wait_until(lambda: not any(map(processes.lives, everything)), 20)
        assert (layout.postgres / "cluster" / "postmaster.pid").exists()
        openhuizhou("up", "--no-harvest")
        assert pids().keys() == before.keys()
        assert figures() == counted

    def test_a_pid_file_whose_number_another_program_has_harms_nobody(
        self, layout: Layout, supervisor: Supervisor, openhuizhou: Command
    ):
        kill(supervisor.running("worker"))
        path = layout.run / "worker.json"
        record = json.loads(path.read_text())
        with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as stranger:
            path.write_text(json.dumps({**record, "pid": stranger.pid}))
            openhuizhou("up", "--no-harvest")
            assert stranger.poll() is None
            stranger.kill()
        assert supervisor.running("worker") is not None


class TestSideBySide:
    @pytest.fixture
    def other(self, layout: Layout, tmp_path: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
        """A second stack's commands; it is stopped whatever happens."""
        environment = {
            **os.environ,
            "OPENHUIZHOU_DATA": str(tmp_path / "other"),
            "OPENHUIZHOU_PORT": str(find_free(avoid=[layout.web_port])),
        }
        command = str(Path(sys.executable).with_name("openhuizhou"))

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [command, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=300
            )

        yield run
        run("down")

    def test_a_second_stack_starts_and_ends_without_touching_the_first(
        self, layout: Layout, other: Command, openhuizhou: Command, pids: Callable, tmp_path: Path
    ):
        before = pids()
        started = other("up", "--services-only")
        assert started.returncode == 0, started.stdout + started.stderr
        second = Supervisor(replace(layout, data=tmp_path / "other"), lambda _: None)
        assert {"postgres", "valkey", "solr"} <= set(second.known())
        assert other("down").returncode == 0
        assert not any(second.running(name) for name in ("postgres", "valkey", "solr"))
        assert processes.marked_processes(tmp_path / "other") == []
        assert pids() == before
        openhuizhou("status")

    def test_a_busy_web_port_stops_before_anything_starts(self, layout: Layout, tmp_path: Path):
        environment = {
            **os.environ,
            "OPENHUIZHOU_DATA": str(tmp_path / "third"),
            "OPENHUIZHOU_PORT": str(layout.web_port),
        }
        done = subprocess.run(
            [str(Path(sys.executable).with_name("openhuizhou")), "up"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1
        assert f"port {layout.web_port} is used by another program" in done.stderr
        assert "OPENHUIZHOU_PORT" in done.stderr
        assert processes.marked_processes(tmp_path / "third") == []
