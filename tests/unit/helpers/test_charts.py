"""Figures in words, and what is drawn of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ckanext.openhuizhou.data.table_summary import Group, Summary
from ckanext.openhuizhou.domain.chart_guess import Chart
from ckanext.openhuizhou.helpers.charts import figure_of, frame, openhuizhou_figure, others_dwarf, parts_of_a_whole


def group(key: str | None, total: int | str, rows: int = 1, *, others: bool = False) -> Group:
    value = Decimal(total)
    return Group(key, None, others, False, rows, rows, value, value, value)


def summary(*groups: Group) -> Summary:
    return Summary(groups, sum(one.rows for one in groups), 0, 0, cut=False, grain="")


class TestFigure:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("1234567", "1,234,567"),
            ("1234.500", "1,234.5"),
            ("100", "100"),
            ("-0.10", "-0.1"),
            ("1E+3", "1,000"),
            (None, ""),
        ],
    )
    def test_is_exact_grouped_and_without_zeros_at_the_end(self, value: str | None, text: str):
        assert openhuizhou_figure(None if value is None else Decimal(value)) == text

    @pytest.mark.parametrize(("total", "mean"), [("100", "33.33"), ("1", "0.333"), ("0", "0"), ("0.0001", "0.0000333")])
    def test_a_mean_has_no_more_digits_than_it_can_mean(self, total: str, mean: str):
        assert figure_of(group("a", total, 3), "mean") == Decimal(mean)


class TestOthers:
    BAR, PIE = Chart("bar", "a", "b", how="sum"), Chart("pie", "a", "b", how="sum")

    def test_are_left_out_of_bars_that_they_would_dwarf(self):
        many = summary(group("a", 10), group("b", 9), group(None, 31, others=True))
        assert others_dwarf(self.BAR, many)
        assert not others_dwarf(self.PIE, many)

    def test_are_drawn_when_they_fit_or_when_nothing_can_be_compared(self):
        assert not others_dwarf(self.BAR, summary(group("a", 10), group(None, 30, others=True)))
        assert not others_dwarf(self.BAR, summary(group("a", 0), group(None, 30, others=True)))
        assert not others_dwarf(self.BAR, summary(group("a", -5), group(None, -50, others=True)))


class TestParts:
    def test_a_whole_has_parts_and_none_is_negative(self):
        assert parts_of_a_whole(summary(group("a", 1), group("b", 0)), "sum")
        assert not parts_of_a_whole(summary(group("a", 1), group("b", -1)), "sum")
        assert not parts_of_a_whole(summary(group("a", 0)), "sum")


class TestFrame:
    def test_nothing_leaves_its_attribute(self):
        code = frame("https://x.cn/?a=1&b=2", 'A"><script>')
        assert "<script>" not in code
        assert code.startswith('<iframe src="https://x.cn/?a=1&amp;b=2" title="A&#34;&gt;&lt;script&gt;"')
