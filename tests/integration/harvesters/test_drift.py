"""Columns that change at a real source: held until a platform officer has looked at them."""

from __future__ import annotations

from typing import Any

import pytest
from ckan import model

from ckanext.openhuizhou.harvesters.drift import accept_columns
from ckanext.openhuizhou.model.harvest import Source
from ckanext.openhuizhou.model.load import load_of

MEMO = {"name": "memo", "label": "备注", "type": "文本"}


def kinds(run: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(finding.kind, finding.record) for finding in run["findings"]]


def changed_columns(department: Any, key: str, *columns: dict[str, str], **fields: Any) -> None:
    department.change(key, columns=list(columns), **fields)


def edit_mapping(feed: Any, **parts: Any) -> None:
    source = model.Session.get_one(Source, feed.source_id)
    source.mapping = {**source.mapping, **parts}
    model.Session.commit()


@pytest.fixture
def drifted(department: Any, feed: Any) -> dict[str, Any]:
    """The run in which D-1 came with a column more."""
    department.add("D-1", "D-2")
    feed.run()
    station, reading = department.records[0]["columns"]
    changed_columns(department, "D-1", station, reading, MEMO, version="2", 更新频率="每周")
    department.rows["D-1"] = [{"station": "惠城", "reading": 3, "memo": "演示"}]
    return feed.run()


