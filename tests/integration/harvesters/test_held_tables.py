"""A harvest brings rows that the rules of their entry hold back."""

from __future__ import annotations

from typing import Any

import pytest
from ckan import model

from ckanext.openhuizhou.data import held_tables
from ckanext.openhuizhou.harvesters.stored import read_again
from ckanext.openhuizhou.model import data_check

TWICE = [{"station": "惠城", "reading": 1.5}] * 2


def strict(package_id: str) -> None:
    data_check.set_rules(package_id, {"duplicate-rows": ("hold", None)}, None)
    model.Session.commit()


@pytest.fixture
def entry(department: Any, feed: Any) -> dict[str, Any]:
    """A published entry of which rows that stand twice are held back."""
    department.add("D-1")
    feed.run()
    found = feed.entry("D-1")
    strict(found["id"])
    return found


class TestHeld:
    def test_the_entry_goes_on_with_the_old_table(self, department: Any, feed: Any, entry: dict[str, Any]):
        before = feed.table("D-1")
        department.rows["D-1"] = TWICE
        run = feed.run("full")
        assert [(finding.kind, finding.row, finding.severity) for finding in run["findings"]] == [
            ("row-duplicate", 2, "warning"),
            ("table-held", None, "warning"),
        ]
        assert feed.table("D-1") == before
        assert feed.entry("D-1")["row_count"] == entry["row_count"] == len(before)

    def test_an_officer_publishes_and_the_next_run_asks_nobody(self, department: Any, feed: Any, entry: dict[str, Any]):
        department.rows["D-1"] = TWICE
        feed.run("full")
        held_tables.decide(entry["resources"][0]["id"], "publish", None)
        assert feed.table("D-1") == TWICE
        assert feed.run("full")["findings"] == []

    def test_other_rules_read_the_rows_anew(self, department: Any, feed: Any, entry: dict[str, Any]):
        department.rows["D-1"] = TWICE
        feed.run("full")
        data_check.set_rules(entry["id"], {}, None)
        read_again(entry["id"])
        model.Session.commit()
        feed.run()
        assert feed.table("D-1") == TWICE
