"""An entry that goes back, and takeovers that are interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from tests.integration.harvesters.conflicts.two_sources import (
    TITLE,
    abandon,
    entry_of,
    has_table,
    identity,
    kinds,
    run_elsewhere,
)

from ckanext.openhuizhou.harvesters import writer


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
