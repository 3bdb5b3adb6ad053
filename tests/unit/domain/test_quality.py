"""The score of an entry: what is asked, what is left out, and reasons for every point that is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain import quality
from ckanext.openhuizhou.domain.freshness import due, freshness, promised
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.quality_criteria import REASONS, Facts
from ckanext.openhuizhou.errors import ConfigurationError

NOW = datetime(2026, 11, 24, 10)  # noqa: DTZ001 - as in the database
BEST = Facts(
    notes="惠州市环境空气质量自动监测站的小时浓度，由市生态环境局逐小时采集、审核后发布，可用于出行提示和研究。",
    tags=3,
    theme=True,
    contact=True,
    region=True,
    time_range=True,
    items=[
        Item("站点编号", "code", "string", is_key=True, description="监测站的编号"),
        Item("浓度", "value", "number", unit="μg/m³", description="小时平均浓度"),
    ],
    tables=1,
    loads=["ok"],
    checks=["passed"],
    update_cycle="daily",
    changed=NOW - timedelta(hours=5),
    now=NOW,
    open_type="unconditional",
    licence=True,
    formats=["CSV"],
    links=2,
)


def reasons(facts: Facts) -> set[str]:
    return {reason.kind for judged in quality.judge(facts).dimensions.values() for reason in judged.reasons}


class TestJudge:
    def test_what_lacks_nothing_has_all_points_and_no_reason(self):
        assert (quality.judge(BEST).total, reasons(BEST)) == (100, set())

    def test_what_has_nothing_has_none(self):
        assert quality.judge(Facts(now=NOW)).total == 0

    @pytest.mark.parametrize(
        ("change", "points", "reason"),
        [
            ({"notes": "太短"}, 6, "abstract-short"),
            ({"tags": 1}, 4, "subjects-few"),
            ({"contact": False}, 4, "contact-missing"),
            ({"region": False}, 6, "coverage-missing"),
            ({"items": []}, 15, "items-missing"),
            ({"items": [Item("浓度", "value", "number", unit="个", description="x")]}, 5, "key-missing"),
            ({"items": [Item("浓度", "value", "number", description="x"), BEST.items[0]]}, 5, "units-missing"),
            ({"items": [Item("编号", "code", "string", is_key=True)]}, 10, "columns-bare"),
            ({"tables": 0, "loads": [], "checks": []}, 25, "table-missing"),
            ({"loads": ["ok", "failed"]}, 7, "load-refused"),
            ({"checks": ["passed", "warned"]}, 5, "checks-warned"),
            ({"checks": ["warned", "held"]}, 10, "checks-held"),
            ({"changed": NOW - timedelta(days=1, hours=1)}, 9, "late"),
            ({"changed": NOW - timedelta(days=30)}, 15, "late"),
            ({"changed": None}, 15, "never-updated"),
            ({"update_cycle": "irregular", "changed": NOW - timedelta(days=400)}, 10.5, "cycle-irregular-old"),
            ({"open_type": "conditional"}, 3, "open-conditional"),
            ({"licence": False}, 5, "licence-missing"),
            ({"broken": 1}, 2.5, "links-broken"),
        ],
    )
    def test_what_is_missing_costs_points_and_is_said(self, change: dict, points: float, reason: str):
        facts = replace(BEST, **change)
        judged = quality.judge(facts)
        lost = sum(one.most - one.points for one in judged.dimensions.values())
        assert lost <= points + 1e-9
        assert lost > 0
        assert reason in reasons(facts)
        assert judged.total < 100

    @pytest.mark.parametrize(
        "change",
        [{"links": 0}, {"update_cycle": "discontinued"}, {"open_type": "none"}, {"update_cycle": "irregular"}],
    )
    def test_what_an_entry_cannot_be_asked_costs_nothing(self, change: dict):
        assert quality.judge(replace(BEST, **change)).total == 100

    @given(
        st.builds(
            Facts, notes=st.text(max_size=80), tags=st.integers(0, 4), theme=st.booleans(), contact=st.booleans(),
            tables=st.integers(0, 2), loads=st.lists(st.sampled_from(["ok", "failed"]), max_size=2),
            checks=st.lists(st.sampled_from(["passed", "warned", "held", "refused"]), max_size=2),
            update_cycle=st.sampled_from(["", "daily", "yearly", "irregular", "discontinued", "?"]),
            changed=st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)), now=st.just(NOW),  # noqa: DTZ001
            open_type=st.sampled_from(["", "unconditional", "conditional", "none"]), licence=st.booleans(),
            items=st.lists(st.builds(Item, st.text(), st.text(), st.sampled_from(["string", "number"]))),
        )
    )  # fmt: skip
    def test_points_lie_between_none_and_all_and_reasons_have_sentences(self, facts: Facts):
        score = quality.judge(facts)
        assert 0 <= score.total <= 100
        for judged in score.dimensions.values():
            assert -1e-9 <= judged.points <= judged.most + 1e-9
            for reason in judged.reasons:
                kind = REASONS[reason.kind]
                for text in (kind.message, kind.mend):
                    names = {name for _text, name, _spec, _conversion in Formatter().parse(text) if name}
                    assert names <= set(reason.params)


class TestRules:
    def test_bands_have_a_word_for_every_score(self):
        assert [quality.band_of(score).key for score in (0, 49, 50, 70, 85, 100)] == [
            "poor", "poor", "fair", "good", "excellent", "excellent",
        ]  # fmt: skip

    @pytest.mark.parametrize(("before", "after"), [("abstract: 6", "abstract: 7"), ("abstract: 6", "abstrakt: 6")])
    def test_wrong_files_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str):
        wrong = tmp_path / "quality.yaml"
        wrong.write_text(quality.FILE.read_text().replace(before, after))
        monkeypatch.setattr(quality, "FILE", wrong)
        with pytest.raises(ConfigurationError):
            quality.rules.__wrapped__()


class TestFreshness:
    @pytest.mark.parametrize("cycle", sorted(promised()))
    def test_in_time_until_it_is_due(self, cycle: str):
        next_change = due(cycle, NOW)
        assert next_change is not None
        assert freshness(cycle, NOW, next_change) == "in_time"
        assert freshness(cycle, NOW, next_change + timedelta(seconds=1)) == "late"

    @pytest.mark.parametrize(
        ("cycle", "changed"), [("irregular", NOW), ("discontinued", NOW), ("", NOW), ("daily", None)]
    )
    def test_nothing_is_late_where_nothing_is_promised(self, cycle: str, changed: datetime | None):
        assert freshness(cycle, changed, NOW + timedelta(days=9999)) == "none"
