"""What a person does with a run: pause, resume, cancel, decide; and what a killed worker leaves of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from tests.integration.harvesters.workers import kill, start_worker, until

from ckanext.openhuizhou.errors import WrongRunState
from ckanext.openhuizhou.harvesters import control, engine, lease
from ckanext.openhuizhou.model.harvest import Difference, Run, Source


@pytest.fixture(autouse=True)
def _quick_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_BEAT", 0.05)


def seen_by_now(run_id: str) -> Callable[[], bool]:
    """Whether the run's lease was renewed after this call."""
    run = sa.select(Run.heartbeat).where(Run.id == run_id)
    database = model.meta.engine
    assert database is not None

    def heartbeat() -> Any:
        with database.connect() as connection:
            return connection.execute(run).scalar_one()

    before = heartbeat()
    return lambda: heartbeat() > before


def ask_when_read(department: Any, feed: Any, key: str, action: Any) -> None:
    """While the source is being asked for this record's rows, a person asks for something of the run."""

    def ask(asked_for: str) -> None:
        if asked_for != key:
            return
        department.before_rows = lambda _key: None
        run_id = model.Session.scalar(sa.select(Run.id).where(Run.source_id == feed.source_id, Run.state == "running"))
        assert control.request(run_id, action, "演示人员") == "running"
        model.Session.remove()
        until(seen_by_now(run_id))

    department.before_rows = ask


class TestPause:
    def test_while_a_slow_source_is_read_and_on_again(self, department: Any, feed: Any):
        department.add("D-1", "D-2", "D-3", "D-4")
        ask_when_read(department, feed, "D-3", "pause")
        paused = feed.run()
        assert (paused["state"], paused["counts"], paused["finished"]) == ("paused", {"added": 3}, None)
        assert (paused["records"], paused["control"]) == (3, None)
        assert feed.keys("published") == {"D-1", "D-2", "D-3"}
        assert feed.inconsistencies() == []
        engine.work()  # also what other tests left
        assert feed.report(paused["id"])["state"] == "paused"  # nobody goes on with it unasked
        assert lease.queue(feed.source_id) == (paused["id"], False)
        assert control.request(paused["id"], "resume", None) == "queued"
        assert engine.work() == 1
        done = feed.report(paused["id"])
        assert (done["state"], done["counts"], done["records"]) == ("done", {"added": 4}, 4)
        assert [path for path in department.paths() if path.startswith("/data/")] == [
            f"/data/D-{number}" for number in (1, 2, 3, 4)
        ]
        assert feed.inconsistencies() == []

    def test_a_listing_that_takes_its_time(self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch):
        department.add("D-1")
        catalog = department.web.pages["/catalog"]

        def slow(handler: Any) -> Any:
            ask = department.before_rows
            ask("/catalog")
            return catalog(handler)

        department.web.pages["/catalog"] = slow
        ask_when_read(department, feed, "/catalog", "pause")
        run = feed.run()
        assert (run["state"], run["counts"]) == ("paused", {})

    def test_a_run_that_waits_is_paused_and_resumed_at_once(self, department: Any, feed: Any):
        run_id, _new = lease.queue(feed.source_id)
        assert control.request(run_id, "pause", None) == "paused"
        assert control.request(run_id, "pause", None) == "paused"
        assert lease.claim(run_id) is None
        assert control.request(run_id, "resume", None) == "queued"
        assert control.request(run_id, "resume", None) == "queued"
        assert control.request(run_id, "cancel", None) == "cancelled"

    def test_a_wish_that_was_withdrawn(self, department: Any, feed: Any):
        run_id, _new = lease.queue(feed.source_id)
        held = lease.claim(run_id)
        assert held is not None
        assert control.request(run_id, "pause", None) == "running"
        assert control.request(run_id, "resume", None) == "running"
        assert feed.report(run_id)["control"] is None
        control.request(run_id, "cancel", None)
        control.request(run_id, "pause", None)
        assert feed.report(run_id)["control"] == "cancel"
        held.let_go("cancel")
        model.Session.commit()

    def test_of_a_worker_that_is_dead_at_once(self, department: Any, feed: Any):
        run_id, _new = lease.queue(feed.source_id)
        assert lease.claim(run_id) is not None
        model.Session.execute(sa.update(Run).where(Run.id == run_id).values(worker="elsewhere:1:1", lease_until=None))
        model.Session.commit()
        assert control.request(run_id, "pause", None) == "paused"

    def test_a_worker_that_dies_before_it_sees_the_wish(self, department: Any, feed: Any):
        run_id, _new = lease.queue(feed.source_id)
        assert lease.claim(run_id) is not None
        control.request(run_id, "cancel", None)
        model.Session.execute(sa.update(Run).where(Run.id == run_id).values(lease_until=None))
        model.Session.commit()
        assert lease.claim(run_id) is None
        assert feed.report(run_id)["state"] == "cancelled"


