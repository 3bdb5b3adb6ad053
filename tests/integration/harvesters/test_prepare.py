"""What becomes of a record before it is written: compared, looked up, refused quickly when it is hostile."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from benchmarks.drivers.memory import Memory
from ckan import model
from ckan.tests import factories

from ckanext.openhuizhou.harvesters.mapping import RecordMapping
from ckanext.openhuizhou.harvesters.prepare import Preparer
from ckanext.openhuizhou.model.harvest import Source, dataset_id_of


def kinds(run: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(finding.kind, finding.record) for finding in run["findings"]]


def rules(run: dict[str, Any]) -> dict[str, int]:
    return {rule["rule"]: rule["count"] for rule in run["rules"]}


def configure(feed: Any, *, without: str | None = None, **options: Any) -> None:
    source = model.Session.get_one(Source, feed.source_id)
    source.config = {name: value for name, value in {**source.config, **options}.items() if name != without}
    model.Session.commit()


def edit_fields(feed: Any, **fields: Any) -> None:
    source = model.Session.get_one(Source, feed.source_id)
    source.mapping = {**source.mapping, "fields": {**source.mapping["fields"], **fields}}
    model.Session.commit()


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that records' preparation sends to CKAN's database."""
    statements: list[str] = []
    counting = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if counting:
            statements.append(statement)

    def wrapped(function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            counting.append(True)
            try:
                return function(*arguments)
            finally:
                counting.pop()

        return call

    engine = model.meta.engine
    assert engine is not None
    sa.event.listen(engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Preparer, "begin", wrapped(Preparer.begin))
        patch.setattr(Preparer, "prepare", wrapped(Preparer.prepare))
        try:
            yield statements
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)


class TestUnchanged:
    def test_what_the_source_sent_before_is_not_mapped(
        self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch
    ):
        department.add("D-1", "D-2")
        feed.run()
        department.records = [dict(reversed(record.items())) for record in department.records]
        mapped = []
        apply = RecordMapping.apply

        def noted(mapping: RecordMapping, record: Any) -> Any:
            mapped.append(record.key)
            return apply(mapping, record)

        monkeypatch.setattr(RecordMapping, "apply", noted)
        with counted() as statements:
            assert feed.run()["counts"] == {"unchanged": 2}
        assert (mapped, statements) == ([], [])
        department.change("D-2", 备注="演示")
        assert feed.run()["counts"] == {"unchanged": 2}
        assert mapped == ["D-2"]
        assert feed.run()["counts"] == {"unchanged": 2}
        assert mapped == ["D-2"]

    def test_the_time_of_change_alone_changes_nothing(self, department: Any, feed: Any):
        configure(feed, modified="更新时间")
        department.add("D-1", 更新时间="2018-03-01 08:00:00")
        feed.run()
        before = feed.entry("D-1")
        assert before["data_modified"] == "2018-03-01T00:00:00"
        department.change("D-1", 更新时间="2018-04-01 08:00:00")
        assert feed.run()["counts"] == {"unchanged": 1}
        department.change("D-1", 更新时间="2017-04-01 08:00:00")
        assert feed.run()["counts"] == {"unchanged": 1}
        assert feed.entry("D-1") == before

    def test_a_mapping_that_reads_it_makes_it_count(self, department: Any, feed: Any):
        configure(feed, modified="更新时间")
        edit_fields(feed, notes={"template": "演示数据，更新于{$modified}"})
        department.add("D-1", 更新时间="2018-03-01")
        feed.run()
        department.change("D-1", 更新时间="2018-04-01")
        assert feed.run()["counts"] == {"changed": 1}
        assert feed.entry("D-1")["notes"] == "演示数据，更新于2018-04-01"


