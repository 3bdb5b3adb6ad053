"""The CSV of a report: read by Excel as Chinese, run by nobody as a formula, made while it is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from ckanext.openhuizhou.helpers.harvest_csv import ROWS_PER_PART, csv_parts, harmless


def read(parts: Iterator[bytes]) -> list[list[str]]:
    content = b"".join(parts)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_rows_come_back_as_they_were_given() -> None:
    rows = [["ZL-001", "空气质量", None, 3], ["ZL-002", '引号"，逗号,\n换行', "", 0]]
    assert read(csv_parts(["记录", "名称", "列", "行"], rows)) == [
        ["记录", "名称", "列", "行"],
        ["ZL-001", "空气质量", "", "3"],
        ["ZL-002", '引号"，逗号,\n换行', "", "0"],
    ]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+86 752", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "=cmd|' /C calc'!A0"]
)
def test_no_cell_begins_as_a_formula_does(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize(("cell", "text"), [("1-1", "1-1"), ("a=b", "a=b"), (None, ""), (12, "12")])
def test_other_cells_are_left_alone(cell: object, text: str) -> None:
    assert harmless(cell) == text


def test_a_part_is_sent_before_the_last_row_is_read() -> None:
    taken = 0

    def rows() -> Iterator[list[int]]:
        nonlocal taken
        for number in range(ROWS_PER_PART * 10):
            taken = number
            yield [number]

    parts = csv_parts(["行"], rows())
    next(parts)
    assert taken < ROWS_PER_PART
    assert len(read(iter([b"\xef\xbb\xbf", *parts]))) == ROWS_PER_PART * 9
