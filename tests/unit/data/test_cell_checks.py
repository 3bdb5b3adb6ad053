"""The checks of cells: what each item gives reason to ask, and the same answers for rows and for files."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.data.arrow_cells import ArrowCells
from ckanext.openhuizhou.data.cell_checks import ColumnCheck
from ckanext.openhuizhou.data.row_checks import ListCells
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.table_checks import MOST_PLACES, rules_with


def looked(item: Item, cells: Sequence[str | None], **rules: str) -> list[tuple[str, int | None, str | None]]:
    """Check, row and value of what is found, by both ways to hold cells, which have to agree."""
    changed = {check.replace("_", "-"): (level, None) for check, level in rules.items()}
    answers = []
    for batch in (ListCells(cells), ArrowCells(pa.array([cell or "" for cell in cells], pa.string()))):
        check = ColumnCheck.of(item, rules_with(changed))
        check.feed(batch, 1)
        assert check.rows == len(cells)
        answers.append(
            [(tally.check, finding.row, finding.value) for tally in check.tallies for finding in tally.findings]
        )
    assert answers[0] == answers[1]
    return answers[0]


class TestQuestions:
    def test_required(self):
        assert looked(Item("项", "c", "string", required=True), ["a", None, "b"]) == [("required", 2, None)]

    def test_a_key_is_required(self):
        assert looked(Item("项", "c", "integer", is_key=True), ["1", None]) == [("required", 2, None)]

    def test_length_in_characters(self):
        item = Item("项", "c", "string", length=3)
        assert looked(item, ["惠州市", "惠州市区", None, "𠮷𠮷𠮷"]) == [("length", 2, "惠州市区")]

    def test_the_length_of_a_number_says_nothing(self):
        assert looked(Item("项", "c", "number", length=2), ["12345.678"]) == []

    def test_code_list(self):
        item = Item("项", "c", "string", values="1=男; 2=女")
        assert looked(item, ["1", "男", None, "2", "3"]) == [("code-list", 2, "男"), ("code-list", 5, "3")]

    def test_codes_of_numbers_are_compared_as_typed(self):
        assert looked(Item("项", "c", "integer", values="01=一; 02=二"), ["1", "2", "3"]) == [("code-list", 3, "3")]

    @pytest.mark.parametrize(
        ("data_type", "limits", "cells", "rows"),
        [
            ("integer", ("9", "100"), ["10", "8", "9", "100", "101", None, "-50"], [2, 5, 7]),
            ("number", ("-1.5", ""), ["-1.50", "-1.51", "1000000"], [2]),
            ("number", ("", "0"), ["0.00", "0.01", None], [2]),
            (
                "date",
                ("2000-01-01", "2020年12月31日"),
                ["1999-12-31", "2000-01-01", "2020-12-31", "2021-01-01"],
                [1, 4],
            ),
            ("datetime", ("2020-01-01", ""), ["2019-12-31 23:59:59+08:00", "2020-01-01 00:00:00+08:00"], [1]),
        ],
    )
    def test_range(self, data_type: str, limits: tuple[str, str], cells: list[str | None], rows: list[int]):
        item = Item("项", "c", data_type, minimum=limits[0], maximum=limits[1])
        assert [row for _check, row, _value in looked(item, cells)] == rows

    def test_pattern_is_for_the_whole_value(self):
        item = Item("项", "c", "string", pattern="441[0-9]{3}")
        found = looked(item, ["441302", "44130", "441302001", None, "x441302", "441302\n"])
        assert [row for _check, row, _value in found] == [2, 3, 5, 6]

    def test_damaged_text(self):
        cells = ["惠州市", "锟斤拷", "æ\x95°æ\x8d®", "Ærø", None]
        found = looked(Item("项", "c", "string"), cells)
        assert [(check, row) for check, row, _value in found] == [("encoding", 2), ("encoding", 3)]

    def test_what_is_ignored_is_not_asked(self):
        item = Item("项", "c", "string", length=1, required=True)
        assert looked(item, ["ab", None, "锟斤拷"], length="ignore", required="ignore", encoding="ignore") == []

    def test_limits_that_cannot_be_read_check_nothing(self):
        assert looked(Item("项", "c", "string", minimum="1", pattern="("), ["x"]) == []

    def test_a_long_number_is_not_told(self):
        """A finding goes to a page and a file; an identity number in it would be a leak."""
        ((_check, _row, value),) = looked(Item("项", "c", "string", pattern="x"), ["号码440305199001011234"])
        assert value == "号码…"


class TestManyBatches:
    def test_rows_are_counted_on(self):
        check = ColumnCheck.of(Item("项", "c", "string", required=True), rules_with({}))
        check.feed(ListCells(["a", None]), 1)
        check.feed(ListCells([None, "b"]), 3)
        (tally,) = [tally for tally in check.tallies if tally.count]
        assert [finding.row for finding in tally.findings] == [2, 3]

    def test_memory_is_bounded(self):
        check = ColumnCheck.of(Item("项", "c", "string", required=True), rules_with({}))
        for start in range(1, 3 * MOST_PLACES, 500):
            check.feed(ListCells([None] * 500), start)
        (tally,) = [tally for tally in check.tallies if tally.count]
        assert (tally.count, len(tally.findings)) == (3 * MOST_PLACES, MOST_PLACES)


FIGURES = st.one_of(
    st.none(),
    st.decimals(-10, 10, places=3).map(lambda figure: format(figure, "f")),
    st.sampled_from(["1.5", "1.50", "1.5000000000000000000001", "1.4999999999999999999999", "+7", "1e1", "-0", "7"]),
)


class TestAnyFigures:
    @given(st.lists(FIGURES, max_size=30), FIGURES.filter(bool), FIGURES.filter(bool))
    def test_both_ways_agree(self, cells: list[str | None], least: str, most: str):
        looked(Item("项", "c", "number", minimum=least, maximum=most), cells)

    def test_a_figure_is_outside_by_its_last_digit(self):
        item = Item("项", "c", "number", minimum="1.5", maximum="1.5")
        cells = ["1.5000000000000000000001", "1.50", "1.4999999999999999999999"]
        assert [row for _check, row, _value in looked(item, cells)] == [1, 3]


ITEM = Item("项", "c", "string", required=True, length=2, values="优; 良; 差差差", pattern="优|良.*")
texts = st.one_of(st.none(), st.sampled_from(["优", "良", "差差差", "良好", "锟"]), st.text(min_size=1, max_size=4))


class TestAnyCells:
    @given(st.lists(texts.map(lambda text: text.strip() or None if text else None), max_size=30))
    def test_both_ways_agree(self, cells: list[str | None]):
        encodable = [cell.encode("utf-8", "ignore").decode() or None if cell else None for cell in cells]
        found = looked(ITEM, encodable)
        assert sum(check == "required" for check, _row, _value in found) == encodable.count(None)
