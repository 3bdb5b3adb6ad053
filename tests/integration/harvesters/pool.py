"""Job workers and a scheduler in processes of their own, as on a real machine, which a test may kill or freeze."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import sqlalchemy as sa
from ckan import model
from tests.integration.harvesters.workers import until

from ckanext.openhuizhou.model.database import engine
from ckanext.openhuizhou.model.harvest import Run


class Pool:
    """Always so many workers that take jobs from the queue, and one scheduler that looks every second."""

    def __init__(self, ini: Path, size: int = 2) -> None:
        self._ini = ini
        self._size = size
        self._started: list[subprocess.Popen[bytes]] = []
        self.workers: list[psutil.Process] = []
        self.scheduler = self._start("openhuizhou", "harvest", "schedule")

    def fill(self) -> None:
        """Start a worker for each one that was killed."""
        self.workers = [worker for worker in self.workers if _alive(worker)]
        while len(self.workers) < self._size:
            self.workers.append(self._start("jobs", "worker"))

    def busy(self) -> tuple[psutil.Process, psutil.Process]:
        """The worker that works on a job, and the child that it forked for it; waits until there is one."""
        found: list[tuple[psutil.Process, psutil.Process]] = []
        until(lambda: found.extend(self._busy()) or found)
        return found[0]

    def idle(self) -> bool:
        return not list(self._busy())

    def end(self) -> None:
        for process in [*self.workers, *(child for _worker, child in self._busy()), self.scheduler]:
            kill(process)
        for process in self._started:
            process.wait()

    def _busy(self) -> Iterator[tuple[psutil.Process, psutil.Process]]:
        for worker in self.workers:
            with suppress(psutil.NoSuchProcess):
                yield from ((worker, child) for child in worker.children() if _has_a_job(child))

    def _start(self, *command: str) -> psutil.Process:
        ckan = Path(sys.executable).with_name("ckan")
        with self._ini.with_suffix(".log").open("ab") as log:
            started = subprocess.Popen(
                [str(ckan), "-c", str(self._ini), *command], stdout=log, stderr=log, start_new_session=True
            )
        self._started.append(started)
        return psutil.Process(started.pid)


def kill(*processes: psutil.Process) -> None:
    """SIGKILL; they are gone afterwards."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    until(lambda: not any(map(_alive, processes)))


@contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    """It does nothing meanwhile, and does not know it."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


@contextmanager
def no_run_can_be_read() -> Iterator[None]:
    """Who wants to take a run waits as long as this lasts; what the session adds meanwhile is there afterwards."""
    model.Session.execute(sa.text(f"LOCK TABLE {Run.__tablename__} IN ACCESS EXCLUSIVE MODE"))
    yield
    model.Session.commit()


def stands_before_a_lock(process: psutil.Process) -> bool:
    """Whether one of its connections waits in PostgreSQL for what somebody else holds."""
    query = "SELECT client_port FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with engine().connect() as connection:
        waiting = set(connection.scalars(sa.text(query)))
    with suppress(psutil.NoSuchProcess):
        return any(one.laddr and one.laddr.port in waiting for one in process.net_connections())
    return False


def state_of(run_id: str) -> str:
    model.Session.rollback()
    state = model.Session.scalar(sa.select(Run.state).where(Run.id == run_id))
    model.Session.remove()
    return str(state)


def _has_a_job(child: psutil.Process) -> bool:
    """RQ's own scheduler is a child of the worker, too; a child with a job has a process group of its own."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        return os.getpgid(child.pid) == child.pid and _alive(child)
    return False


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