class TestCancel:
    def test_what_was_written_stays_and_nothing_is_withdrawn(self, department: Any, feed: Any):
        department.add("D-1", "D-2", "D-3", "D-4")
        feed.run()
        department.remove("D-1")
        for key in ("D-2", "D-3", "D-4"):
            department.change(key, version="2", 更新频率="每周")
        ask_when_read(department, feed, "D-3", "cancel")
        run = feed.run()
        assert (run["state"], run["counts"]) == ("cancelled", {"changed": 2})
        assert run["finished"] is not None
        assert feed.keys("published") == {"D-1", "D-2", "D-3", "D-4"}
        assert feed.inconsistencies() == []
        after = feed.run()
        assert after["id"] != run["id"]
        assert (after["state"], after["counts"]) == ("done", {"changed": 1, "unchanged": 2, "withdrawn": 1})

    def test_a_source_that_goes_back_is_read_again(self, department: Any, feed: Any):
        """The catalogue is half of one state and half of another: “not modified since” would be wrong."""
        department.conditional = True
        department.add("D-1", "D-2")
        feed.run()
        for key in ("D-1", "D-2"):
            department.change(key, version="2", 更新频率="每周")
        ask_when_read(department, feed, "D-1", "cancel")
        assert feed.run()["counts"] == {"changed": 1}
        for key in ("D-1", "D-2"):
            department.change(key, version="1", 更新频率="每日")
        assert feed.run()["counts"] == {"changed": 1, "unchanged": 1}
        assert feed.entry("D-1")["update_cycle"] == "daily"

    @pytest.mark.parametrize("action", control.ACTIONS)
    def test_a_run_that_has_ended_takes_nothing(self, department: Any, feed: Any, action: Any):
        run = feed.run()
        with pytest.raises(WrongRunState):
            control.request(run["id"], action, None)

    def test_a_run_that_is_not_there(self, department: Any):
        with pytest.raises(LookupError):
            control.request("no-such-run", "cancel", None)


@pytest.fixture
def held(department: Any, feed: Any) -> dict[str, Any]:
    """Six of eight records are gone."""
    department.add(*(f"D-{number}" for number in range(8)))
    feed.run()
    department.remove(*(f"D-{number}" for number in range(6)))
    run = feed.run()
    assert run["state"] == "held"
    return run


