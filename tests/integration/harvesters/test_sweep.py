"""Withdrawing entries of which CKAN refuses one; a run that fails as a whole."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.harvesters import sweep


class TestWithdraw:
    def test_an_entry_that_cannot_be_written_keeps_no_other_public(self, department: Any, feed: Any):
        department.add("D-1", "D-2", "D-3", "D-4")
        feed.run()
        bad = feed.entry("D-2")["id"]
        model.Session.execute(
            sa.update(model.Package).where(model.Package.id == bad).values(maintainer_email="no address", title="")
        )
        model.Session.commit()
        department.remove("D-1", "D-2", "D-3")
        for _again in range(2):
            run = feed.run()
            assert run["state"] == "done"
            assert {(f.kind, f.record) for f in run["findings"]} == {("withdrawal-failed", "D-2")}
            assert all(f.params["reason"] for f in run["findings"])
            assert (run["failed"], run["refused"]) == (1, 0)
            assert feed.keys("withdrawn") == {"D-1", "D-3"}
        assert feed.entry("D-1")["entry_state"] == "withdrawn"
        assert feed.keys("published") == {"D-2", "D-4"}


class TestUnexpected:
    def test_a_run_that_fails_is_told_as_a_run(self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch):
        department.add("D-1")

        def failing(_source_id: str) -> int:
            raise ZeroDivisionError

        monkeypatch.setattr(sweep, "live_count", failing)
        run = feed.run()
        assert run["state"] == "failed"
        assert [(f.kind, f.params) for f in run["findings"]] == [("run-unexpected", {"reason": "ZeroDivisionError"})]
