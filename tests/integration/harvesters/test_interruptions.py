"""A worker that is killed, an index that is down, a commit that is left out."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib import search
from ckan.tests import factories
from tests.integration.harvesters.workers import kill, start_worker

from ckanext.openhuizhou.harvesters.writer import write_context
from ckanext.openhuizhou.model.harvest import Outbox, Run
from ckanext.openhuizhou.search import outbox


def waiting() -> int:
    return model.Session.scalar(sa.select(sa.func.count()).select_from(Outbox)) or 0


#: Nothing listens there.
DEAD = "http://127.0.0.1:9/solr/none"


class Database:
    """The portal's database, which goes away and comes back; told so from the one beside it."""

    def __init__(self) -> None:
        self._name = sa.make_url(tk.config["sqlalchemy.url"]).database
        self._engine = sa.create_engine(
            tk.config["ckan.datastore.write_url"], isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
        )

    def go(self) -> None:
        self._allow("false")
        with self._engine.connect() as connection:
            query = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
            connection.execute(query, {"name": self._name})

    def come_back(self) -> None:
        self._allow("true")

    def _allow(self, whether: str) -> None:
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS {whether}')


class TestDeadDatabase:
    def test_the_command_says_so_and_the_next_run_goes_on(
        self, department: Any, feed: Any, request: pytest.FixtureRequest, tmp_path: Path
    ):
        department.add("D-1", "D-2", "D-3")
        database = Database()
        gone = threading.Event()

        def go(key: str) -> None:
            if key == "D-2" and not gone.is_set():
                database.go()
                gone.set()

        department.before_rows = go
        try:
            worker = start_worker(department, feed, request, tmp_path, stderr=subprocess.PIPE)
            _out, said = worker.communicate(timeout=120)
        finally:
            database.come_back()
        assert gone.is_set()
        assert worker.returncode == 1
        assert said.rstrip().splitlines()[-1].startswith(f"Error: {feed.name}: the portal's own database")
        model.Session.remove()
        run = feed.run()
        assert (run["state"], run["counts"]) == ("done", {"added": 3})
        assert feed.run()["counts"] == {"unchanged": 3}
        assert feed.inconsistencies() == []


class TestKill:
    @pytest.mark.parametrize("moment", ["while the first batch is staged", "after the first batch"])
    def test_a_killed_run_is_finished_by_the_next_worker(
        self, department: Any, feed: Any, request: pytest.FixtureRequest, tmp_path: Path, moment: str
    ):
        """Nothing is lost and nothing doubled, whatever the worker was doing."""
        keys = [f"D-{number:03}" for number in range(105 if moment.startswith("after") else 6)]
        department.add(*keys)
        reached, killed = threading.Event(), threading.Event()

        def hang(key: str) -> None:
            if key == keys[-2] and not killed.is_set():
                reached.set()
                killed.wait(60)

        department.before_rows = hang
        worker = start_worker(department, feed, request, tmp_path)
        try:
            assert reached.wait(120)
        finally:
            kill(worker)
            killed.set()
        run_id = model.Session.scalar(sa.select(Run.id).where(Run.source_id == feed.source_id))
        done = feed.keys("published")
        assert len(done) == (100 if moment.startswith("after") else 0)
        model.Session.rollback()
        run = feed.run()
        assert (run["id"], run["state"], run["counts"]) == (run_id, "done", {"added": len(keys)})
        assert feed.keys("published") == set(keys)
        assert len(feed.found()) == len(keys)
        assert feed.inconsistencies() == []
        assert feed.run()["counts"] == {"unchanged": len(keys)}


class TestDeadSolr:
    def test_nothing_is_lost_and_the_next_drain_gets_it(
        self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch
    ):
        department.add("D-1", "D-2")
        with monkeypatch.context() as down:
            down.setitem(tk.config, "solr_url", DEAD)
            run = feed.run()
            assert (run["state"], run["counts"]) == ("done", {"added": 2})
            assert [finding.kind for finding in run["findings"]] == ["index-waiting"]
            before = waiting()
            with pytest.raises(search.SearchIndexError):
                outbox.drain()
            assert waiting() == before > 0
        assert feed.found() == set()
        assert outbox.drain() == 2
        assert waiting() == 0
        assert len(feed.found()) == 2


class TestOutbox:
    def test_a_deleted_dataset_leaves_the_index(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        feed.run()
        entry = feed.entry("D-1")
        model.Session.execute(sa.update(model.Package).where(model.Package.id == entry["id"]).values(state="deleted"))
        outbox.enqueue(entry["id"])
        model.Session.commit()
        outbox.drain()
        assert feed.found() == {feed.entry("D-2")["title"]}
        assert feed.run()["counts"] == {"unchanged": 2}

    def test_a_dataset_that_is_gone_stops_no_drain(self, department: Any):
        outbox.enqueue(["no-such-dataset", "no-such-dataset"])
        model.Session.commit()
        outbox.drain()
        assert waiting() == 0


class TestSilentRollback:
    """``package_update`` with ``defer_commit`` alone loses the change without a word; our context must not."""

    def entry(self, organization: dict[str, Any]) -> dict[str, Any]:
        return factories.Dataset(owner_org=organization["id"], entry_state="draft", title=f"演示{organization['name']}")

    def test_what_the_engine_writes_is_there_after_its_commit(self, department: Any):
        made = self.entry(department.organization)
        tk.get_action("package_update")(write_context(approved=True), {**made, "notes": "changed"})
        model.Session.commit()
        model.Session.remove()
        assert model.Package.get(made["id"]).notes == "changed"

    def test_the_trap_is_still_there(self, department: Any):
        made = self.entry(department.organization)
        context = write_context(approved=True)
        del context["return_id_only"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
        tk.get_action("package_update")(context, {**made, "notes": "changed"})
        model.Session.commit()
        model.Session.remove()
        assert model.Package.get(made["id"]).notes != "changed"
