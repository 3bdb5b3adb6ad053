"""``ckan openhuizhou harvest …`` and ``reconcile`` as an operator types them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from ckan.cli.cli import ckan

from ckanext.openhuizhou.harvesters import lease
from ckanext.openhuizhou.model.harvest import Record, Run, RunNotice, Source


@pytest.fixture
def command(cli: Any, department: Any, feed: Any, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """``command("harvest", "status")``: what it printed; ``status``: how it is to end."""
    ini = tmp_path / "site.ini"
    base = Path(str(request.config.getoption("--ckan-ini"))).resolve()
    ini.write_text(
        f"[app:main]\nuse = config:{base}\nckanext.openhuizhou.allowed_hosts = {department.web.host}\n", "utf-8"
    )

    def run(*arguments: str, status: int = 0) -> Any:
        model.Session.remove()
        done = cli.invoke(ckan, ["-c", str(ini), "openhuizhou", *arguments], catch_exceptions=False)
        assert done.exit_code == status, done.output
        return done

    return run


def state_of(run_id: str) -> str:
    model.Session.rollback()
    return model.Session.execute(sa.select(Run.state).where(Run.id == run_id)).scalar_one()


def change(feed: Any, **values: Any) -> None:
    model.Session.execute(sa.update(Source).where(Source.id == feed.source_id).values(values))
    model.Session.commit()


class TestRun:
    def test_a_source_by_name(self, department: Any, feed: Any, command: Any):
        department.add("D-1")
        said = command("harvest", "run", feed.name).stdout
        assert said.startswith(f"{feed.name}: done in ")
        assert "1 added" in said
        run_id = said.rsplit("(run ", 1)[1].strip(")\n")
        assert model.Session.get_one(Run, run_id).trigger == "command"

    def test_a_dry_one_writes_nothing_and_says_what_would_be(self, department: Any, feed: Any, command: Any):
        department.add("D-1")
        said = command("harvest", "run", feed.name, "--dry").stdout
        assert "1 added" in said
        assert feed.keys("published") == set()
        run_id = said.rsplit("(run ", 1)[1].strip(")\n")
        table = command("harvest", "report", run_id, "--csv", "--differences").stdout_bytes.decode("utf-8-sig")
        assert "D-1" in table

    def test_a_changed_source_that_nobody_approved_runs_dry_only(self, department: Any, feed: Any, command: Any):
        department.add("D-1")
        feed.run()
        change(feed, approved=False)
        assert "waits for approval" in command("harvest", "run", feed.name, status=1).stderr
        command("harvest", "run", feed.name, "--dry")

    def test_dry_and_full_exclude_each_other(self, feed: Any, command: Any):
        command("harvest", "run", feed.name, "--dry", "--full", status=2)


class TestSteer:
    def test_pause_resume_cancel(self, feed: Any, command: Any):
        run_id, _new = lease.queue(feed.source_id)
        for action, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
            assert f"{feed.name}: {state}" in command("harvest", action, run_id).stdout
            assert state_of(run_id) == state

    def test_what_a_run_does_not_take_is_said(self, feed: Any, command: Any):
        run_id, _new = lease.queue(feed.source_id)
        command("harvest", "cancel", run_id)
        assert "这次采集的状态已变化" in command("harvest", "resume", run_id, status=1).stderr
        assert "找不到采集记录" in command("harvest", "pause", "no-such-run", status=1).stderr

    @pytest.mark.parametrize(("word", "state"), [("approve", "queued"), ("refuse", "cancelled")])
    def test_a_held_run_is_decided_on(self, department: Any, feed: Any, command: Any, word: str, state: str):
        keys = [f"D-{number}" for number in range(12)]
        department.add(*keys)
        feed.run()
        department.remove(*keys[:8])
        run = feed.run()
        assert run["state"] == "held"
        listed = command("harvest", "report", run["id"], "--csv", "--differences").stdout_bytes.decode("utf-8-sig")
        assert sum(1 for row in csv.reader(io.StringIO(listed)) if row[0] in keys[:8]) == 8
        command("harvest", word, run["id"])
        assert state_of(run["id"]) == state

    def test_a_source_is_approved(self, feed: Any, command: Any):
        change(feed, approved=False)
        command("harvest", "approve-source", feed.name)
        assert model.Session.get_one(Source, feed.source_id).approved


class TestLook:
    def test_test_says_whether_it_answers(self, department: Any, feed: Any, command: Any):
        department.add("D-1")
        said = command("harvest", "test", feed.name).stdout
        assert f"{feed.name} answers" in said
        assert "first record: D-1" in said
        department.token = "another"
        assert "cannot be read" in command("harvest", "test", feed.name, status=1).stdout

    def test_preview_shows_records_and_writes_nothing(self, department: Any, feed: Any, command: Any):
        department.add("D-1", "D-2", "D-3")
        said = command("harvest", "preview", feed.name, "--limit", "2").stdout
        assert "D-1" in said
        assert "D-3" not in said
        [record] = json.loads(command("harvest", "preview", feed.name, "--key", "D-3", "--json").stdout)["records"]
        assert record["key"] == "D-3"
        assert feed.keys("published") == set()

    def test_findings_as_csv_with_how_to_mend_them(self, department: Any, feed: Any, command: Any):
        department.add("=1+1", 名称="")
        run = feed.run()
        assert run["counts"] == {"refused": 1}
        text = command("harvest", "report", run["id"], "--csv").stdout_bytes.decode("utf-8-sig")
        header, *rows = csv.reader(io.StringIO(text))
        assert header[-1] == "怎样改正"
        assert rows[0][0] == "'=1+1"
        assert all(row[-1] for row in rows)

    def test_csv_is_of_one_run(self, feed: Any, command: Any):
        command("harvest", "report", "--csv", status=2)
        command("harvest", "report", "no-such-run", "--csv", status=1)

    def test_status_tells_what_runs_by_itself(self, department: Any, feed: Any, command: Any):
        department.add("D-1")
        run = feed.run()
        change(feed, schedule="0 3 * * *", next_run=dt.datetime.fromisoformat("2027-03-01T19:00"))
        model.Session.add(RunNotice(run_id=run["id"], recipient="officer@example.com"))
        model.Session.commit()
        told = json.loads(command("harvest", "status", "--json").stdout)
        [mine] = [one for one in told["sources"] if one["name"] == feed.name]
        assert (mine["health"], mine["state"], mine["entries"], mine["rows"]) == ("ok", "done", 1, 2)
        assert mine["next_run"].startswith("2027-03-01T19:00")
        assert told["mail"]["configured"] is False
        assert told["mail"]["waiting"] >= 1
        said = command("harvest", "status").stdout
        assert "03-02 03:00" in said
        assert "mail: no server" in said
        assert "scheduler: none runs" in said


class TestReconcile:
    def test_says_what_it_did_and_ends_with_the_status_of_it(self, department: Any, feed: Any, command: Any):
        department.add("D-1")
        feed.run()
        model.Session.execute(
            sa.update(Record).where(Record.source_id == feed.source_id).values(dataset_id=f"gone-{os.getpid()}")
        )
        model.Session.commit()
        told = json.loads(command("reconcile", "--dry-run", "--json", status=2).stdout)
        assert told["counts"]["record-entry-gone"] == 1
        said = command("reconcile", status=2).stdout
        assert f"record-entry-gone {feed.name}: D-1" in said
        assert "entry-without-record: 1, 1 left" in said
        assert "something is left" in said
        assert "record-entry-gone" in command("reconcile", "--last", status=2).stdout


class TestPrune:
    def test_says_how_much(self, command: Any):
        assert command("harvest", "prune").stdout.startswith("deleted: ")
