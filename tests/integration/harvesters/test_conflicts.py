"""The same resource from two sources, both real: who has the entry, who waits, and how it changes hands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests import factories

from ckanext.openhuizhou.data import datastore_tables, files, tables
from ckanext.openhuizhou.harvesters import conflicts, writer
from ckanext.openhuizhou.model.harvest import Difference, Record, Run, Source, resource_id_of, source_id_of
from ckanext.openhuizhou.model.load import load_of

TITLE = "演示河流水位"


@pytest.fixture
def other_department(department: Any) -> Iterator[Any]:
    """A second system that speaks for the same department: its own web service, its own records."""
    web = type(department.web)()
    yield type(department)(web, department.organization)
    web.stop()


@pytest.fixture
def other(department: Any, other_department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The source that reads the second system; it comes first."""
    hosts = [department.web.host, other_department.web.host]
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", hosts)
    made = second_source(feed, other_department, priority=200)
    yield made
    model.Session.remove()
    for key in model.Session.scalars(sa.select(Record.key).where(Record.source_id == made.source_id)):
        tables.drop_table(resource_id_of(made.source_id, key))


def second_source(feed: Any, department: Any, **changes: Any) -> Any:
    first = model.Session.get_one(Source, feed.source_id)
    name = f"{first.name}-second"
    config = {**first.config, "url": f"{department.web.url}/catalog"}
    config["data"] = {**config["data"], "url": department.web.url + "/data/{key}"}
    values = {"organization_id": first.organization_id, "kind": first.kind, "mapping": first.mapping, "state": {}}
    changes = {"title": "演示第二来源", "approved": True, **changes}
    model.Session.add(Source(id=source_id_of(name), name=name, config=config, **values, **changes))
    model.Session.commit()
    return type(feed)(source_id_of(name), name)


def change_source(feed: Any, **values: Any) -> None:
    model.Session.execute(sa.update(Source).where(Source.id == feed.source_id).values(values))
    model.Session.commit()


def entry_of(feed: Any, key: str) -> dict[str, Any]:
    context = {"ignore_auth": True, "use_cache": False}
    return tk.get_action("package_show")(context, {"id": feed.record(key)["dataset_id"]})


def identity(entry: dict[str, Any]) -> tuple[str, ...]:
    return entry["id"], entry["name"], entry["catalogue_code"]


def kinds(run: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(finding.kind, finding.record) for finding in run["findings"]]


def has_table(feed: Any, key: str) -> bool:
    resource_id = resource_id_of(feed.source_id, key)
    there = {
        datastore_tables.live_mark(resource_id) is not None,
        files.published_file(resource_id).exists(),
        load_of(resource_id) is not None,
    }
    assert len(there) == 1, "table, file and verdict go together"
    return there.pop()


@pytest.fixture
def taken(department: Any, feed: Any, other_department: Any, other: Any) -> dict[str, Any]:
    """What the first source published as A-1 belongs to the second's B-1; the entry as it was before."""
    department.add("A-1", 名称=TITLE)
    feed.run()
    before = feed.entry("A-1")
    other_department.add("B-1", 名称=f"{TITLE}。", 更新频率="每周")
    other_department.rows["B-1"] = [{"station": "龙门", "reading": 9}]
    model.Session.remove()
    assert other.run()["counts"] == {"changed": 1}
    return before


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


class TestComingBack:
    def test_when_the_holder_is_withdrawn_the_other_has_the_entry_again(
        self, taken: dict[str, Any], department: Any, feed: Any, other_department: Any, other: Any
    ):
        department.conditional = True
        feed.run()  # from here on the first source says “not modified”
        other_department.remove("B-1")
        other_department.add("B-2")
        assert other.run()["counts"] == {"added": 1, "withdrawn": 1}
        assert feed.found() == {entry_of(other, "B-2")["title"]}
        assert feed.run()["counts"] == {"changed": 1}
        entry = entry_of(feed, "A-1")
        assert identity(entry) == identity(taken)
        assert (entry["entry_state"], entry["update_cycle"], entry["title"]) == ("published", "daily", TITLE)
        assert feed.table("A-1")[0] == {"station": "惠城", "reading": 1.5}
        assert (has_table(other, "B-1"), other.record("B-1")["dataset_id"]) == (False, None)
        assert feed.inconsistencies() == []
        assert feed.run()["counts"] == {"unchanged": 1}
        other_department.add("B-1", 名称=TITLE)
        assert other.run()["counts"] == {"unchanged": 1, "changed": 1}
        assert identity(entry_of(other, "B-1")) == identity(taken)
        assert feed.record("A-1")["state"] == "superseded"

    def test_what_a_person_withdrew_stays_withdrawn_whoever_has_it(
        self, department: Any, feed: Any, other_department: Any, other: Any
    ):
        department.add("A-1", 名称=TITLE)
        feed.run()
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        withdraw = {"id": feed.entry("A-1")["id"], "reason": "演示"}
        tk.get_action("openhuizhou_entry_withdraw")({"ignore_auth": True, "user": user}, withdraw)
        other_department.add("B-1", 名称=TITLE)
        assert other.run()["counts"] == {"changed": 1}
        assert entry_of(other, "B-1")["entry_state"] == "withdrawn"

    def test_with_a_title_of_its_own_it_becomes_another_entry(
        self, taken: dict[str, Any], department: Any, feed: Any, other: Any
    ):
        before = entry_of(other, "B-1")
        department.change("A-1", 名称="演示河流流量")
        assert feed.run()["counts"] == {"added": 1}
        entry = entry_of(feed, "A-1")
        assert entry["id"] != taken["id"]
        assert entry["title"] == "演示河流流量"
        assert entry_of(other, "B-1") == before
        assert feed.run()["counts"] == {"unchanged": 1}
        assert feed.found() == {"演示河流流量", before["title"]}

    def test_when_the_holder_takes_another_title_the_first_is_free(
        self, taken: dict[str, Any], department: Any, feed: Any, other_department: Any, other: Any
    ):
        department.conditional = True
        feed.run()
        other_department.change("B-1", 名称="演示河流流量")
        assert other.run()["counts"] == {"changed": 1}
        assert feed.run()["counts"] == {"added": 1}
        assert identity(entry_of(other, "B-1")) == identity(taken)
        assert entry_of(feed, "A-1")["title"] == TITLE


