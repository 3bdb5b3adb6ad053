"""What is told of runs and sources while they run and afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests import factories
from sqlalchemy import event
from tests.integration.harvesters.conftest import make_feed
from tests.integration.harvesters.workers import until

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters import control, engine, health, lease, report
from ckanext.openhuizhou.harvesters.stored import add_findings, finding_values
from ckanext.openhuizhou.model.harvest import Run, RunNotice, Source, dataset_id_of, source_id_of


def set_source(feed: Any, **values: Any) -> None:
    model.Session.execute(sa.update(Source).where(Source.id == feed.source_id).values(**values))
    model.Session.commit()


def source_dict(feed: Any) -> dict[str, Any]:
    model.Session.remove()
    return report.source_dicts([model.Session.get_one(Source, feed.source_id)])[0]


class TestProgress:
    def test_moves_within_a_batch(self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(lease, "_BEAT", 0.05)
        set_source(feed, config={**model.Session.get_one(Source, feed.source_id).config, "paging": {"total": "total"}})
        catalog = department.web.pages["/catalog"]
        department.web.pages["/catalog"] = lambda handler: _with_total(catalog(handler), len(department.records))
        department.add("D-1", "D-2", "D-3", "D-4")
        seen: list[dict[str, Any]] = []

        def look(key: str) -> None:
            if key != "D-3":
                return
            run_id = model.Session.scalar(sa.select(Run.id).where(Run.source_id == feed.source_id))
            model.Session.remove()
            until(lambda: _looked(seen, feed, run_id)["records"] == 2)

        department.before_rows = look
        run = feed.run()
        during = seen[-1]
        assert (during["state"], during["records"], during["total"], during["percent"]) == ("running", 2, 4, 50)
        assert during["requests"] == 4  # the catalogue, two tables, and the one under way
        assert during["per_second"] > 0
        assert during["seconds_left"] is not None
        assert (run["records"], run["total"], run["percent"], run["seconds_left"]) == (4, 4, 100, None)
        assert run["requests"] == 5

    def test_the_rate_is_that_of_the_worker_that_has_the_run(self, department: Any, feed: Any):
        """A night between two parts of a run is in its seconds, not in its rate."""
        department.add("D-1", "D-2")
        run = feed.run()
        values = {"started": Run.started - timedelta(hours=8), "claimed": Run.finished - timedelta(seconds=1)}
        model.Session.execute(sa.update(Run).where(Run.id == run["id"]).values(**values, claimed_at_record=1))
        model.Session.commit()
        model.Session.remove()
        told = feed.report(run["id"])
        assert told["seconds"] > 8 * 3600
        assert told["per_second"] == 1.0


class TestRules:
    def test_say_what_found_each_record(self, department: Any, feed: Any):
        department.conditional = True
        department.add("D-1", "D-2", "D-3")
        assert counted(feed.run()) == {"new": 3}
        assert counted(feed.run()) == {"source-not-modified": 3}
        department.change("D-1", version="2")
        department.change("D-2", 更新频率="每周")
        assert counted(feed.run()) == {"version": 2, "payload": 1}
        assert counted(feed.run("full")) == {"full": 3}
        assert feed.record("D-1")["rule"] == "full"

    def test_have_a_text_each(self, department: Any, feed: Any):
        department.add("D-1")
        assert feed.run()["rules"] == [{"rule": "new", "text": "the record was not known before", "count": 1}]


class TestWhoAsked:
    def test_is_told_by_name(self, department: Any, feed: Any):
        user = factories.User(fullname="演示人员")
        department.add(*(f"D-{number}" for number in range(7)))
        feed.run()
        department.records.clear()
        run_id, _new = lease.queue(feed.source_id, "normal", "schedule", user["id"])
        assert engine.work() == 1
        control.decide(run_id, "refused", user["id"])
        run = feed.report(run_id)
        assert (run["trigger"], run["requested_by"], run["decided_by"], run["decision"]) == (
            "schedule", "演示人员", "演示人员", "refused"
        )  # fmt: skip


class TestFindings:
    @pytest.fixture
    def run_id(self, feed: Any) -> str:
        run = feed.run()
        rows = [
            finding_values(
                run["id"], Finding("title-duplicate", record=f"D-{number}", value="演示"), None, f"标题{number}"
            )
            for number in range(3000)
        ]
        add_findings([*rows, finding_values(run["id"], Finding("index-waiting", params={"count": 1}), None)])
        model.Session.commit()
        return run["id"]

    def test_by_kind_severity_and_record(self, run_id: str):
        assert report.finding_kinds(run_id) == [
            {"kind": "title-duplicate", "severity": "error", "count": 3000},
            {"kind": "index-waiting", "severity": "warning", "count": 1},
        ]
        assert report.findings(run_id, 2, severity="warning")[0] == 1
        count, page = report.findings(run_id, 2, 10, kind="title-duplicate")
        assert (count, [finding.record for finding, _title in page]) == (3000, ["D-10", "D-11"])
        assert report.findings(run_id, record="D-7")[1][0][1] == "标题7"

    def test_stream_in_parts_on_a_connection_of_their_own(self, run_id: str):
        database = model.meta.engine
        assert database is not None
        fetched: list[str] = []

        def note(_connection: Any, cursor: Any, *_rest: Any) -> None:
            fetched.append(str(cursor.name))

        event.listen(database, "after_cursor_execute", note)
        try:
            stream = report.stream_findings(run_id)
            first = next(stream)
            model.Session.remove()  # the request that opened it is over
            rest = list(stream)
        finally:
            event.remove(database, "after_cursor_execute", note)
        assert first[1] == "标题0"
        assert len(rest) == 3000
        assert [name for name in fetched if name != "None"], "a cursor of the server has a name"


class TestSourceDicts:
    def test_take_the_same_number_of_queries_for_any_number_of_sources(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        ids = [feed.source_id]
        for number in range(3):
            name = f"{feed.name}-{number}"
            make_feed(department, id=source_id_of(name), name=name)
            ids.append(source_id_of(name))
        for source_id in ids[1:]:
            lease.queue(source_id)

        def queries(count: int) -> int:
            model.Session.remove()
            sources = model.Session.scalars(sa.select(Source).where(Source.id.in_(ids[:count]))).all()
            asked: list[str] = []

            def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
                asked.append(statement)

            database = model.meta.engine
            assert database is not None
            event.listen(database, "before_cursor_execute", note)
            try:
                assert len(report.source_dicts(sources)) == count
            finally:
                event.remove(database, "before_cursor_execute", note)
            return len(asked)

        assert queries(1) == queries(4)
        for source_id in ids[1:]:
            run_id, _new = lease.queue(source_id)
            control.request(run_id, "cancel", None)

    def test_names_secrets_and_shows_none(self, department: Any, feed: Any):
        set_source(feed, secrets={"token": "gAAAA-sealed"}, contact_email="demo@example.org", notify="always")
        found = source_dict(feed)
        assert (found["secrets"], found["contact_email"], found["notify"]) == (["token"], "demo@example.org", "always")
        assert "gAAAA" not in repr(found)
        assert found["config"]["token"] == "***"

    def test_trend_is_the_last_ten_runs(self, department: Any, feed: Any):
        for _number in range(12):
            run_id, _new = lease.queue(feed.source_id)
            control.request(run_id, "cancel", None)
        last = feed.run()
        trend = source_dict(feed)["trend"]
        assert [run["state"] for run in trend] == ["done", *["cancelled"] * 9]
        assert trend[0]["id"] == last["id"]


class TestHealth:
    def test_from_new_to_ok_to_failing(self, department: Any, feed: Any):
        department.add("D-1")
        assert source_dict(feed)["health"] == "new"
        feed.run()
        assert source_dict(feed)["health"] == "ok"
        department.token = "another"
        feed.run()
        assert source_dict(feed)["health"] == "failing"
        feed.run("dry")
        assert source_dict(feed)["health"] == "failing"

    def test_what_waits_for_a_person(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        department.remove("D-1")
        feed.run()
        assert source_dict(feed)["health"] == "held"
        run_id, _new = lease.queue(feed.source_id)
        control.request(run_id, "pause", None)
        assert source_dict(feed)["health"] == "paused"
        control.request(run_id, "cancel", None)
        set_source(feed, approved=False)
        assert source_dict(feed)["health"] == "unapproved"

    def test_a_run_that_is_overdue(self, department: Any, feed: Any):
        feed.run()
        set_source(feed, schedule="0 3 * * *", next_run=utcnow() - timedelta(hours=2))
        assert source_dict(feed)["health"] == "late"
        set_source(feed, active=False)
        assert source_dict(feed)["health"] == "ok"

    def test_entries_late_against_their_update_cycle(self, department: Any, feed: Any):
        department.add("D-1", "D-2", "D-3")
        department.change("D-3", 更新频率="每周")
        feed.run()
        assert source_dict(feed)["freshness"] == {"due_entries": 3, "late_entries": 0}
        for key, days in (("D-1", 2), ("D-2", 0), ("D-3", 6)):
            _data_changed(feed, key, days)
        found = source_dict(feed)
        assert (found["freshness"], found["health"]) == ({"due_entries": 3, "late_entries": 1}, "late")

    def test_a_date_that_is_none_breaks_no_list(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        package = model.Package.get(dataset_id_of(feed.source_id, "D-1"))
        package.extras = {**package.extras, "data_modified": "去年"}
        model.Session.commit()
        assert health.freshness([feed.source_id])[feed.source_id]["due_entries"] == 1


class TestNotices:
    def notices(self, feed: Any) -> list[str]:
        query = sa.select(RunNotice.recipient).join(Run, Run.id == RunNotice.run_id)
        return list(model.Session.scalars(query.where(Run.source_id == feed.source_id)))

    def test_are_written_with_the_end_of_the_run(self, department: Any, feed: Any):
        set_source(feed, contact_email="demo@example.org", notify="change")
        department.add("D-1")
        feed.run()
        assert self.notices(feed) == ["demo@example.org"]
        feed.run()
        feed.run("dry")
        assert len(self.notices(feed)) == 1
        department.token = "another"
        feed.run()
        assert len(self.notices(feed)) == 2

    def test_nobody_to_tell(self, department: Any, feed: Any):
        set_source(feed, notify="always")
        feed.run()
        assert self.notices(feed) == []

    def test_a_held_run_is_told_of_twice(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        department.remove("D-1")
        set_source(feed, contact_email="demo@example.org", notify="always")
        run = feed.run()
        sent = {"sent": utcnow(), "next_attempt": None, "attempts": 1}
        model.Session.execute(sa.update(RunNotice).where(RunNotice.run_id == run["id"]).values(**sent))
        model.Session.commit()
        control.decide(run["id"], "approved", None)
        assert engine.work() == 1
        notice = model.Session.scalar(sa.select(RunNotice).where(RunNotice.run_id == run["id"]))
        assert notice is not None
        assert (notice.sent, notice.attempts) == (None, 0)
        assert notice.next_attempt is not None


def counted(run: dict[str, Any]) -> dict[str, int]:
    return {rule["rule"]: rule["count"] for rule in run["rules"]}


def _with_total(answer: Any, total: int) -> Any:
    status, headers, body = answer
    return status, headers, body[:-1] + f', "total": {total}}}'.encode()


def _looked(seen: list[dict[str, Any]], feed: Any, run_id: str) -> dict[str, Any]:
    seen.append(feed.report(run_id))
    model.Session.remove()
    return seen[-1]


def _data_changed(feed: Any, key: str, days: int) -> None:
    context = {"ignore_auth": True, "user": tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]}
    moment = (utcnow() - timedelta(days=days)).isoformat(timespec="seconds")
    tk.get_action("package_patch")(context, {"id": dataset_id_of(feed.source_id, key), "data_modified": moment})
    model.Session.remove()