class TestRules:
    def test_each_record_says_what_told_of_its_change(self, department: Any, feed: Any):
        department.add("D-1", "D-2", "D-3", "D-4")
        department.rows["D-4"] = [{"station": "惠城", "reading": "很高"}]
        assert rules(feed.run()) == {"new": 4}
        department.change("D-2", version="2")  # with the same rows
        department.change("D-3", 更新频率="每周")
        department.add("D-5")
        run = feed.run()
        assert run["counts"] == {"added": 1, "changed": 1, "unchanged": 2, "refused": 1}
        told = {key: feed.record(key)["rule"] for key in ("D-1", "D-2", "D-3", "D-4", "D-5")}
        assert told == {"D-1": "version", "D-2": "version", "D-3": "payload", "D-4": "again", "D-5": "new"}
        assert rules(run) == {"version": 2, "payload": 1, "again": 1, "new": 1}

    def test_a_source_that_cannot_tell_is_compared_by_content(self, department: Any, feed: Any):
        configure(feed, without="digest")
        department.add("D-1")
        feed.run()
        run = feed.run()
        assert (run["counts"], rules(run)) == ({"unchanged": 1}, {"content": 1})
        department.rows["D-1"].append({"station": "龙门", "reading": 4})
        run = feed.run()
        assert (run["counts"], rules(run)) == ({"changed": 1}, {"content": 1})

    def test_a_person_and_a_mapping_have_rules_too(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        assert rules(feed.run("full")) == {"full": 1}
        edit_fields(feed, notes={"const": "演示数据，改过"})
        run = feed.run()
        assert (run["counts"], rules(run)) == ({"changed": 1}, {"mapping": 1})


class TestMeaning:
    def test_a_mapping_that_makes_the_same_entry_changes_nothing(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        before = feed.entry("D-1")
        edit_fields(feed, notes={"template": "演示数据"})
        department.web.requests.clear()
        run = feed.run()
        assert (run["counts"], rules(run)) == ({"unchanged": 1}, {"mapping": 1})
        assert feed.entry("D-1") == before
        assert department.paths() == ["/catalog"]
        assert rules(feed.run()) == {"version": 1}

    @pytest.mark.parametrize("conditional", [False, True])
    def test_a_directory_that_changed_makes_each_record_be_looked_at_again(
        self, department: Any, feed: Any, conditional: bool
    ):
        below = factories.Organization(
            title=f"演示站{department.organization['name']}", groups=[{"name": department.organization["name"]}]
        )
        department.conditional = conditional
        department.add("D-1")
        department.add("D-2", 提供单位=below["title"])
        assert feed.run()["counts"] == {"added": 2}
        before = feed.entry("D-1")
        assert feed.run()["counts"] == {"unchanged": 2}
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        change = {"id": below["id"], "title": "演示改名的站"}
        tk.get_action("organization_patch")({"ignore_auth": True, "user": user}, change)
        run = feed.run()
        assert (run["counts"], kinds(run)) == ({"unchanged": 1, "refused": 1}, [("provider-unknown", "D-2")])
        assert feed.entry("D-1") == before

    def test_a_limit_that_changed_too(self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch):
        configure(feed, links={"list": "文件", "url": "url"})
        department.add("D-1", 文件=[{"url": f"http://data.example/{number}"} for number in range(3)])
        assert feed.run()["counts"] == {"added": 1}
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.max_links", 2)
        assert kinds(feed.run()) == [("links-too-many", "D-1")]


class TestLookUps:
    def test_a_batch_asks_as_often_as_one_record(self, department: Any, feed: Any):
        configure(feed, without="data")
        asked = []
        for keys in (range(1), range(100, 140)):
            department.add(*(f"D-{key}" for key in keys))
            with counted() as statements:
                assert feed.run()["counts"]["added"] == len(keys)
            asked.append(len(statements))
        for record in department.records:
            record["更新频率"] = "每周"
        with counted() as statements:
            assert feed.run()["counts"] == {"changed": 41}
        assert max(*asked, len(statements)) <= 8
        assert asked[0] == asked[1]

    def test_titles_and_codes_are_still_looked_up(self, department: Any, feed: Any):
        edit_fields(feed, related_codes={"from": "相关", "split": ","})
        department.add("D-1")
        feed.run()
        code = feed.entry("D-1")["catalogue_code"]
        department.add("D-2", 相关=code)
        department.add("D-3", 相关=f"{code},211001/999999")
        department.add("D-4", 相关="211001/\x00")
        department.add("D-5", 名称=department.records[0]["名称"])
        run = feed.run()
        assert run["counts"] == {"added": 1, "unchanged": 1, "refused": 3}
        assert sorted(kinds(run)) == [
            ("related-code-unknown", "D-3"),
            ("related-code-unknown", "D-4"),
            ("title-duplicate", "D-5"),
        ]

    def test_an_entry_that_a_person_deleted_stays_deleted(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        entry = {"id": dataset_id_of(feed.source_id, "D-1")}
        tk.get_action("package_delete")({"ignore_auth": True, "user": user}, entry)
        department.change("D-1", version="2", 更新频率="每周")
        assert kinds(feed.run()) == [("entry-deleted", "D-1")]

    def test_one_record_that_cannot_be_mapped_stops_no_other(
        self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch
    ):
        department.add("D-1", "D-2", "D-3")
        apply = RecordMapping.apply

        def failing(mapping: RecordMapping, record: Any) -> Any:
            if record.key == "D-2":
                raise ZeroDivisionError
            return apply(mapping, record)

        monkeypatch.setattr(RecordMapping, "apply", failing)
        run = feed.run()
        assert (run["counts"], kinds(run)) == ({"added": 2, "failed": 1}, [("unexpected", "D-2")])


class TestHostileRecords:
    def test_ten_thousand_resources_and_thirty_five_thousand_keywords_are_refused_and_the_run_goes_on(
        self, department: Any, feed: Any
    ):
        configure(feed, links={"list": "文件", "url": "url", "name": "name"})
        edit_fields(feed, tag_string={"from": "关键词", "split": ";"})
        many = [{"url": f"http://data.example/{number}.csv", "name": f"文件{number}"} for number in range(10_000)]
        department.add("D-0")
        feed.run()
        department.add("D-1", 文件=many)
        department.add("D-2", 关键词=";".join(f"关键词{number}" for number in range(35_000)))
        department.add("D-3", 关键词=[f"关键词{number}" for number in range(35_000)])
        department.add("D-4")
        memory, begun = Memory(), time.monotonic()
        run = feed.run()
        assert run["counts"] == {"added": 1, "unchanged": 1, "refused": 3}
        assert kinds(run) == [("links-too-many", "D-1"), ("tags-too-many", "D-2"), ("tags-too-many", "D-3")]
        assert [finding.params["count"] for finding in run["findings"]] == [10_000, 35_000, 35_000]
        assert time.monotonic() - begun < 10
        assert memory.grown() < 100

    def test_keywords_that_are_none_are_left_out_with_a_warning(self, department: Any, feed: Any):
        department.add("D-1", 关键词="空气、水,PM2.5；" + "长" * 101 + ",a/b")
        run = feed.run()
        assert (run["counts"], kinds(run)) == ({"added": 1}, [("tags-refused", "D-1")])
        assert run["findings"][0].params == {"count": 3}
        assert {tag["name"] for tag in feed.entry("D-1")["tags"]} == {"空气", "PM2.5"}

    def test_characters_that_no_database_takes_refuse_their_record_only(self, department: Any, feed: Any):
        department.add("D-1", 名称="演示\x00数据", 更新频率="每\x00日")
        department.add("D-2", 提供单位="演示\x00局")
        department.add("D-3", 名称="演示\ud800数据")
        department.add("D-4")
        department.broken = json.dumps({"list": department.records}).encode()
        run = feed.run()
        assert run["counts"] == {"added": 1, "refused": 3}
        assert {record for _kind, record in kinds(run)} == {"D-1", "D-2", "D-3"}


class TestIdentity:
    def test_placeholders_are_no_keys_and_a_key_counts_once(self, department: Any, feed: Any):
        department.add("D-1")
        for key in ("TODO", "无", "null", "-", "N/A", "0", "", "D-1", "D" * 501):
            department.add(key)
        department.records.append({"id": None, "名称": "演示"})
        run = feed.run()
        assert run["counts"] == {"added": 1, "refused": 10}
        assert sorted(finding.kind for finding in run["findings"]) == [
            "key-duplicate", "key-missing", "key-missing", *["key-placeholder"] * 6, "key-unfit",
        ]  # fmt: skip
        assert feed.keys("published", "refused", "failed") == {"D-1"}

    def test_a_record_copied_with_its_key_from_another_department_is_found(self, department: Any, feed: Any):
        other = factories.Organization(title=f"演示站{department.organization['name']}", groups=[
            {"name": department.organization["name"]}
        ])  # fmt: skip
        department.add("D-1")
        department.records.append({**department.records[0], "提供单位": other["title"]})
        run = feed.run()
        assert (run["counts"], kinds(run)) == ({"added": 1, "refused": 1}, [("key-duplicate", "D-1")])
        assert feed.entry("D-1")["owner_org"] == department.organization["id"]


class TestTime:
    def test_what_is_yet_to_come_is_the_time_of_reading(self, department: Any, feed: Any):
        configure(feed, modified="更新时间")
        now = datetime.now(UTC)
        skewed, wrong = now + timedelta(minutes=20), now + timedelta(days=300)
        department.add("D-1", 更新时间=skewed.isoformat())
        department.add("D-2", 更新时间=wrong.isoformat())
        department.add("D-3", 更新时间="0001-01-01")
        department.add("D-4", 更新时间="昨天")
        run = feed.run()
        assert (run["counts"], kinds(run)) == ({"added": 4}, [("modified-in-future", "D-2")])
        assert run["findings"][0].severity == "warning"
        for key in ("D-1", "D-2", "D-3", "D-4"):
            told = datetime.fromisoformat(feed.entry(key)["data_modified"]).replace(tzinfo=UTC)
            assert now - timedelta(seconds=2) < told <= datetime.now(UTC)
