"""What looks at typed batches: the questions that cells answer, and the places that a check is told."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ckanext.openhuizhou.data.arrow_cells import ArrowCells
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


ANSWERS = [
    (lambda cells: cells.empty(), [1]),
    (lambda cells: cells.longer_than(2), [3]),
    (lambda cells: cells.not_among(frozenset({"5", "-3"})), [2, 3, 5]),
    (lambda cells: cells.outside("1", None, numeric=False), [0]),
    (lambda cells: cells.outside(None, "4", numeric=False), [4, 5]),
    (lambda cells: cells.outside(None, None, numeric=False), []),
    (lambda cells: cells.where(str.isdigit), [2, 4]),
    (lambda cells: cells.where(str.isspace), []),
    (lambda cells: cells.holding("区-"), [0, 5]),
    (lambda cells: cells.unlike("^-?[0-9]+$"), [3, 5]),
    (lambda cells: range(len(cells)), [0, 1, 2, 3, 4, 5]),
]
CELLS = ["-3", None, "12", "1e2", "5", "区"]


class TestCells:
    @pytest.mark.parametrize("kind", [ListCells, lambda cells: ArrowCells(pa.array([cell or "" for cell in cells]))])
    @pytest.mark.parametrize(("question", "offsets"), ANSWERS)
    def test_answer_with_offsets_whatever_they_are_kept_in(self, kind, question, offsets):
        cells = kind(CELLS)
        assert list(question(cells)) == offsets
        assert cells.to_list() == CELLS
        assert [cells[place] for place in (0, 1)] == ["-3", None]

    def test_numbers_are_compared_as_numbers(self):
        for cells in (ListCells(["-3", None, "12", "1e2"]), ArrowCells(pa.array(["-3", "", "12", "1e2"]))):
            assert list(cells.outside("0", "20.5", numeric=True)) == [0, 3]