class TestDecide:
    def test_lists_what_would_go(self, feed: Any, held: dict[str, Any]):
        query = sa.select(Difference.record, Difference.action, Difference.dataset_id, Difference.title)
        rows = model.Session.execute(query.where(Difference.run_id == held["id"]).order_by(Difference.record)).all()
        assert [(row.record, row.action) for row in rows] == [(f"D-{number}", "withdrawn") for number in range(6)]
        assert [(row.dataset_id, row.title) for row in rows] == [
            (entry["id"], entry["title"]) for entry in (feed.entry(f"D-{number}") for number in range(6))
        ]

    def test_approved_withdraws_the_listed_and_asks_the_source_nothing(
        self, department: Any, feed: Any, held: dict[str, Any]
    ):
        department.remove("D-6", "D-7")  # whatever the source says now
        department.web.requests.clear()
        assert control.decide(held["id"], "approved", "演示管理员") == "queued"
        assert engine.work() == 1
        run = feed.report(held["id"])
        assert (run["state"], run["counts"], run["decision"]) == ("done", {"unchanged": 2, "withdrawn": 6}, "approved")
        assert department.web.requests == []
        assert feed.keys("published") == {"D-6", "D-7"}
        assert feed.inconsistencies() == []

    def test_refused_leaves_everything(self, feed: Any, held: dict[str, Any]):
        assert control.decide(held["id"], "refused", "演示管理员") == "cancelled"
        run = feed.report(held["id"])
        assert (run["state"], run["decision"], run["counts"]) == ("cancelled", "refused", {"unchanged": 2})
        assert len(feed.found()) == 8
        with pytest.raises(WrongRunState):
            control.decide(held["id"], "approved", None)

    def test_a_newer_run_takes_its_place(self, department: Any, feed: Any, held: dict[str, Any]):
        newer = feed.run()
        assert newer["state"] == "held"
        assert feed.report(held["id"])["state"] == "cancelled"
        with pytest.raises(WrongRunState):
            control.decide(held["id"], "approved", None)
        control.decide(newer["id"], "approved", None)
        assert engine.work() == 1
        assert feed.keys("published") == {"D-6", "D-7"}

    @pytest.mark.parametrize("mode", ["normal", "dry"])
    def test_a_run_that_begins_just_now_waits_for_the_decision(self, feed: Any, held: dict[str, Any], mode: str):
        begun: list[Any] = []
        database = model.meta.engine
        assert database is not None
        this = sa.update(Run).where(Run.id == held["id"])
        with database.connect() as officer, database.connect() as looking:
            officer.execute(sa.select(Run.id).where(Run.id == held["id"]).with_for_update())
            other = threading.Thread(target=lambda: begun.append(lease.queue(feed.source_id, mode)))
            other.start()
            waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            until(lambda: looking.execute(waits).scalar_one())
            officer.execute(this.values(state="queued", decision="approved"))
            officer.commit()
            other.join()
        assert begun == [(held["id"], False)]

    def test_a_dry_run_leaves_it_waiting(self, feed: Any, held: dict[str, Any]):
        assert feed.run("dry")["state"] == "done"
        assert feed.report(held["id"])["state"] == "held"
        run_id, _new = lease.queue(feed.source_id, "dry")
        with pytest.raises(WrongRunState):
            control.decide(held["id"], "approved", None)
        control.request(run_id, "cancel", None)
        assert control.decide(held["id"], "approved", None) == "queued"
        assert engine.work() == 1

    def test_a_worker_killed_while_it_withdraws(
        self, department: Any, feed: Any, request: pytest.FixtureRequest, tmp_path: Path
    ):
        keys = [f"D-{number:03}" for number in range(108)]
        department.add(*keys)
        feed.run()
        department.remove(*keys[:-3])
        run = feed.run()
        assert run["state"] == "held"
        control.decide(run["id"], "approved", None)
        database = model.meta.engine
        assert database is not None
        blocked = feed.entry(keys[102])["id"]
        model.Session.remove()
        counted = sa.select(Run.withdrawn).where(Run.id == run["id"])
        with database.begin() as holder, database.connect().execution_options(isolation_level="AUTOCOMMIT") as watch:
            holder.execute(sa.select(model.Package.id).where(model.Package.id == blocked).with_for_update())
            worker = start_worker(department, feed, request, tmp_path)
            try:
                until(lambda: watch.execute(counted).scalar_one() == 100, 120)
                waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
                until(lambda: watch.exec_driver_sql(waits).scalar_one() > 0)
            finally:
                kill(worker)
        assert feed.keys("withdrawn") == set(keys[:100])
        model.Session.remove()
        assert engine.work() == 1
        after = feed.report(run["id"])
        assert (after["state"], after["counts"]) == ("done", {"unchanged": 3, "withdrawn": 105})
        assert feed.keys("published") == set(keys[-3:])
        assert feed.inconsistencies() == []


class TestUnapproved:
    def test_a_change_that_nobody_approved_reaches_no_published_entry(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        model.Session.execute(sa.update(Source).where(Source.id == feed.source_id).values(approved=False))
        model.Session.commit()
        department.change("D-1", 更新频率="每周")
        run = feed.run()
        assert (run["state"], [finding.kind for finding in run["findings"]]) == ("failed", ["source-unapproved"])
        assert feed.entry("D-1")["update_cycle"] == "daily"
        assert feed.run("dry")["counts"] == {"changed": 1}
