from __future__ import annotations

import io
import zipfile

import pytest
from tests.data.tables.expected import FOLDER
from tests.data.tables.packages import book, header, number, row, text

from ckanext.openhuizhou.data.workbook_marks import counts_from_1904, sheet_marks

NAMES = header("编号", "数量")


def marks(*cells: str, name: str = "Sheet1"):
    return sheet_marks(io.BytesIO(book([NAMES, row(2, "".join(cells))])), name)


class TestErrors:
    def test_an_error_is_told_with_its_place(self):
        found = marks(text("A2", "001"), '<c r="AB2" s="1" t="e"><f>1/0</f><v>#DIV/0!</v></c>')
        assert found.errors == {(1, 27): "#DIV/0!"}
        assert found.valueless == 0

    def test_a_text_that_looks_like_one_is_none(self):
        assert marks(text("A2", "#DIV/0!"), number("B2", "1")).errors == {}


class TestFormulas:
    @pytest.mark.parametrize("value", ["", "<v></v>", "<v/>"])
    def test_without_a_value_it_is_counted(self, value: str):
        found = marks(f'<c r="B2"><f>A2*2</f>{value}</c>', f'<c r="C2"><f t="shared" si="0"/>{value}</c>')
        assert (found.valueless, found.first_valueless) == (2, "B2")

    @pytest.mark.parametrize("value", ["<v>12</v>", '<v xml:space="preserve"> x</v>'])
    def test_with_a_value_it_is_none(self, value: str):
        assert marks(f'<c r="B2"><f>A2*2</f>{value}</c>').valueless == 0

    def test_a_formula_whose_value_is_an_empty_text_is_none(self):
        assert marks('<c r="B2" t="str"><f>IF(A2=0,"","x")</f><v></v></c>').valueless == 0

    def test_an_empty_cell_beside_one_is_none(self):
        found = marks('<c r="A2" s="1"/>', '<c r="B2"><f>6*2</f><v>12</v></c>', '<c r="C2" s="1"/>')
        assert (found.valueless, found.errors) == (0, {})

    def test_cells_are_whole_where_a_piece_ends(self):
        wide = [row(place, text(f"A{place}", "惠" * 1000)) for place in range(2, 1500)]
        last = row(1500, '<c r="B1500"><f>6*2</f></c>')
        found = sheet_marks(io.BytesIO(book([NAMES, *wide, last])), "Sheet1")
        assert (found.valueless, found.first_valueless) == (1, "B1500")


class TestDates:
    @pytest.mark.parametrize(
        ("file", "expected"), [("book-serials-1904.xlsx", True), ("book-serials-1900.xlsx", False)]
    )
    def test_of_a_workbook(self, file: str, expected: bool):
        with (FOLDER / "files" / file).open("rb") as stream:
            assert counts_from_1904(stream) is expected
            assert stream.tell() == 0


class TestOthers:
    def test_another_sheet_is_not_looked_at(self):
        assert marks('<c r="B2"><f>1</f></c>', name="另一张").valueless == 0

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"])
    def test_what_is_no_archive_has_none(self, content: bytes):
        assert sheet_marks(io.BytesIO(content), "Sheet1").errors == {}
        assert not counts_from_1904(io.BytesIO(content))

    def test_a_workbook_without_its_parts_has_none(self):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("xl/workbook.xml", "<broken")
        assert sheet_marks(target, "Sheet1").errors == {}
        assert not counts_from_1904(target)
