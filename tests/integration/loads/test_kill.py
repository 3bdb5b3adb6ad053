"""kill -9 at every step of a load: readers are served all along, the next worker finishes it, and nothing is left."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ckan import model
from ckan.lib import jobs as queue
from ckanext.datastore.backend.postgres import get_write_engine
from tests.integration.harvesters.workers import kill, until

from ckanext.openhuizhou.data import datastore_tables, files, job_lease, jobs, load_job, uploads
from ckanext.openhuizhou.harvesters.reconcile import reconcile
from ckanext.openhuizhou.model import load
from ckanext.openhuizhou.model.data_job import DataJob
from ckanext.openhuizhou.model.load import load_of

from .conftest import Bureau, leftovers, live, published, rows, upload

#: Step → what a worker calls when it begins.
STEPS: dict[str, tuple[Any, str]] = {
    "reading": (job_lease.JobLease, "moved"),
    "copy": (datastore_tables, "copy_to_staging"),
    "entry": (load_job, "write_entry"),
    "swap": (datastore_tables, "swap_in"),
    "file": (files, "move_in"),
    "verdict": (load, "record_ok"),
    "index": (load_job, "follow"),
    "end": (job_lease.JobLease, "end"),
}


def _work_and_die(app: Any, step: str) -> None:
    for engine in (get_write_engine(), model.meta.engine):
        assert engine is not None
        engine.dispose(close=False)

    def die(*_args: Any, **_kwargs: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(*STEPS[step], die)
    with app.flask_app.test_request_context():
        jobs.work()


def killed_at(bureau: Bureau, step: str) -> None:
    """A worker that is killed when it begins a step."""
    model.Session.remove()
    child = multiprocessing.get_context("fork").Process(target=_work_and_die, args=(bureau.app, step))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL


def start(bureau: Bureau, resource_id: str, text: str, mode: str = "replace") -> str:
    given = {"resource_id": resource_id, "mode": mode, "file": upload(text)}
    return bureau.act("editor", "openhuizhou_load_start", **given)["id"]


class TestKill:
    @pytest.mark.parametrize("step", STEPS)
    def test_readers_have_a_whole_table_and_the_next_worker_finishes(
        self, bureau: Bureau, entry: dict[str, Any], resource_id: str, step: str
    ):
        bureau.load(resource_id, rows(1, 2))
        job_id = start(bureau, resource_id, rows(3, 4, 5))
        killed_at(bureau, step)
        assert [row[0] for row in live(resource_id)] in (["001", "002"], ["003", "004", "005"])
        assert len(published(resource_id)) in (2, 3)
        assert bureau.job(job_id).state == "running"
        assert jobs.claimable() == 1
        bureau.work()
        job = bureau.job(job_id)
        assert (job.state, job.attempts, job.rows) == ("done", 2, 3)
        assert [row[0] for row in live(resource_id)] == ["003", "004", "005"]
        assert len(published(resource_id)) == 3
        verdict = load_of(resource_id)
        assert verdict is not None
        assert (verdict.verdict, verdict.rows, verdict.digest) == ("ok", 3, job.digest)
        shown = bureau.act("visitor", "package_show", id=entry["id"])
        assert (shown["row_count"], shown["resources"][0]["hash"]) == (3, job.digest)
        assert leftovers(resource_id) == []

    @pytest.mark.parametrize("step", ["swap", "file"])
    def test_one_that_is_killed_again_and_again_is_given_up_and_says_so(
        self, bureau: Bureau, resource_id: str, step: str
    ):
        bureau.load(resource_id, rows(1, 2))
        job_id = start(bureau, resource_id, rows(3))
        for _attempt in range(job_lease.MOST_ATTEMPTS):
            # what is published already is not published again: then it dies where it says so
            killed_at(bureau, step if len(live(resource_id)) == 2 else "end")
        bureau.work()
        job = bureau.job(job_id)
        assert (job.state, [one["kind"] for one in job.findings]) == ("failed", ["job-ends-workers"])
        assert len(live(resource_id)) == len(published(resource_id))
        bureau.load(resource_id, rows(6))
        assert live(resource_id)[0][0] == "006"

    def test_rows_are_appended_once(self, bureau: Bureau, resource_id: str):
        bureau.load(resource_id, rows(1))
        for step in ("swap", "file", "verdict", "index", "end"):
            before = len(live(resource_id))
            start(bureau, resource_id, rows(before + 1), "append")
            killed_at(bureau, step)
            bureau.work()
            assert len(live(resource_id)) == len(published(resource_id)) == before + 1

    def test_what_a_dead_load_leaves_is_found_by_the_nightly_comparison(self, bureau: Bureau, resource_id: str):
        bureau.load(resource_id, rows(1))
        job_id = start(bureau, resource_id, rows(2))
        killed_at(bureau, "swap")
        for path in files.staging_dir().glob(f"{resource_id}*"):
            os.utime(path, (0, 0))
        with bureau.app.flask_app.test_request_context():
            reconcile()
        assert leftovers(resource_id), "the job is to go on: what it has staged is its own"
        bureau.act("editor", "openhuizhou_load_cancel", id=job_id)
        with bureau.app.flask_app.test_request_context():
            report = reconcile()
        assert {one.kind for one in report.found if one.what == resource_id} == {"staging-left"}
        assert leftovers(resource_id) == []
        assert len(live(resource_id)) == 1


class TestRealWorker:
    def test_a_worker_that_is_killed_while_it_reads_a_large_file(
        self, bureau: Bureau, resource_id: str, request: pytest.FixtureRequest
    ):
        bureau.load(resource_id, rows(1, 2))
        job_id = start(bureau, resource_id, rows(*range(1, 200_001)))
        ini = Path(str(request.config.getoption("--ckan-ini"))).resolve()
        command = [str(Path(sys.executable).with_name("ckan")), "-c", str(ini), "jobs", "worker", "--burst"]

        def begin() -> subprocess.Popen[str]:
            return subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, text=True
            )

        worker = begin()
        try:
            until(lambda: any(path.stat().st_size for path in files.staging_dir().glob(f"{resource_id}*.part")))
        finally:
            kill(worker)
            # what it forked is in a group of its own, and is who works
            os.kill(int(str(bureau.job(job_id).worker).split(":")[1]), signal.SIGKILL)
        assert len(live(resource_id)) == 2
        assert bureau.job(job_id).state == "running"
        until(jobs.claimable)
        queue.get_queue().empty()
        assert jobs.wake_if_needed(), "as the scheduler does"
        worker = begin()
        assert worker.wait(120) == 0
        assert (bureau.job(job_id).state, len(live(resource_id))) == ("done", 200_000)
        assert leftovers(resource_id) == []


class TestStopped:
    def test_a_worker_that_is_told_to_end_gives_the_job_back_uncounted(
        self, bureau: Bureau, resource_id: str, monkeypatch: pytest.MonkeyPatch
    ):
        job_id = start(bureau, resource_id, rows(1))

        def told_to_end(*_args: Any, **_kwargs: Any) -> None:
            raise SystemExit(0)

        with monkeypatch.context() as stopping:
            stopping.setattr(load_job, "write_entry", told_to_end)
            with pytest.raises(SystemExit):
                bureau.work()
        job = bureau.job(job_id)
        assert (job.state, job.attempts) == ("queued", 0)
        bureau.work()
        assert bureau.job(job_id).state == "done"

    def test_two_workers_never_have_one_job(self, bureau: Bureau, resource_id: str):
        job_id = start(bureau, resource_id, rows(1))
        lease = jobs.claim_next()
        assert lease is not None
        assert job_lease.claim(job_id) is None
        model.Session.execute(DataJob.__table__.update().values(worker="elsewhere:1:1").where(DataJob.id == job_id))
        model.Session.commit()
        with bureau.app.flask_app.test_request_context():
            jobs.execute(lease)
        assert bureau.job(job_id).state == "running", "who lost the lease writes nothing"
        assert load_of(resource_id) is None


def test_a_file_that_is_gone_is_told(bureau: Bureau, resource_id: str):
    job_id = start(bureau, resource_id, rows(1))
    uploads.remove(job_id)
    bureau.work()
    job = bureau.job(job_id)
    assert (job.state, [one["kind"] for one in job.findings]) == ("refused", ["job-file-gone"])


_Made = Callable[..., dict[str, Any]]


def test_a_resource_that_is_gone_is_told(bureau: Bureau, make_entry: _Made):
    made = make_entry()
    job_id = start(bureau, made["resources"][0]["id"], rows(1))
    bureau.act("sysadmin", "resource_delete", id=made["resources"][0]["id"])
    bureau.work()
    job = bureau.job(job_id)
    assert (job.state, [one["kind"] for one in job.findings]) == ("failed", ["job-resource-gone"])
