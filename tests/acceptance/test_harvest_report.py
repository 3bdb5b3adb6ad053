"""What the runs say about the departments' records: counted, refused with reasons, and nothing new the second time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from ckanapi import RemoteCKAN

#: Bar of a second ``up`` on an idle 2-core machine, harvest of all sources included.
SECOND_UP_SECONDS = 30


def latest_runs(portal: RemoteCKAN) -> dict[str, dict[str, Any]]:
    """Source id -> its newest run."""
    newest: dict[str, dict[str, Any]] = {}
    for run in portal.action.openhuizhou_harvest_run_list(limit=100)["results"]:
        newest.setdefault(run["source_id"], run)
    return newest


@pytest.fixture
def officer(account: Callable[[str], RemoteCKAN]) -> RemoteCKAN:
    return account("platform_officer")


class TestReport:
    def test_every_run_ended_well(self, officer: RemoteCKAN):
        runs = latest_runs(officer)
        assert len(runs) == 7
        assert {run["state"] for run in runs.values()} == {"done"}
        assert {run["failed"] for run in runs.values()} == {0}

    @pytest.mark.parametrize("kind", ["personal-data", "provider-missing", "title-duplicate"])
    def test_refused_records_give_their_reason_and_how_to_mend_it(self, officer: RemoteCKAN, kind: str):
        findings = [
            finding
            for run in latest_runs(officer).values()
            for finding in officer.action.openhuizhou_harvest_run_show(id=run["id"])["findings"]
            if finding["kind"] == kind
        ]
        assert findings, f"no run reports {kind}"
        for finding in findings:
            assert finding["record"]
            assert finding["severity"] == "error"
            assert finding["message"]
            assert finding["mend"]

    def test_a_countys_copy_leaves_the_owners_entry_alone(self, officer: RemoteCKAN, anonymous: RemoteCKAN):
        findings = [
            finding
            for run in latest_runs(officer).values()
            for finding in officer.action.openhuizhou_harvest_run_show(id=run["id"])["findings"]
            if finding["record"] == "kongqi-zhiliang"
        ]
        assert [finding["kind"] for finding in findings] == ["conflict-priority"]
        found = anonymous.action.package_search(q='title:"城市空气质量日报"', rows=10)["results"]
        assert {entry["organization"]["name"] for entry in found} == {"huanbaoju"}

    def test_nothing_of_a_refused_record_is_published(self, officer: RemoteCKAN, anonymous: RemoteCKAN):
        runs = latest_runs(officer).values()
        assert sum(run["refused"] for run in runs) >= 3
        records = sum(run[counter] for run in runs for counter in ("added", "changed", "unchanged"))
        assert anonymous.action.package_search(fq="dataset_type:dataset", rows=0)["count"] <= records

    def test_a_report_repeats_no_personal_data(self, officer: RemoteCKAN):
        shown = str(
            [officer.action.openhuizhou_harvest_run_show(id=run["id"]) for run in latest_runs(officer).values()]
        )
        assert not re.search(r"\b44130\d{7,}[\dX]{5}\b", shown)

    def test_findings_are_not_for_visitors(self, officer: RemoteCKAN, get: Callable[..., Any]):
        run = next(iter(latest_runs(officer).values()))
        answer = get("/api/3/action/openhuizhou_harvest_run_show", id=run["id"])
        assert answer.status_code in {403, 404} or not answer.json()["result"].get("findings")


class TestSecondUp:
    def test_publishes_nothing_new_and_reports_every_record_unchanged(
        self, openhuizhou: Callable[..., Any], officer: RemoteCKAN, anonymous: RemoteCKAN
    ):
        def modified() -> dict[str, str]:
            found = anonymous.action.package_search(fq="dataset_type:dataset", rows=1000)["results"]
            return {dataset["name"]: dataset["metadata_modified"] for dataset in found}

        before, runs_before = modified(), latest_runs(officer)
        started = time.monotonic()
        printed = openhuizhou("up").stdout
        took = time.monotonic() - started
        runs = latest_runs(officer)
        assert {run["id"] for run in runs.values()}.isdisjoint(run["id"] for run in runs_before.values())
        for run in runs.values():
            assert [run[counter] for counter in ("added", "changed", "withdrawn", "failed")] == [0, 0, 0, 0], run
            assert run["unchanged"] > 0
        assert modified() == before
        assert "met" in printed
        assert took < SECOND_UP_SECONDS
