"""What looks at typed batches: the questions that cells answer, and the places that a check is told."""

from __future__ import annotations

import pytest

from ckanext.openhuizhou.data.row_checks import Cells, ListCells, NoChecks, RowCheck
from ckanext.openhuizhou.data.staging import BATCH_ROWS, write_table
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import TableRefused

ITEMS = [Item("区县", "county", "string"), Item("数量", "count", "integer")]


class Counties(NoChecks):
    """A check of one column: rows that name no county of the list."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def of_column(self, item: Item) -> RowCheck | None:
        return self if item.column == "county" else None

    def feed(self, cells: Cells, first_row: int) -> None:
        self.rows += [first_row + offset for offset in cells.not_among(frozenset({"惠城区", "惠阳区"}))]

    def refusals(self):
        return [Finding("code-unknown", row=row, column="区县", value="", field="区县") for row in self.rows]


class TestChecksOfRows:
    def test_see_typed_cells_with_the_numbers_of_their_rows(self, tmp_path):
        checks = Counties()
        rows = [[" 惠城区 ", 1]] * BATCH_ROWS + [["惠东县", 2], ["-", 3]]
        with pytest.raises(TableRefused) as caught:
            write_table(tmp_path / "t.csv", ITEMS, rows, checks)
        assert [finding.row for finding in caught.value.findings] == [BATCH_ROWS + 1]

    def test_that_find_nothing_let_the_table_pass(self, tmp_path):
        assert write_table(tmp_path / "t.csv", ITEMS, [["惠城区", 1]], Counties()).rows == 1


class TestListCells:
    @pytest.mark.parametrize(
        ("question", "offsets"),
        [
            (lambda cells: cells.empty(), [1]),
            (lambda cells: cells.longer_than(2), [3]),
            (lambda cells: cells.not_among(frozenset({"5", "-3"})), [2, 3]),
            (lambda cells: cells.outside("0", "10", numeric=True), [0, 2, 3]),
            (lambda cells: cells.outside("1", None, numeric=False), [0]),
            (lambda cells: cells.where(str.isdigit), [2, 4]),
        ],
    )
    def test_answers_with_offsets(self, question, offsets):
        assert list(question(ListCells(["-3", None, "12", "1e2", "5"]))) == offsets
