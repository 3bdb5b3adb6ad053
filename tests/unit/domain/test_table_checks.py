"""How strict a check is, and what follows from what it found."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.findings import KINDS, Finding
from ckanext.openhuizhou.domain.table_checks import (
    LISTED,
    MOST_PLACES,
    STRICTNESS,
    Level,
    Rule,
    Tally,
    checks,
    judge,
    rules_with,
)


def tally(check: str, count: int, column: str | None = "值") -> Tally:
    found = Tally(check, column)
    for row in range(1, count + 1):
        found.add(Finding("cell-code", row=row, column=column, value="x"))
    return found


class TestFile:
    def test_every_default_may_be_chosen(self):
        for check in checks().values():
            assert check.default.level in check.levels
            assert list(check.levels) == sorted(check.levels, key=STRICTNESS.index)

    def test_typed_cells_and_formulas_are_never_ignored(self):
        assert Level.IGNORE not in checks()["type"].levels
        assert Level.IGNORE not in checks()["formula"].levels


class TestRules:
    def test_what_nobody_changed_is_the_default(self):
        assert rules_with({})["type"] == Rule(Level.REFUSE)
        assert rules_with({})["rows-fewer"] == Rule(Level.HOLD, Decimal("0.5"))

    def test_what_an_officer_changed(self):
        rules = rules_with({"type": ("hold", Decimal(10)), "length": ("ignore", None)})
        assert rules["type"] == Rule(Level.HOLD, Decimal(10))
        assert rules["length"] == Rule(Level.IGNORE)

    def test_a_level_or_check_that_there_is_not_any_more_counts_for_nothing(self):
        assert rules_with({"type": ("ignore", None), "gone": ("refuse", None)}) == rules_with({})


class TestThreshold:
    @pytest.mark.parametrize(
        ("threshold", "count", "share", "level"),
        [
            ("0", 0, 0.0, Level.IGNORE),
            ("0", 1, 0.001, Level.REFUSE),
            ("10", 10, 0.9, Level.WARN),
            ("10", 11, 0.001, Level.REFUSE),
            ("0.01", 500, 0.01, Level.WARN),
            ("0.01", 1, 0.011, Level.REFUSE),
            ("1", 1, 1.0, Level.WARN),
        ],
    )
    def test_tolerates_a_number_or_a_share(self, threshold: str, count: int, share: float, level: Level):
        assert Rule(Level.REFUSE, Decimal(threshold)).level_for(count, share) == level

    def test_a_warning_that_is_tolerated_is_silent(self):
        assert Rule(Level.WARN, Decimal(5)).level_for(5, 0.1) == Level.IGNORE

    @given(st.sampled_from(STRICTNESS), st.integers(0, 50), st.integers(0, 100), st.integers(100, 200))
    def test_more_findings_are_never_milder(self, level: Level, threshold: int, count: int, rows: int):
        rule = Rule(level, Decimal(threshold))
        levels = [rule.level_for(found, found / rows) for found in range(count + 1)]
        assert levels == sorted(levels, key=STRICTNESS.index)
        assert max(levels, key=STRICTNESS.index) in (level, Level.WARN, Level.IGNORE)


class TestJudge:
    @pytest.mark.parametrize(
        ("levels", "verdict"),
        [
            ([], "passed"),
            (["warn"], "warned"),
            (["warn", "hold"], "held"),
            (["hold", "refuse", "warn"], "refused"),
            (["ignore"], "passed"),
        ],
    )
    def test_the_strictest_decides(self, levels: list[str], verdict: str):
        keys = ["length", "code-list", "range"][: len(levels)]
        rules = rules_with({key: (level, None) for key, level in zip(keys, levels, strict=True)})
        report = judge([tally(key, 1) for key in keys], 10, rules)
        assert report.verdict == verdict
        assert [result.level for result in report.results] == sorted(levels, key=STRICTNESS.index, reverse=True)

    def test_nothing_found_is_nothing_told(self):
        report = judge([Tally("length", "值")], 10, rules_with({}))
        assert (report.verdict, report.results, report.bad_rows) == ("passed", (), 0)

    def test_a_row_with_two_mistakes_is_one_bad_row(self):
        report = judge([tally("length", 3), tally("code-list", 2, "级别")], 10, rules_with({}))
        assert report.bad_rows == 3

    def test_what_is_ignored_makes_no_row_bad(self):
        rules = rules_with({"length": ("ignore", None)})
        assert judge([tally("length", 3)], 10, rules).bad_rows == 0

    def test_counts_go_on_when_no_more_are_kept(self):
        report = judge([tally("length", MOST_PLACES + 5)], 10_000, rules_with({}))
        (result,) = report.results
        assert (result.count, len(result.findings)) == (MOST_PLACES + 5, MOST_PLACES)
        assert report.bad_rows == MOST_PLACES + 5

    def test_a_report_lists_the_first_and_counts_the_rest(self):
        report = judge([tally("length", LISTED + 7)], 100, rules_with({}))
        listed = report.findings(Level.WARN)
        assert [finding.kind for finding in listed] == ["cell-code"] * LISTED + ["check-more"]
        assert listed[-1].params["count"] == 7

    @pytest.mark.parametrize(("level", "severity"), [("warn", "warning"), ("hold", "warning"), ("refuse", "error")])
    def test_the_rule_says_how_grave_a_finding_is(self, level: str, severity: str):
        report = judge([tally("length", 1)], 10, rules_with({"length": (level, None)}))
        assert [finding.severity for finding in report.findings(Level(level))] == [severity]
        assert report.findings(Level(level))[0].as_dict()["severity"] == severity

    @given(st.lists(st.tuples(st.sampled_from(sorted(checks())), st.integers(0, 30)), max_size=8))
    def test_every_count_is_somewhere(self, found: list[tuple[str, int]]):
        report = judge([tally(check, count) for check, count in found], 50, rules_with({}))
        assert sum(result.count for result in report.results) == sum(count for _check, count in found)


def test_kinds_of_tables_stand_in_order():
    from ckanext.openhuizhou.domain.table_findings import TABLE_KINDS

    assert list(TABLE_KINDS) == sorted(TABLE_KINDS)
    assert set(TABLE_KINDS) <= set(KINDS)
