"""Points 1, 2, 4 and 5 of docs/harvest-failures.md: real workers that take jobs from the queue are killed, woken twice,
and set on one source; a real scheduler sees to it that the work is done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import psutil
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib import jobs
from ckanext.activity.model import Activity
from tests.conftest import WebServer
from tests.integration.harvesters.conftest import Department, Feed
from tests.integration.harvesters.pool import Pool, frozen, kill, no_run_can_be_read, stands_before_a_lock, state_of
from tests.integration.harvesters.workers import until

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.harvesters import engine, lease, wake
from ckanext.openhuizhou.model.harvest import Run, dataset_id_of
from ckanext.openhuizhou.search import outbox

#: More than one batch is written.
MANY = [f"D-{number:03}" for number in range(103)]
FEW = MANY[:3]
PATIENCE = 120

pytestmark = pytest.mark.usefixtures("equal_counts")


@pytest.fixture(scope="module")
def web() -> Iterator[WebServer]:
    """One for all tests, because the workers are told once which address they may read."""
    server = WebServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def processes(
    web: WebServer, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pool]:
    ini = tmp_path_factory.mktemp("pool") / "pool.ini"
    base = Path(str(request.config.getoption("--ckan-ini"))).resolve()
    own = {
        "ckanext.openhuizhou.allowed_hosts": web.host,
        "ckanext.openhuizhou.scheduler_interval": "1",
        # scores would fill the outbox while it is looked at
        "ckanext.openhuizhou.scores_interval": "0",
    }
    lines = "".join(f"{name} = {value}\n" for name, value in own.items())
    ini.write_text(f"[app:main]\nuse = config:{base}\n{lines}")
    made = Pool(ini)
    yield made
    made.end()


@pytest.fixture
def pool(processes: Pool, feed: Feed, web: WebServer) -> Pool:
    """With every worker at work, nothing in the queue and nothing asked."""
    jobs.get_queue().empty()
    web.requests.clear()
    processes.fill()
    return processes


class Gate:
    """A request of the source that does not come back until it is opened."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def __call__(self, *_arguments: Any) -> None:
        self.reached.set()
        self._open.wait(PATIENCE)

    def wait(self) -> None:
        assert self.reached.wait(PATIENCE), "nobody came"

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def before_catalogue(department: Department) -> Iterator[Gate]:
    """Shut while the run is claimed and nothing is written."""
    gate, answer = Gate(), department.web.pages["/catalog"]
    department.web.pages["/catalog"] = lambda handler: gate(handler) or answer(handler)
    yield gate
    gate.open()


@pytest.fixture
def before_last_rows(department: Department) -> Iterator[Gate]:
    """Shut while the second batch is read, the first of which is written."""
    gate = Gate()
    department.before_rows = lambda key: gate() if key == MANY[-2] else None
    yield gate
    gate.open()


def start(feed: Feed) -> str:
    """A run that a worker is told of."""
    run_id, new = lease.queue(feed.source_id)
    assert new
    assert wake.wake()
    model.Session.remove()
    return run_id


def finished(feed: Feed, run_id: str) -> dict[str, Any]:
    until(lambda: state_of(run_id) not in ("queued", "running"), PATIENCE)
    until(nothing_waits, PATIENCE)
    return feed.report(run_id)


def nothing_waits() -> bool:
    """For the index, which a worker tells after the end of the run."""
    left = outbox.waiting()
    model.Session.remove()
    return left == 0


def victims(pool: Pool, name: str) -> list[psutil.Process]:
    worker, child = pool.busy()
    return {"child": [child], "worker": [worker], "both": [worker, child]}[name]


def published_once(feed: Feed, run: dict[str, Any], keys: list[str]) -> None:
    """Every record has its entry, which was made one time, and the next run finds nothing to do."""
    assert (run["state"], run["counts"], run["findings"]) == ("done", {"added": len(keys)}, [])
    assert feed.keys("published") == set(keys)
    ids = [dataset_id_of(feed.source_id, key) for key in keys]
    made = sa.select(sa.func.count()).select_from(Activity).where(Activity.object_id.in_(ids))
    assert model.Session.scalar(made.where(Activity.activity_type == "new package")) == len(keys)
    assert feed.run()["counts"] == {"unchanged": len(keys)}


