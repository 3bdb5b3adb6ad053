"""A whole portal of its own for the chaos, and the ways to kill a part of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import psutil
from ckanapi import CKANAPIError, RemoteCKAN

from ckanext.openhuizhou.stack import process as processes
from ckanext.openhuizhou.stack import servers, shutdown, site
from ckanext.openhuizhou.stack.ini import options, site_url, write
from ckanext.openhuizhou.stack.layout import Layout, project_root
from ckanext.openhuizhou.stack.ports import find_free
from ckanext.openhuizhou.stack.services import Stack

SERVERS = ("valkey", "solr", "postgres")
ACTIVE = ("queued", "running", "paused")


class Portal:
    """``api``: as an administrator, over HTTP. What it does when a part is dead is the caller's to expect."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.layout = stack.layout
        self.api = RemoteCKAN(site_url(self.layout))

    def start(self, *, allowed: str) -> None:
        self.allowed = allowed
        self.stack.start_services()
        self._write_ini()
        self.stack.prepare_site()
        site.seed(self.layout, self.stack.state, self.stack.say)
        self.stack.supervisor.ensure(*self.stack.servers())
        token = site.ckan(self.layout, "user", "token", "add", "admin", "chaos").strip().splitlines()[-1].strip()
        self.api = RemoteCKAN(site_url(self.layout), apikey=token)

    def bring_back(self) -> None:
        """What is dead starts again; what lives is left alone."""
        self.stack.start_services()
        self._write_ini()
        self.stack.supervisor.ensure(*self.stack.servers())

    def _write_ini(self) -> None:
        own = options(self.layout, self.stack.secrets, self.stack.state.ports(), [self.allowed], [])
        write(self.layout, own)

    # sources

    def add_source(self, name: str, organization: str, config: dict[str, Any], mapping: dict[str, Any]) -> None:
        department = self.api.action.organization_show(id=organization)
        self.api.action.openhuizhou_source_create(
            name=name, title=name, organization_id=department["id"], kind="json-api", config=config, mapping=mapping
        )
        self.api.action.openhuizhou_source_approve(id=name)

    def run(self, name: str) -> str | None:
        """Ask for a run; its id, None when the portal does not take it now."""
        with suppress(CKANAPIError, OSError):
            return self.api.action.openhuizhou_harvest_run(source_id=name)["id"]
        return None

    def last_run(self, name: str) -> dict[str, Any]:
        return self.api.action.openhuizhou_harvest_run_list(source_id=name, limit=1)["results"][0]

    def wait_for_runs(self, names: list[str], seconds: float) -> bool:
        """Whether the last runs of these sources ended in time."""
        return processes.wait_until(lambda: all(self._over(name) for name in names), seconds)

    def _over(self, name: str) -> bool:
        with suppress(CKANAPIError, OSError):
            return self.last_run(name)["state"] not in ACTIVE
        return False

    # what it shows

    def shown(self, organization: str) -> dict[str, list[list[Any]]]:
        """Title → rows of every entry that a visitor finds."""
        with RemoteCKAN(site_url(self.layout)) as visitor:
            found = visitor.action.package_search(fq=f"organization:{organization}", rows=1000)["results"]
            shown = {}
            for entry in found:
                [resource] = entry["resources"]
                table = visitor.action.datastore_search(resource_id=resource["id"], limit=1000, sort="_id")
                shown[entry["title"]] = [[row["station"], int(row["reading"])] for row in table["records"]]
            return shown

    def reconcile(self) -> tuple[int, dict[str, Any]]:
        """Exit status and report of the command."""
        command = [str(Path(sys.executable).with_name("ckan")), "-c", str(self.layout.ini)]
        done = subprocess.run(
            [*command, "openhuizhou", "reconcile", "--deep", "--json"],
            capture_output=True,
            text=True,
            cwd=self.layout.data,
        )
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            return done.returncode, {"stdout": done.stdout[-2000:], "stderr": done.stderr[-2000:]}

    # killing

    def victims(self) -> dict[str, Callable[[], None]]:
        """Name → what ends it without a chance to say goodbye. One worker at a time: another one lives on."""
        whole = {name: lambda name=name: self._kill(self._members(name)) for name in (*SERVERS, "scheduler")}
        return {
            **whole,
            "worker": lambda: self._kill(self._members(self._busy())),
            "worker, its child lives on": lambda: self._kill([self.stack.supervisor.running(self._busy())]),
            "the worker's child": lambda: self._kill(self._children(self._busy())),
        }

    def _busy(self) -> str:
        """A worker that works on a job; the first when none does."""
        names = servers.worker_names()
        return next((name for name in names if any(map(_has_a_job, self._children(name)))), names[0])

    def _members(self, name: str) -> list[psutil.Process]:
        return self.stack.supervisor.members(name)

    def _children(self, name: str) -> list[psutil.Process]:
        first = self.stack.supervisor.running(name)
        return first.children(recursive=True) if first else []

    @staticmethod
    def _kill(victims: Sequence[psutil.Process | None]) -> None:
        for process in victims:
            if process is not None:
                with suppress(psutil.NoSuchProcess):
                    process.kill()


def _has_a_job(child: psutil.Process) -> bool:
    """RQ's own scheduler is a child of the worker, too; one with a job has a process group of its own."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        return os.getpgid(child.pid) == child.pid
    return False


@contextmanager
def portal(data: Path, say: Callable[[str], None]) -> Iterator[Portal]:
    """A portal in a folder of its own; stopped at the end, its logs kept."""
    layout = Layout(project_root(), data, find_free())
    with layout.locked():
        shutdown.stop_all(layout, say)
        shutdown.throw_away(layout)
        layout.create()
        try:
            yield Portal(Stack(layout, say))
        finally:
            shutdown.stop_all(layout, say)


def sample(random: Random, names: list[str]) -> list[str]:
    """One or two of them."""
    return random.sample(names, random.choice((1, 1, 2)))
