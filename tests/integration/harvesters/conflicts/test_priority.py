"""The same resource from two real sources: who has the entry and who waits."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests import factories
from tests.integration.harvesters.conflicts.two_sources import (
    TITLE,
    change_source,
    entry_of,
    has_table,
    identity,
    kinds,
)

from ckanext.openhuizhou.harvesters import conflicts
from ckanext.openhuizhou.model.harvest import Difference, Source, resource_id_of


class TestLowerNewcomer:
    @pytest.mark.parametrize("priority", [100, 99])
    def test_does_not_become_an_entry_and_the_report_names_the_holder(
        self, department: Any, feed: Any, other_department: Any, other: Any, priority: int
    ):
        change_source(other, priority=priority)
        department.add("A-1", 名称=TITLE)
        other_department.add("B-1", 名称=f" {TITLE}")
        other_department.add("B-2")
        feed.run()
        before = feed.entry("A-1")
        run = other.run()
        assert (run["state"], run["counts"]) == ("done", {"added": 1, "refused": 1})
        assert kinds(run) == [("conflict-priority", "B-1")]
        assert run["findings"][0].params["source"] == "演示来源"
        assert run["findings"][0].severity == "warning"
        assert (other.record("B-1")["state"], other.record("B-1")["dataset_id"]) == ("superseded", None)
        assert [feed.run()["counts"], other.run()["counts"]] == [{"unchanged": 1}, {"unchanged": 1, "refused": 1}]
        assert feed.entry("A-1") == before
        assert feed.inconsistencies() == []

    def test_its_rows_are_not_read(self, department: Any, feed: Any, other_department: Any, other: Any):
        change_source(other, priority=1)
        department.add("A-1", 名称=TITLE)
        other_department.add("B-1", 名称=TITLE)
        feed.run()
        other.run()
        assert other_department.paths() == ["/catalog"]

    def test_what_leaves_its_source_is_forgotten(self, department: Any, feed: Any, other_department: Any, other: Any):
        change_source(other, priority=1)
        department.add("A-1", 名称=TITLE)
        other_department.add("B-1", 名称=TITLE)
        other_department.add("B-2")
        feed.run()
        other.run()
        other_department.remove("B-1")
        assert other.run()["counts"] == {"unchanged": 1}
        assert other.keys("published", "superseded", "withdrawn") == {"B-2"}


class TestHigherNewcomer:
    def test_takes_the_entry_over_with_its_id_name_and_code(self, taken: dict[str, Any], feed: Any, other: Any):
        entry = entry_of(other, "B-1")
        assert identity(entry) == identity(taken)
        assert (entry["entry_state"], entry["update_cycle"], entry["title"]) == ("published", "weekly", f"{TITLE}。")
        assert [resource["id"] for resource in entry["resources"]] == [resource_id_of(other.source_id, "B-1")]
        assert other.table("B-1") == [{"station": "龙门", "reading": 9}]
        assert not has_table(feed, "A-1")
        assert (feed.record("A-1")["state"], feed.record("A-1")["dataset_id"]) == ("superseded", None)
        assert feed.found() == {f"{TITLE}。"}
        assert other.inconsistencies() == []

    def test_the_other_waits_and_says_so_at_each_run(
        self, taken: dict[str, Any], department: Any, feed: Any, other: Any
    ):
        before = entry_of(other, "B-1")
        for _run in range(2):
            run = feed.run()
            assert (run["counts"], kinds(run)) == ({"refused": 1}, [("conflict-priority", "A-1")])
            assert run["findings"][0].params["source"] == "演示第二来源"
            assert other.run()["counts"] == {"unchanged": 1}
        department.remove("A-1")
        department.add("A-2")
        assert feed.run()["counts"] == {"added": 1}
        assert entry_of(other, "B-1") == before

    def test_the_others_links_go_with_its_table_and_what_a_person_added_stays(
        self, department: Any, feed: Any, other_department: Any, other: Any
    ):
        for source in (feed, other):
            config = model.Session.get_one(Source, source.source_id).config
            change_source(source, config={**config, "links": {"list": "文件"}})
        same, old, new = ({"url": f"http://data.example/{name}.csv"} for name in ("same", "old", "new"))
        department.add("A-1", 名称=TITLE, 文件=[same, old])
        feed.run()
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        added = {"package_id": feed.entry("A-1")["id"], "url": "http://data.example/help.pdf"}
        tk.get_action("resource_create")({"ignore_auth": True, "user": user}, added)
        other_department.add("B-1", 名称=TITLE, 文件=[new, same])
        assert other.run()["counts"] == {"changed": 1}
        urls = [resource["url"].rsplit("/", 1)[1] for resource in entry_of(other, "B-1")["resources"]]
        assert urls == ["data.csv", "help.pdf", "new.csv", "same.csv"]
        assert other.run()["counts"] == {"unchanged": 1}

    def test_an_unapproved_source_takes_nothing_over(
        self, department: Any, feed: Any, other_department: Any, other: Any
    ):
        change_source(other, approved=False)
        department.add("A-1", 名称=TITLE)
        other_department.add("B-1", 名称=TITLE)
        feed.run()
        before = feed.entry("A-1")
        assert kinds(other.run()) == [("conflict-priority", "B-1")]
        assert feed.entry("A-1") == before

    def test_a_raised_priority_is_enough(self, department: Any, feed: Any, other_department: Any, other: Any):
        change_source(other, priority=100)
        other_department.conditional = True
        department.add("A-1", 名称=TITLE)
        other_department.add("B-1", 名称=TITLE)
        feed.run()
        assert other.run()["counts"] == {"refused": 1}
        change_source(other, priority=101)
        assert other.run()["counts"] == {"changed": 1}

    def test_two_records_of_the_newcomer_do_not_both_take_it(
        self, department: Any, feed: Any, other_department: Any, other: Any
    ):
        department.add("A-1", 名称=TITLE)
        other_department.add("B-1", "B-2", 名称=TITLE)
        feed.run()
        run = other.run()
        assert (run["counts"], kinds(run)) == ({"changed": 1, "refused": 1}, [("title-duplicate", "B-2")])
        assert kinds(other.run()) == [("title-duplicate", "B-2")]

    def test_a_record_with_an_entry_of_its_own_does_not_get_a_second(
        self, department: Any, feed: Any, other_department: Any, other: Any
    ):
        department.add("A-1", 名称=TITLE)
        other_department.add("B-1")
        feed.run()
        other.run()
        before = feed.entry("A-1")
        other_department.change("B-1", 名称=TITLE)
        assert kinds(other.run()) == [("title-duplicate", "B-1")]
        assert feed.entry("A-1") == before
        assert other.record("B-1")["state"] == "published"

    def test_a_dry_run_says_changed_and_leaves_it_with_the_other(
        self, department: Any, feed: Any, other_department: Any, other: Any
    ):
        department.add("A-1", 名称=TITLE)
        feed.run()
        before = feed.entry("A-1")
        other_department.add("B-1", 名称=TITLE, 更新频率="每周")
        run = other.run("dry")
        assert run["counts"] == {"changed": 1}
        shown = model.Session.scalars(sa.select(Difference).where(Difference.run_id == run["id"])).one()
        assert (shown.action, shown.dataset_id) == ("changed", before["id"])
        assert "update_cycle" in {change["field"] for change in shown.changes}
        assert feed.entry("A-1") == before
        assert feed.record("A-1")["state"] == "published"


class TestSpeakingForOthers:
    def test_an_entry_of_that_department_comes_first_or_the_provider_is_refused(
        self, department: Any, feed: Any, other_department: Any, other: Any
    ):
        county = factories.Organization(title=f"演示县{department.organization['name']}")
        change_source(other, organization_id=county["id"], priority=900)
        department.add("A-1", 名称=TITLE)
        feed.run()
        before = feed.entry("A-1")
        other_department.add("B-1", 名称=TITLE)
        other_department.add("B-2", 名称="演示别的数据")
        run = other.run()
        assert sorted(kinds(run)) == [("conflict-priority", "B-1"), ("provider-other", "B-2")]
        assert feed.entry("A-1") == before
        assert (other.record("B-1")["state"], other.record("B-2")["state"]) == ("superseded", "refused")

    def test_an_entry_that_a_person_wrote_is_no_sources(self, department: Any, feed: Any):
        department.add("A-1", 名称=TITLE)
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        written = {"title": TITLE, "owner_org": department.organization["id"], "type": "dataset", "notes": "演示数据"}
        tk.get_action("package_create")({"ignore_auth": True, "user": user}, written)
        assert kinds(feed.run()) == [("title-duplicate", "A-1")]


class TestManyHolders:
    def test_free_ids_are_found_behind_those_that_went_away(self, taken: dict[str, Any], feed: Any, other: Any):
        holders = conflicts.holders([taken["id"]])
        assert (holders[taken["id"]].source_id, holders[taken["id"]].key) == (other.source_id, "B-1")
        free = conflicts.free_dataset_id(feed.source_id, "A-1", holders)
        assert free != taken["id"]
        assert conflicts.free_dataset_id(other.source_id, "B-1", holders) != taken["id"]
        assert conflicts.holders([free]) == {}
