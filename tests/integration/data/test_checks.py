"""Checks of whole tables, and the table that waits: held, published, discarded, superseded."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from ckan import model
from tests.integration.data.loads import leftovers

from ckanext.openhuizhou.data import bad_rows, checks, held_tables, tables
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import NothingHeld, TableRefused
from ckanext.openhuizhou.model import data_check

ITEMS = [
    Item("编号", "code", "string", is_key=True),
    Item("等级", "grade", "string", values="优; 良"),
    Item("数量", "count", "integer"),
]


@pytest.fixture
def package_id(with_plugins: None) -> Iterator[str]:
    package_id = str(uuid.uuid4())
    yield package_id
    data_check.set_rules(package_id, {}, None)
    model.Session.commit()


def rule(package_id: str, check: str, level: str, threshold: str = "0") -> None:
    data_check.set_rules(package_id, {check: (level, Decimal(threshold))}, None)
    model.Session.commit()


@pytest.fixture
def load(resource_id: str, package_id: str) -> Callable[..., tables.LoadResult]:
    def load(rows: Sequence[Sequence[Any]], items: Sequence[Item] = ITEMS) -> tables.LoadResult:
        staged = checks.checked(
            resource_id, package_id, lambda inspection: tables.stage_table(resource_id, items, rows, inspection)
        )
        return tables.publish_table(staged, package_id)

    return load


def good(count: int = 3) -> list[list[Any]]:
    return [[f"A{number}", "优", number] for number in range(count)]


def check_of(resource_id: str) -> data_check.DataCheck:
    model.Session.expire_all()
    check = data_check.check_of(resource_id)
    assert check is not None
    return check


def told(resource_id: str) -> list[tuple[str, str | None, str, int]]:
    return [
        (result["check"], result["column"], result["level"], result["count"])
        for result in check_of(resource_id).results
    ]


def places(resource_id: str) -> list[tuple[str, int | None, str | None]]:
    return [(check, finding.row, finding.value) for check, finding in bad_rows.read(resource_id)]


class TestPassed:
    def test_a_good_table_is_published_and_says_so(self, load, resource_id, package_id):
        result = load(good())
        check = check_of(resource_id)
        assert (check.verdict, check.rows, check.bad_rows, check.results) == ("passed", 3, 0, [])
        assert (check.digest, check.package_id) == (result.digest, package_id)
        assert places(resource_id) == []


class TestWholeTable:
    def test_rows_twice(self, load, resource_id):
        items = [Item("甲", "a", "string"), Item("乙", "b", "number")]
        load([["x", "1.0"], ["y", None], ["x", "1.00"], ["y", None], ["y", "0"]], items)
        assert told(resource_id) == [("duplicate-rows", None, "warn", 2)]
        assert places(resource_id) == [("duplicate-rows", 3, None), ("duplicate-rows", 4, None)]
        assert [finding.params["first"] for _check, finding in bad_rows.read(resource_id)] == [1, 2]

    def test_a_key_twice_holds_the_table(self, load, resource_id):
        assert load([*good(), ["A1", "良", 9], [None, "优", 1]]).held
        assert told(resource_id) == [("required", "编号", "hold", 1), ("unique-key", None, "hold", 1)]
        assert places(resource_id) == [("required", 5, None), ("unique-key", 4, "A1")]

    def test_a_key_of_two_columns(self, load, resource_id):
        items = [Item("年", "first", "integer", is_key=True), Item("月", "rows", "integer", is_key=True)]
        load([[2020, 1], [2020, 2], [2021, 1], [2020, 1]], items)
        assert places(resource_id) == [("unique-key", 4, "2020 / 1"), ("duplicate-rows", 4, None)]

    def test_an_empty_column(self, load, resource_id):
        load([["A1", "优", None], ["A2", "良", None]])
        assert told(resource_id) == [("empty-column", "数量", "warn", 1)]

    def test_sums_and_notes(self, load, resource_id):
        load([*good(), ["合 计", None, 3], ["注：演示数据", None, None], ["合作镇", "优", 1]])
        assert told(resource_id) == [("sum-rows", None, "warn", 2)]
        assert [row for _check, row, _value in places(resource_id)] == [4, 5]

    def test_far_fewer_rows_wait(self, load, resource_id):
        load(good(200))
        assert not load(good(101)).held
        assert load(good(50)).held
        assert told(resource_id) == [("rows-fewer", None, "hold", 51)]
        assert check_of(resource_id).results[0]["share"] == round(51 / 101, 6)

    def test_small_tables_go_up_and_down(self, load, resource_id):
        load(good(99))
        assert not load(good(1)).held

    def test_an_empty_table_has_nothing_to_check(self, load, resource_id):
        load([])
        assert check_of(resource_id).verdict == "passed"


class TestLevels:
    def test_refused_rows_leave_the_old_table(self, load, resource_id, package_id):
        first = load(good())
        rule(package_id, "code-list", "refuse")
        with pytest.raises(TableRefused) as caught:
            load([*good(), ["A9", "差", 1]])
        (finding,) = caught.value.findings
        assert (finding.kind, finding.row, finding.column, finding.value) == ("cell-code", 4, "等级", "差")
        assert finding.severity == "error"
        check = check_of(resource_id)
        assert (check.verdict, check.digest) == ("refused", None)
        assert tables.load.load_of(resource_id).digest == first.digest
        assert leftovers(resource_id) == []

    def test_refused_by_the_whole_table(self, load, resource_id, package_id):
        rule(package_id, "unique-key", "refuse")
        with pytest.raises(TableRefused) as caught:
            load([*good(), *good()])
        assert {finding.kind for finding in caught.value.findings} == {"row-key-duplicate"}
        assert leftovers(resource_id) == []

    def test_what_is_tolerated_is_published_with_a_warning(self, load, resource_id, package_id):
        rule(package_id, "code-list", "refuse", "0.25")
        assert not load([*good(), ["A9", "差", 1]]).held
        assert told(resource_id) == [("code-list", "等级", "warn", 1)]

    def test_cells_of_the_wrong_type_are_tolerated_and_published_empty(self, load, resource_id, package_id):
        rule(package_id, "type", "refuse", "0.25")
        assert not load([*good(), ["A9", "优", "约十"]]).held
        assert told(resource_id) == [("type", "数量", "warn", 1)]
        assert places(resource_id) == [("type", 4, "约十")]
        with pytest.raises(TableRefused) as caught:
            load([*good(2), ["A9", "优", "约十"]])
        assert [finding.kind for finding in caught.value.findings] == ["cell-type"]

    def test_a_formula_can_be_held_back(self, load, resource_id, package_id):
        rule(package_id, "formula", "hold")
        assert load([*good(), ["=NOW()", "优", 1]]).held
        assert places(resource_id) == [("formula", 4, "=NOW()")]

    def test_what_is_ignored_is_not_looked_for(self, load, resource_id, package_id):
        rule(package_id, "code-list", "ignore")
        load([["A9", "差", 1]])
        assert told(resource_id) == []

    def test_what_no_rule_decides_refuses_and_is_told(self, load, resource_id):
        with pytest.raises(TableRefused):
            load([["A1", "优", 1], ["A2", "优"]])
        assert [(check, level) for check, _column, level, _count in told(resource_id)] == [("always", "refuse")]


class TestHeld:
    BAD = [*good(), ["A9", "差", 1]]

    def test_the_old_table_serves_on(self, load, resource_id):
        first = load(good())
        result = load(self.BAD)
        assert (result.held, check_of(resource_id).verdict) == (True, "held")
        assert tables.load.load_of(resource_id).digest == first.digest
        assert tables.datastore_tables.live_mark(resource_id)["digest"] == first.digest
        assert resource_id in data_check.held()

    def test_an_officer_publishes(self, load, resource_id):
        load(good())
        held = load(self.BAD)
        published = held_tables.decide(resource_id, "publish", "officer")
        assert (published.digest, published.held) == (held.digest, False)
        assert tables.load.load_of(resource_id).digest == held.digest
        assert leftovers(resource_id) == []
        check = check_of(resource_id)
        assert (check.verdict, check.decision, check.decided_by) == ("held", "publish", "officer")
        assert resource_id not in data_check.held()

    def test_what_was_published_by_decision_does_not_wait_again(self, load, resource_id):
        load(self.BAD)
        held_tables.decide(resource_id, "publish", "officer")
        assert not load(self.BAD).held
        load(good())
        assert load(self.BAD).held  # but after something else it is a new question

    def test_an_officer_discards(self, load, resource_id):
        first = load(good())
        load(self.BAD)
        assert held_tables.decide(resource_id, "discard", "officer") is None
        assert tables.load.load_of(resource_id).digest == first.digest
        assert leftovers(resource_id) == []

    def test_discarded_rows_are_refused_when_they_come_again(self, load, resource_id):
        load(self.BAD)
        held_tables.decide(resource_id, "discard", "officer")
        with pytest.raises(TableRefused) as caught:
            load(self.BAD)
        assert [finding.kind for finding in caught.value.findings] == ["table-discarded"]
        assert check_of(resource_id).decision == "discard"
        assert leftovers(resource_id) == []

    def test_a_decision_is_made_once(self, load, resource_id):
        load(self.BAD)
        held_tables.decide(resource_id, "publish", "officer")
        with pytest.raises(NothingHeld):
            held_tables.decide(resource_id, "discard", "another")

    def test_newer_rows_take_the_place_of_those_that_wait(self, load, resource_id):
        load(self.BAD)
        load([*self.BAD, ["B1", "差", 2]])
        assert check_of(resource_id).rows == 5
        assert len([name for name in leftovers(resource_id) if name.endswith(".csv")]) == 1
        assert held_tables.decide(resource_id, "publish", "officer").rows == 5

    def test_good_rows_end_the_waiting(self, load, resource_id):
        load(self.BAD)
        load(good())
        assert check_of(resource_id).verdict == "passed"
        assert leftovers(resource_id) == []

    def test_the_published_rows_again_end_the_waiting(self, load, resource_id):
        load(good())
        load(self.BAD)
        assert not load(good()).changed
        assert check_of(resource_id).verdict == "passed"
        assert leftovers(resource_id) == []

    def test_refused_rows_end_the_waiting(self, load, resource_id):
        load(good())
        load(self.BAD)
        with pytest.raises(TableRefused):
            load([["A1", "优", "many"]])
        assert check_of(resource_id).verdict == "refused"
        assert leftovers(resource_id) == []

    def test_a_trial_leaves_nothing(self, resource_id, package_id):
        staged = checks.checked(
            resource_id,
            package_id,
            lambda inspection: tables.try_table(resource_id, ITEMS, self.BAD, inspection),
            keep=False,
        )
        assert staged.held
        assert {finding.kind for finding in staged.findings} == {"cell-code"}
        assert data_check.check_of(resource_id) is None
        assert leftovers(resource_id) == []
