from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ckanext.openhuizhou.domain import targets
from ckanext.openhuizhou.errors import ConfigurationError

MARCH = targets.Target(
    id="datasets-march",
    unit="dataset",
    goal=20,
    deadline=dt.date(2018, 3, 31),
    title={"zh": "3月底前开放20个以上数据集"},
    providers=("huanbaoju", "jiaotongju"),
)


def measured(count: int, at_deadline: int, today: dt.date, **by_provider: int) -> targets.Progress:
    return targets.measure(MARCH, count=count, at_deadline=at_deadline, by_provider=by_provider, today=today)


class TestCityFile:
    def test_holds_the_three_targets_of_the_plan(self) -> None:
        config = Path(__file__).parents[3] / "config" / "targets.yaml"
        found = {target.id: (target.unit, target.goal, target.deadline) for target in targets.read_targets(config)}
        assert found == {
            "datasets-march": ("dataset", 20, dt.date(2018, 3, 31)),
            "datasets-december": ("dataset", 80, dt.date(2018, 12, 31)),
            "applications-december": ("application", 10, dt.date(2018, 12, 31)),
        }


class TestReadTargets:
    GOOD = "targets:\n- {id: a, unit: dataset, goal: 2, deadline: 2018-03-31, title: {en: A}}\n"

    def read(self, tmp_path: Path, text: str) -> tuple[targets.Target, ...]:
        path = tmp_path / "targets.yaml"
        path.write_text(text, encoding="utf-8")
        return targets.read_targets(path)

    def test_reads_one(self, tmp_path: Path) -> None:
        (target,) = self.read(tmp_path, self.GOOD)
        assert (target.id, target.goal, target.providers) == ("a", 2, ())

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ("goal: 0", "not a number above 0"),
            ("goal: many", "not a number above 0"),
            ("unit: tables", "unknown things: tables"),
            ("deadline: soon", "not a date"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path: Path, wrong: str, said: str) -> None:
        key = wrong.split(":")[0]
        good = {"goal": "goal: 2", "unit": "unit: dataset", "deadline": "deadline: 2018-03-31"}[key]
        with pytest.raises(ConfigurationError, match=said):
            self.read(tmp_path, self.GOOD.replace(good, wrong))

    def test_refuses_a_target_without_goal(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="goal"):
            self.read(tmp_path, self.GOOD.replace("goal: 2, ", ""))

    def test_refuses_an_id_that_stands_there_twice(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="twice"):
            self.read(tmp_path, self.GOOD + self.GOOD.split("\n")[1] + "\n")

    def test_refuses_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"targets\.yaml"):
            targets.read_targets(tmp_path / "targets.yaml")


class TestMeasure:
    def test_reached_by_the_deadline_is_met_on_time(self) -> None:
        progress = measured(24, 20, dt.date(2018, 4, 2), huanbaoju=1, jiaotongju=1)
        assert progress == targets.Progress(24, True, True, ())

    def test_reached_late_is_met_but_not_on_time(self) -> None:
        progress = measured(24, 19, dt.date(2018, 4, 2), huanbaoju=1, jiaotongju=1)
        assert (progress.met, progress.met_on_time) == (True, False)

    def test_before_the_deadline_nobody_knows_yet(self) -> None:
        assert measured(3, 3, dt.date(2018, 3, 31)).met_on_time is None

    def test_lost_after_the_deadline_is_no_longer_met(self) -> None:
        progress = measured(19, 20, dt.date(2018, 6, 1))
        assert (progress.met, progress.met_on_time) == (False, True)

    def test_names_providers_that_the_plan_wants_and_that_gave_nothing(self) -> None:
        assert measured(30, 30, dt.date(2018, 6, 1), huanbaoju=30).missing_providers == ("jiaotongju",)


class TestByMonth:
    ISSUED = {"2018-03-31": 2, "2018-04-01": 1, "2018-03-02T08:00:00Z": 4}

    def test_months_add_up(self) -> None:
        assert targets.by_month(self.ISSUED) == [
            {"month": "2018-03", "added": 6, "count": 6},
            {"month": "2018-04", "added": 1, "count": 7},
        ]

    def test_nothing_issued_gives_no_month(self) -> None:
        assert targets.by_month({}) == []
