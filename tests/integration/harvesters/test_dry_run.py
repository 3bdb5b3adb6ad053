"""A dry run says what would be and changes nothing but its own rows."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from tests.integration.harvesters.workers import kill, start_worker
from tests.integration.harvesters.world import OF_THE_RUN, changed, world

from ckanext.openhuizhou.harvesters import engine, lease, report
from ckanext.openhuizhou.model.harvest import Run, Source, dataset_id_of


def told(run: dict[str, Any]) -> dict[str, str]:
    return {one["record"]: one["action"] for one in report.differences(run["id"])[1]}


def changes(run: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return next(one["changes"] for one in report.differences(run["id"])[1] if one["record"] == key)


class TestNothingIsWritten:
    def test_by_a_run_that_would_add_change_withdraw_and_refuse(self, department: Any, feed: Any):
        """Contents of every table of both databases, every document of the index, every file."""
        department.add("same", "word", "rows", "gone")
        feed.run()
        department.remove("gone")
        department.change("word", 更新频率="每周")
        department.change("rows", version="2")
        department.rows["rows"].append({"station": "龙门", "reading": None})
        department.add("new")
        department.add("nobody", 提供单位="")
        model.Session.remove()
        before = world()
        run = feed.run("dry")
        after = world()
        own = {f"ckan/{table}" for table in OF_THE_RUN}
        assert changed(before, after) == own
        assert (run["state"], run["mode"]) == ("done", "dry")
        assert run["counts"] == {"added": 1, "changed": 2, "unchanged": 1, "withdrawn": 1, "refused": 1}
        assert [(finding.kind, finding.record) for finding in run["findings"]] == [("provider-missing", "nobody")]
        assert told(run) == {
            "word": "changed", "rows": "changed", "new": "added", "nobody": "refused", "gone": "withdrawn"
        }  # fmt: skip

    def test_and_the_real_run_does_what_was_said(self, department: Any, feed: Any):
        department.add("same", "word", "gone")
        feed.run()
        department.remove("gone")
        department.change("word", 更新频率="每周")
        department.add("new")
        dry, real = feed.run("dry"), feed.run()
        assert dry["counts"] == real["counts"] == {"added": 1, "changed": 1, "unchanged": 1, "withdrawn": 1}
        assert feed.inconsistencies() == []

    def test_of_a_source_that_was_never_run(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        model.Session.remove()
        before = world()
        run = feed.run("dry")
        assert (run["counts"], told(run)) == ({"added": 2}, {"D-1": "added", "D-2": "added"})
        assert changed(before, world()) <= {f"ckan/{table}" for table in OF_THE_RUN}
        assert feed.run()["counts"] == {"added": 2}

    def test_of_a_source_that_answers_not_modified(self, department: Any, feed: Any):
        department.conditional = True
        department.add("D-1")
        department.add("D-2", 提供单位="")
        feed.run()
        model.Session.remove()
        before = world()
        run = feed.run("dry")
        assert (run["counts"], run["requests"]) == ({"unchanged": 1, "refused": 1}, 1)
        assert changed(before, world()) <= {f"ckan/{table}" for table in OF_THE_RUN}

    def test_by_a_worker_that_is_killed(
        self, department: Any, feed: Any, request: pytest.FixtureRequest, tmp_path: Path
    ):
        department.add("D-1", "D-2")
        department.rows["D-1"] = [{"station": f"站{number}", "reading": number} for number in range(5000)]
        reached, killed = threading.Event(), threading.Event()

        def hang(key: str) -> None:
            if key == "D-2" and not killed.is_set():
                reached.set()
                killed.wait(60)

        department.before_rows = hang
        run_id, _new = lease.queue(feed.source_id, "dry")
        model.Session.remove()
        before = world()
        worker = start_worker(department, feed, request, tmp_path)
        try:
            assert reached.wait(120)
        finally:
            kill(worker)
            killed.set()
        assert changed(before, world()) == {"ckan/openhuizhou_run"}
        assert engine.work() == 1
        run = feed.report(run_id)
        assert (run["state"], run["counts"], told(run)) == ("done", {"added": 2}, {"D-1": "added", "D-2": "added"})


class TestDifferences:
    def test_fields_before_and_after(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        department.change("D-1", 更新频率="每周", 关键词="水质,空气")
        run = feed.run("dry")
        assert sorted(changes(run, "D-1"), key=lambda change: change["field"]) == [
            {"field": "tag_string", "before": "空气", "after": "水质,空气"},
            {"field": "update_cycle", "before": "daily", "after": "weekly"},
        ]
        page = report.differences(run["id"])[1][0]
        assert (page["dataset_id"], page["title"]) == (dataset_id_of(feed.source_id, "D-1"), feed.entry("D-1")["title"])

    def test_rows_that_changed(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        department.change("D-1", version="2")
        department.rows["D-1"].append({"station": "龙门", "reading": None})
        found = {change["field"]: change for change in changes(feed.run("dry"), "D-1")}
        assert set(found) - {"data_modified"} == {"row_count"}
        assert (found["row_count"]["before"], found["row_count"]["after"]) == ("2", "3")

    def test_columns_of_another_mapping(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        source = model.Session.get_one(Source, feed.source_id)
        items = [
            {"name": "测站", "column": "station", "from": "station", "data_type": "string"},
            {"name": "读数", "column": "value", "from": "reading", "data_type": "number"},
        ]
        source.mapping = {**source.mapping, "datasets": {"D-1": {"items": items}}}
        model.Session.commit()
        found = {change["field"]: (change["before"], change["after"]) for change in changes(feed.run("dry"), "D-1")}
        assert found["items.station.name"] == ("站点", "测站")
        assert found["items.reading"][1] is None
        assert found["items.value"][0] is None
        assert found["items.value"][1]["name"] == "读数"

    def test_what_ckans_validation_would_refuse(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        source = model.Session.get_one(Source, feed.source_id)
        wrong = {"D-2": {"fields": {"contact_email": {"const": "no address"}}}}
        source.mapping = {**source.mapping, "datasets": wrong}
        model.Session.commit()
        run = feed.run("dry")
        assert told(run) == {"D-1": "added", "D-2": "refused"}
        assert [(f.kind, f.record, f.field) for f in run["findings"]] == [("entry-invalid", "D-2", "contact_email")]

    def test_two_new_records_of_one_title(self, department: Any, feed: Any):
        department.add("D-1")
        department.add("D-2", 名称=department.records[0]["名称"])
        assert told(feed.run("dry")) == {"D-1": "added", "D-2": "refused"}


class TestBrake:
    def test_its_verdict_is_a_finding_and_what_would_go_is_listed(self, department: Any, feed: Any):
        department.add(*(f"D-{number}" for number in range(8)))
        feed.run()
        department.remove(*(f"D-{number}" for number in range(6)))
        run = feed.run("dry")
        assert (run["state"], run["counts"]) == ("done", {"unchanged": 2, "withdrawn": 6})
        assert [(f.kind, f.params["count"]) for f in run["findings"]] == [("run-held-withdrawals", 6)]
        assert set(told(run).values()) == {"withdrawn"}

    def test_of_an_empty_source(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        department.remove("D-1")
        run = feed.run("dry")
        assert [finding.kind for finding in run["findings"]] == ["run-held-empty"]
        assert told(run) == {"D-1": "withdrawn"}


class TestSource:
    def test_is_as_before(self, department: Any, feed: Any):
        department.conditional = True
        department.add("D-1")
        feed.run()
        source = sa.select(Source.__table__).where(Source.id == feed.source_id)
        before = dict(model.Session.execute(source).mappings().one())
        department.add("D-2")
        feed.run("dry")
        assert dict(model.Session.execute(source).mappings().one()) == before
        assert model.Session.scalar(sa.select(sa.func.count()).where(Run.source_id == feed.source_id)) == 2