class TestInterrupted:
    def test_killed_before_the_others_table_is_gone(
        self, department: Any, feed: Any, other_department: Any, other: Any, monkeypatch: pytest.MonkeyPatch
    ):
        department.add("A-1", 名称=TITLE)
        feed.run()
        before = feed.entry("A-1")
        other_department.add("B-1", 名称=TITLE)

        def killed(_resource_id: str) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(writer, "drop_table", killed)
            with pytest.raises(KeyboardInterrupt):
                other.run()
        model.Session.remove()
        assert (feed.record("A-1")["state"], other.record("B-1")["state"]) == ("superseded", "pending")
        assert has_table(feed, "A-1")
        abandon(other)
        assert other.run()["counts"] == {"changed": 1}
        assert identity(entry_of(other, "B-1")) == identity(before)
        assert not has_table(feed, "A-1")
        assert other.inconsistencies() == []

    def test_killed_before_the_transaction_nothing_changed_hands(
        self, department: Any, feed: Any, other_department: Any, other: Any, monkeypatch: pytest.MonkeyPatch
    ):
        department.add("A-1", 名称=TITLE)
        feed.run()
        before = feed.entry("A-1")
        other_department.add("B-1", 名称=TITLE)

        def killed(*_arguments: Any, **_named: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(writer.records, "save", killed)
            with pytest.raises(KeyboardInterrupt):
                other.run()
        model.Session.remove()
        assert feed.entry("A-1") == before
        assert feed.record("A-1")["state"] == "published"
        assert has_table(feed, "A-1")
        abandon(other)
        assert other.run()["counts"] == {"changed": 1}
        assert other.inconsistencies() == []

    def test_what_lost_its_entry_while_it_was_read_does_not_write(
        self,
        department: Any,
        feed: Any,
        other_department: Any,
        other: Any,
        request: pytest.FixtureRequest,
        tmp_path: Path,
    ):
        department.add("A-1", 名称=TITLE)
        department.add("A-2")
        feed.run()
        other_department.add("B-1", 名称=TITLE)
        department.change("A-1", version="2", 更新频率="每周")
        hosts = [department.web.host, other_department.web.host]

        def take_over(_key: str) -> None:
            department.before_rows = lambda _key: None
            run_elsewhere(other, hosts, request, tmp_path)

        department.before_rows = take_over
        run = feed.run()
        assert run["state"] == "done"
        assert run["counts"] == {"unchanged": 1, "failed": 1}
        assert feed.record("A-1")["state"] == "superseded"
        assert entry_of(other, "B-1")["update_cycle"] == "daily"
        assert kinds(feed.run()) == [("conflict-priority", "A-1")]
        assert other.inconsistencies() == []


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


def abandon(feed: Any) -> None:
    """The worker of the source's run is gone."""
    model.Session.execute(
        sa.update(Run).where(Run.source_id == feed.source_id, Run.state == "running").values(lease_until=sa.func.now())
    )
    model.Session.commit()


def run_elsewhere(feed: Any, hosts: list[str], request: pytest.FixtureRequest, folder: Path) -> None:
    """Run a source in a worker of its own, to its end."""
    ini = folder / "worker.ini"
    base = Path(request.config.getoption("--ckan-ini")).resolve()
    ini.write_text(f"[app:main]\nuse = config:{base}\nckanext.openhuizhou.allowed_hosts = {' '.join(hosts)}\n", "utf-8")
    command = [str(Path(sys.executable).with_name("ckan")), "-c", str(ini), "openhuizhou", "harvest", "run", feed.name]
    subprocess.run(command, check=True, capture_output=True)
