"""Targets count what anybody can find with ``package_search``, and nothing else."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest


def show(portal: Any, **params: str) -> dict[str, Any]:
    return portal.page("/api/3/action/openhuizhou_target_show", **params).json["result"]


class TestTargetShow:
    def test_counts_what_package_search_finds(self, portal: Any) -> None:
        target = show(portal, id="datasets-march")
        found = portal.page("/api/3/action/package_search", fq=target["fq"], rows="0").json["result"]
        assert target["count"] == found["count"] == 3  # air, bus, evil

    def test_leaves_out_entries_without_data_or_on_conditions(self, portal: Any) -> None:
        target = show(portal, id="datasets-march")
        assert {item["name"]: item["count"] for item in target["by_department"]} == {
            "huanbaoju": 1,
            "jiaotongju": 2,
            "anjianju": 0,
            "minzhengju": 0,
            "rensheju": 0,
        }
        assert target["missing_departments"] == ["anjianju", "rensheju", "minzhengju"]

    def test_says_how_far_it_is(self, portal: Any) -> None:
        target = show(portal, id="datasets-march")
        assert (target["goal"], target["remaining"], target["met"], target["met_on_time"]) == (20, 17, False, False)
        assert target["by_theme"][0] == {
            "name": "environment",
            "title": {"en": "Environmental protection", "zh": "环境保护"},
            "count": 2,
        }
        assert [month["month"] for month in target["by_month"]] == ["2018-03", "2018-04", "2018-06"]
        assert target["by_month"][-1]["count"] == target["count"]

    @pytest.mark.parametrize(
        ("day", "count"),
        [
            ("2018-03-19", 0),
            ("2018-03-20", 1),  # air
            ("2018-03-25", 2),  # and water
            ("2018-04-30", 3),  # and bus
            ("2018-05-01", 2),  # water was withdrawn on this day
            ("2018-06-01", 3),  # evil
        ],
    )
    def test_counts_as_of_the_end_of_a_day(self, portal: Any, day: str, count: int) -> None:
        target = show(portal, id="datasets-march", date=day)
        assert (target["date"], target["count"]) == (day, count)

    def test_refuses_what_is_no_date(self, portal: Any) -> None:
        refused = portal.page("/api/3/action/openhuizhou_target_show", 409, id="datasets-march", date="31.3.2018")
        assert "date" in refused.json["error"]

    def test_does_not_know_a_made_up_target(self, portal: Any) -> None:
        portal.page("/api/3/action/openhuizhou_target_show", 404, id="datasets-never")

    def test_counts_the_same_for_an_official(self, portal: Any) -> None:
        with portal.app.flask_app.test_request_context():
            as_sysadmin = {"user": portal.sysadmin["name"]}
            official = tk.get_action("openhuizhou_target_show")(as_sysadmin, {"id": "datasets-march"})
        assert official["count"] == show(portal, id="datasets-march")["count"]


class TestTargetList:
    def test_lists_the_three_targets_of_the_plan(self, portal: Any) -> None:
        targets = portal.page("/api/3/action/openhuizhou_target_list").json["result"]
        assert [(target["id"], target["count"]) for target in targets] == [
            ("datasets-march", 3),
            ("datasets-december", 3),
            ("applications-december", 1),
        ]

    def test_takes_a_date_for_all(self, portal: Any) -> None:
        targets = portal.page("/api/3/action/openhuizhou_target_list", date="2018-03-20").json["result"]
        assert [target["count"] for target in targets] == [1, 1, 0]
