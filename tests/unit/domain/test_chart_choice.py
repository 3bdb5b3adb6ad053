"""What addresses ask of charts, and what is said when a table cannot give it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.chart_choice import ARGUMENTS, PROBLEMS, Problem, choices_of, chosen
from ckanext.openhuizhou.domain.chart_guess import KINDS, TOPS, Chart, guess
from ckanext.openhuizhou.domain.items import Item

ITEMS = [
    Item("检查日期", "inspected", "date"),
    Item("发布时间", "published", "datetime"),
    Item("年份", "year", "integer"),
    Item("县区", "county", "string"),
    Item("编号", "record_no", "string"),
    Item("隐患数", "hazards", "integer"),
    Item("整改率", "rate", "number", unit="%"),
    Item("地址", "address", "string"),
    Item("经度", "longitude", "number"),
]
FIRST = guess(ITEMS)


def asked(**args: str) -> tuple[Chart | None, tuple[Problem, ...]]:
    return chosen(ITEMS, args, FIRST)


class TestChosen:
    def test_an_address_without_choices_is_the_first_guess(self):
        assert asked() == (FIRST, ())

    def test_choices_are_taken(self):
        chart, problems = asked(kind="bar", x="county", y="hazards", how="max", by="year", top="50")
        assert chart == Chart("bar", "county", "hazards", how="max", by="year", top=50)
        assert problems == ()

    def test_a_measure_without_a_way_gets_its_usual_one(self):
        assert asked(kind="bar", x="county", y="hazards")[0] == Chart("bar", "county", "hazards", how="sum")
        assert asked(kind="bar", x="county", y="rate")[0] == Chart("bar", "county", "rate", how="mean")

    @pytest.mark.parametrize("column", ["year", "record_no", "longitude", "county"])
    def test_what_is_no_measure_is_not_calculated_with(self, column: str):
        chart, problems = asked(kind="bar", x="county", y=column, how="sum")
        assert chart == Chart("bar", "county")
        assert problems == (Problem("not-measured", column),)

    def test_rates_are_not_added_up(self):
        chart, problems = asked(kind="bar", x="county", y="rate", how="sum")
        assert chart == Chart("bar", "county", "rate", how="mean")
        assert problems == (Problem("not-added", "整改率"),)

    def test_a_pie_of_means_becomes_bars(self):
        chart, problems = asked(kind="pie", x="county", y="rate", how="mean")
        assert chart is not None
        assert chart.kind == "bar"
        assert problems == (Problem("not-parts"),)

    def test_a_scatter_plot_takes_figures_only(self):
        chart, _problems = asked(kind="scatter", x="county", y="hazards")
        assert chart == Chart("scatter", "rate", "hazards", how="")

    def test_a_scatter_plot_of_one_figure_is_refused(self):
        items = [ITEMS[3], ITEMS[5]]
        chart, problems = chosen(items, {"kind": "scatter"}, guess(items))
        assert chart is not None
        assert chart.kind == "bar"
        assert problems == (Problem("two-figures"),)

    @pytest.mark.parametrize(("x", "grain", "taken"), [("inspected", "hour", ""), ("published", "hour", "hour")])
    def test_days_have_no_hours(self, x: str, grain: str, taken: str):
        chart, _problems = asked(kind="line", x=x, grain=grain)
        assert chart is not None
        assert chart.grain == taken

    def test_a_column_that_is_gone_is_said(self):
        chart, problems = asked(kind="bar", x="gone", y="hazards")
        assert chart is not None
        assert problems == (Problem("no-column", "gone"),)

    @given(
        st.dictionaries(st.sampled_from(ARGUMENTS), st.text(max_size=8) | st.sampled_from([*KINDS, "county", "rate"]))
    )
    def test_whatever_an_address_says_a_chart_comes_of_it(self, args):
        chart, problems = chosen(ITEMS, args, FIRST)
        assert chart is not None
        assert chart.kind in KINDS
        assert chart.top in TOPS
        assert {problem.kind for problem in problems} <= set(PROBLEMS)


class TestChoices:
    def test_addresses_and_coordinates_are_not_offered(self):
        choices = choices_of(ITEMS)
        assert {"address", "longitude"}.isdisjoint(item.column for item in choices.groups)
        assert [item.column for item in choices.figures] == ["hazards", "rate"]
