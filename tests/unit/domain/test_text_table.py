"""Tables on a terminal."""

from __future__ import annotations

from ckanext.openhuizhou.domain.text_table import table, width


def test_a_chinese_letter_takes_two_columns():
    assert width("惠州 ab") == 7


def test_columns_line_up_under_chinese_and_numbers_go_right():
    text = table(("department", "datasets"), [("惠州市民政局", 5), ("total", 24)])
    assert text.splitlines() == [
        "department    datasets",
        "------------  --------",
        "惠州市民政局         5",
        "total               24",
    ]


def test_a_table_may_be_empty():
    assert table(("a", "b"), []).splitlines()[0] == "a  b"
