"""The 15 tasks of annex 1 as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ckanext.openhuizhou.domain.reference import read_reference

CONFIG = Path(__file__).parents[3] / "config"
CONTENT: dict[str, Any] = yaml.safe_load((CONFIG / "tasks.yaml").read_text("utf-8"))
TASKS = {task["number"]: task for task in CONTENT["tasks"]}
MONTHS = {2: 2, 3: 3, 4: 6, 5: 6, 6: 6, 7: 12, 8: 12, 9: 6, 10: 6, 11: 3, 12: 12, 13: 3, 14: 3}


def test_there_are_fifteen():
    assert list(TASKS) == list(range(1, 16))


@pytest.mark.parametrize(("number", "month"), MONTHS.items())
def test_a_deadline_is_the_month_that_its_words_name(number: int, month: int):
    assert {"kind": "month", "month": month} in TASKS[number]["deadlines"]
    assert TASKS[number]["deadline_text"].startswith(f"{month}月底前")


def test_task_1_has_two_dates_and_a_monthly_report():
    assert TASKS[1]["deadlines"] == [
        {"kind": "month", "month": 1, "for": "市直各部门"},
        {"kind": "month", "month": 2, "for": "各县、区政府"},
        {"kind": "monthly", "from_month": 3},
    ]


def test_task_2_is_reported_every_month_and_task_15_has_no_end():
    assert {"kind": "monthly", "from_month": 2} in TASKS[2]["deadlines"]
    assert TASKS[15]["deadlines"] == [{"kind": "continuous"}]


def test_every_unit_is_a_body_of_the_directory_or_a_group():
    bodies = {department.short_name for department in read_reference(CONFIG).directory}
    for task in TASKS.values():
        for unit in [*task["lead"], *task["cooperating"]]:
            assert unit in bodies | set(CONTENT["groups"]), unit