class TestHeld:
    def test_nothing_of_the_record_changes_until_somebody_has_looked(
        self, drifted: dict[str, Any], department: Any, feed: Any
    ):
        assert drifted["counts"] == {"unchanged": 1, "refused": 1}
        assert kinds(drifted) == [("columns-changed", "D-1")]
        assert drifted["findings"][0].params["change"] == "+memo"
        assert feed.table("D-1") == [{"station": "惠城", "reading": 1.5}, {"station": "博罗", "reading": 2.5}]
        assert feed.entry("D-1")["update_cycle"] == "daily"
        record = feed.record("D-1")
        assert (record["state"], record["last_result"]) == ("published", "refused")
        assert [column[0] for column in record["columns"]] == ["station", "reading"]
        assert [column[0] for column in record["held_columns"]] == ["station", "reading", "memo"]

    @pytest.mark.usefixtures("drifted")
    @pytest.mark.parametrize("mode", ["normal", "full"])
    def test_no_later_run_lets_it_through(self, feed: Any, mode: str):
        assert kinds(feed.run(mode)) == [("columns-changed", "D-1")]
        assert "memo" not in feed.table("D-1")[0]

    @pytest.mark.usefixtures("drifted")
    def test_a_source_that_takes_it_back_is_as_it_was(self, department: Any, feed: Any):
        department.change("D-1", columns=department.records[1]["columns"])
        department.rows["D-1"] = [{"station": "惠城", "reading": 4}]
        assert feed.run()["counts"] == {"unchanged": 1, "changed": 1}
        assert feed.record("D-1")["held_columns"] is None
        assert feed.table("D-1") == [{"station": "惠城", "reading": 4}]

    def test_a_column_of_another_type_and_one_that_is_gone_are_held(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        feed.run()
        station, reading = department.records[0]["columns"]
        changed_columns(department, "D-1", station, {**reading, "type": "文本"})
        changed_columns(department, "D-2", reading)
        run = feed.run()
        assert sorted((f.kind, f.record, f.params["change"]) for f in run["findings"]) == [
            ("columns-changed", "D-1", "~reading: number → string"),
            ("columns-changed", "D-2", "-station"),
        ]

    def test_another_order_is_no_drift(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        station, reading = department.records[0]["columns"]
        changed_columns(department, "D-1", reading, station)
        assert feed.run()["counts"] == {"changed": 1}
        assert list(feed.table("D-1")[0]) == ["reading", "station"]


class TestAccepted:
    @pytest.mark.parametrize("conditional", [False, True])
    def test_the_next_run_publishes_the_columns(
        self, drifted: dict[str, Any], department: Any, feed: Any, conditional: bool
    ):
        department.conditional = conditional
        feed.run()
        assert accept_columns(feed.source_id, "D-1")
        record = feed.record("D-1")
        assert (record["held_columns"], record["columns"][2][0]) == (None, "memo")
        assert feed.run()["counts"] == {"unchanged": 1, "changed": 1}
        assert feed.table("D-1") == [{"station": "惠城", "reading": 3, "memo": "演示"}]
        assert feed.entry("D-1")["update_cycle"] == "weekly"
        assert feed.run()["counts"] == {"unchanged": 2}
        assert feed.inconsistencies() == []

    def test_only_what_was_seen_is_accepted(self, drifted: dict[str, Any], department: Any, feed: Any):
        assert accept_columns(feed.source_id, "D-1")
        department.change(
            "D-1", columns=[*department.records[0]["columns"], {**MEMO, "name": "phone", "label": "电话"}]
        )
        run = feed.run()
        assert [(f.kind, f.params["change"]) for f in run["findings"]] == [("columns-changed", "+phone")]
        assert feed.table("D-1")[0] == {"station": "惠城", "reading": 1.5}

    @pytest.mark.usefixtures("drifted")
    def test_where_nothing_waits_nothing_is_accepted(self, feed: Any):
        before = feed.record("D-2")
        assert not accept_columns(feed.source_id, "D-2")
        assert not accept_columns(feed.source_id, "D-9")
        assert feed.record("D-2") == before


class TestEditedMapping:
    @pytest.mark.usefixtures("drifted")
    def test_who_edits_the_columns_in_the_mapping_has_looked_at_them(self, feed: Any):
        mapping = model.Session.get_one(Source, feed.source_id).mapping
        edit_mapping(feed, items={**mapping["items"], "exclude": ["memo"]})
        assert feed.run()["counts"] == {"unchanged": 1, "changed": 1}
        assert feed.table("D-1") == [{"station": "惠城", "reading": 3}]

    @pytest.mark.usefixtures("drifted")
    def test_who_edits_something_else_has_not(self, feed: Any):
        mapping = model.Session.get_one(Source, feed.source_id).mapping
        edit_mapping(feed, fields={**mapping["fields"], "notes": {"const": "演示数据，改过"}})
        run = feed.run()
        assert (run["counts"], kinds(run)) == ({"changed": 1, "refused": 1}, [("columns-changed", "D-1")])


class TestListedColumns:
    @pytest.fixture
    def listed(self, department: Any, feed: Any) -> None:
        items = [{"name": "读数", "column": "value", "data_type": "number", "from": "reading"}]
        edit_mapping(feed, datasets={"D-1": {"items": items}})
        department.add("D-1")
        assert feed.run()["counts"] == {"added": 1}
        assert feed.table("D-1") == [{"value": 1.5}, {"value": 2.5}]

    @pytest.mark.usefixtures("listed")
    def test_a_new_column_is_told_once_and_never_published(self, department: Any, feed: Any):
        department.change("D-1", columns=[*department.records[0]["columns"], MEMO])
        run = feed.run()
        assert (run["counts"], kinds(run)) == ({"unchanged": 1}, [("column-new", "D-1")])
        assert (run["findings"][0].column, run["findings"][0].severity) == ("memo", "warning")
        assert feed.run()["findings"] == []
        department.change("D-1", version="2")
        assert feed.run()["findings"] == []
        assert feed.table("D-1") == [{"value": 1.5}, {"value": 2.5}]

    @pytest.mark.usefixtures("listed")
    def test_one_of_another_type_is_held_and_accepted(self, department: Any, feed: Any):
        station, reading = department.records[0]["columns"]
        changed_columns(department, "D-1", station, {**reading, "type": "整数"}, version="2")
        department.rows["D-1"] = [{"station": "惠城", "reading": 7}]
        run = feed.run()
        assert [(f.kind, f.params["change"]) for f in run["findings"]] == [("columns-changed", "~reading: 数字 → 整数")]
        assert accept_columns(feed.source_id, "D-1")
        assert feed.run()["counts"] == {"changed": 1}
        assert feed.table("D-1") == [{"value": 7}]

    @pytest.mark.usefixtures("listed")
    def test_one_that_is_gone_leaves_the_table_as_it_was(self, department: Any, feed: Any):
        changed_columns(department, "D-1", department.records[0]["columns"][0])
        assert kinds(feed.run()) == [("column-missing", "D-1")]
        assert feed.table("D-1") == [{"value": 1.5}, {"value": 2.5}]
        loaded = load_of(feed.entry("D-1")["resources"][0]["id"])
        assert loaded is not None
        assert loaded.rows == 2