class TestPoint1KilledBeforeTheFirstWrite:
    @pytest.mark.parametrize("victim", ["child", "both"])
    def test_after_the_job_left_the_queue_and_before_the_run_was_claimed(
        self, department: Department, feed: Feed, pool: Pool, victim: str
    ):
        department.add(*FEW)
        with no_run_can_be_read():
            run_id = str(lease.add_run(feed.source_id))
            assert wake.wake()
            _worker, child = pool.busy()
            until(lambda: stands_before_a_lock(child))
            assert jobs.get_queue().jobs == []
            kill(*victims(pool, victim))
        published_once(feed, finished(feed, run_id), FEW)

    @pytest.mark.parametrize("victim", ["child", "worker", "both"])
    def test_after_the_run_was_claimed(
        self, department: Department, feed: Feed, pool: Pool, before_catalogue: Gate, victim: str
    ):
        department.add(*FEW)
        run_id = start(feed)
        before_catalogue.wait()
        assert state_of(run_id) == "running"
        kill(*victims(pool, victim))
        before_catalogue.open()
        published_once(feed, finished(feed, run_id), FEW)


class TestPoint2KilledDuringTheImport:
    @pytest.mark.parametrize("victim", ["child", "worker", "both"])
    def test_the_rest_is_done_and_nothing_twice(
        self, department: Department, feed: Feed, pool: Pool, before_last_rows: Gate, victim: str
    ):
        department.add(*MANY)
        run_id = start(feed)
        before_last_rows.wait()
        assert feed.keys("published") == set(MANY[:100])
        model.Session.remove()
        kill(*victims(pool, victim))
        before_last_rows.open()
        published_once(feed, finished(feed, run_id), MANY)


class TestPoint4DeliveredTwice:
    def test_at_the_same_time(self, department: Department, feed: Feed, pool: Pool, before_catalogue: Gate):
        department.add(*FEW)
        run_id = start(feed)
        before_catalogue.wait()
        again = tk.enqueue_job(engine.work)
        until(lambda: again.is_finished, PATIENCE)
        assert state_of(run_id) == "running"
        before_catalogue.open()
        run = finished(feed, run_id)
        assert department.paths().count("/catalog") == 1
        published_once(feed, run, FEW)

    def test_once_more_when_it_is_done(self, department: Department, feed: Feed, pool: Pool):
        department.add(*FEW)
        run_id, _new = lease.queue(feed.source_id)
        job = tk.enqueue_job(engine.work)
        run = finished(feed, run_id)
        until(lambda: job.is_finished, PATIENCE)
        department.web.requests.clear()
        ended = job.ended_at
        jobs.get_queue().enqueue_job(job)
        until(lambda: job.refresh() or (job.is_finished and job.ended_at != ended), PATIENCE)
        assert department.paths() == []
        published_once(feed, run, FEW)


class TestPoint5TwoWorkersOneSource:
    def test_the_second_does_not_read_it(self, department: Department, feed: Feed, pool: Pool, before_catalogue: Gate):
        department.add(*FEW)
        run_id = start(feed)
        before_catalogue.wait()
        assert lease.queue(feed.source_id) == (run_id, False)
        assert engine.run_source(feed.source_id) is None
        before_catalogue.open()
        run = finished(feed, run_id)
        assert department.paths().count("/catalog") == 1
        published_once(feed, run, FEW)

    def test_one_that_slept_through_its_lease_writes_nothing_when_it_wakes(
        self, department: Department, feed: Feed, pool: Pool, before_last_rows: Gate
    ):
        """A machine that stood still: its worker lives, and does not know that another has done its work."""
        department.add(*MANY)
        run_id = start(feed)
        before_last_rows.wait()
        _worker, child = pool.busy()
        with frozen(child):
            late = {"lease_until": utcnow() - timedelta(seconds=1)}
            model.Session.execute(sa.update(Run).where(Run.id == run_id).values(late))
            model.Session.commit()
            before_last_rows.open()
            run = finished(feed, run_id)
        until(pool.idle, PATIENCE)
        published_once(feed, run, MANY)
