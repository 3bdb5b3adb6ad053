"""The first chart of tables as departments have them, and what no first chart ever is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.chart_choice import arguments, chosen
from ckanext.openhuizhou.domain.chart_guess import Chart, Facts, guess
from ckanext.openhuizhou.domain.column_roles import Role, is_additive, role_of
from ckanext.openhuizhou.domain.items import DATA_TYPES, Item

AIR = [
    Item("日期", "day", "date", is_key=True),
    Item("行政区划代码", "region_code", "string", is_key=True),
    Item("行政区", "region", "string"),
    Item("空气质量指数", "aqi", "integer"),
]
HOMES = [
    Item("机构编号", "org_code", "string", is_key=True),
    Item("机构名称", "org_name", "string"),
    Item("县区", "county", "string"),
    Item("经度", "longitude", "number"),
    Item("纬度", "latitude", "number"),
    Item("床位数", "beds", "integer", unit="张"),
    Item("成立日期", "founded", "date"),
]
NAMES = [
    "县区",
    "名称",
    "年份",
    "序号",
    "代码",
    "床位数",
    "金额",
    "浓度",
    "经度",
    "备注",
    "日期",
    "比例",
    "月份",
    "排名",
    "x",
]
ITEMS = st.builds(
    Item,
    name=st.sampled_from(NAMES),
    column=st.sampled_from(["a", "b_id", "year", "county", "beds", "lon", "no", "amount"]),
    data_type=st.sampled_from(DATA_TYPES),
    unit=st.sampled_from(["", "元", "%", "个"]),
    is_key=st.booleans(),
)
TABLES = st.lists(ITEMS, min_size=1, max_size=8, unique_by=lambda item: item.column)
FACTS = st.dictionaries(
    st.sampled_from(["a", "b_id", "year", "county", "beds", "amount"]),
    st.builds(Facts, st.none() | st.integers(0, 500), st.none() | st.integers(-5, 5).map(Decimal)),
)


class TestGuess:
    def test_figures_in_time_are_a_line(self):
        assert guess(AIR) == Chart("line", "day", "aqi", how="mean")

    def test_few_categories_of_the_key_are_lines_of_their_own(self):
        region = Item("行政区", "region", "string", is_key=True)
        assert guess([AIR[0], region, AIR[3]], {"region": Facts(3)}) == Chart(
            "line", "day", "aqi", how="mean", by="region"
        )

    def test_a_figure_by_category_is_bars(self):
        items = [Item("学校类别", "kind", "string"), Item("在校学生数", "pupils", "integer")]
        assert guess(items) == Chart("bar", "kind", "pupils", how="sum")

    def test_a_few_parts_of_a_whole_are_a_pie(self):
        items = [Item("学校类别", "kind", "string"), Item("在校学生数", "pupils", "integer")]
        chart = guess(items, {"kind": Facts(4), "pupils": Facts(40, Decimal(0))})
        assert chart is not None
        assert (chart.kind, chart.how) == ("pie", "sum")

    @pytest.mark.parametrize("low", [None, Decimal(-1)], ids=["unknown", "negative"])
    def test_parts_that_may_be_negative_are_no_pie(self, low: Decimal | None):
        items = [Item("类别", "kind", "string"), Item("净迁入", "net", "integer")]
        chart = guess(items, {"kind": Facts(4), "net": Facts(40, low)})
        assert chart is not None
        assert chart.kind == "bar"

    def test_rates_are_no_parts_of_a_whole(self):
        items = [Item("类别", "kind", "string"), Item("达标率", "rate", "number", unit="%")]
        assert guess(items, {"kind": Facts(4), "rate": Facts(40, Decimal(0))}) == Chart(
            "bar", "kind", "rate", how="mean"
        )

    def test_two_figures_without_a_category_are_a_scatter_plot(self):
        items = [Item("工资", "pay", "number", unit="元"), Item("产值", "output", "number", unit="元")]
        assert guess(items) == Chart("scatter", "pay", "output", how="")

    def test_a_register_is_counted_by_category_though_its_rows_have_dates(self):
        assert guess(HOMES) == Chart("bar", "county")

    def test_names_that_each_row_has_anew_are_no_groups(self):
        items = [Item("企业名称", "enterprise_name", "string"), Item("县区", "county", "string")]
        assert guess(items) == Chart("bar", "county")

    def test_names_that_repeat_are_groups(self):
        items = [Item("站点名称", "station_name", "string"), Item("车流量", "cars", "integer")]
        assert guess(items, {"station_name": Facts(8)}, rows=4000) == Chart("bar", "station_name", "cars", how="sum")

    def test_a_table_of_texts_has_no_chart(self):
        assert guess([Item("说明", "note", "text")]) is None


class TestAnyTable:
    @given(TABLES, FACTS, st.none() | st.integers(0, 10_000))
    def test_codes_years_and_coordinates_are_never_calculated_with(self, items, facts, rows):
        chart = guess(items, facts, rows)
        if chart is None or not chart.y:
            return
        by_id = {item.column: item for item in items}
        assert role_of(by_id[chart.y]) is Role.MEASURE
        assert chart.how != "sum" or is_additive(by_id[chart.y])

    @given(TABLES, FACTS)
    def test_columns_are_those_of_the_table_and_none_is_used_twice(self, items, facts):
        chart = guess(items, facts)
        if chart is None:
            return
        used = [column for column in (chart.x, chart.y, chart.by) if column]
        assert set(used) <= {item.column for item in items}
        assert len(used) == len(set(used))

    @given(TABLES, FACTS)
    def test_a_pie_has_parts_that_are_known_not_to_be_negative(self, items, facts):
        chart = guess(items, facts)
        if chart is None or chart.kind != "pie":
            return
        assert 2 <= facts[chart.x].distinct <= 6
        assert chart.how in ("count", "sum")
        assert not chart.y or facts[chart.y].low >= 0

    @given(TABLES, FACTS)
    def test_its_address_asks_for_itself(self, items, facts):
        chart = guess(items, facts)
        if chart is None:
            return
        again, problems = chosen(items, arguments(chart), chart)
        assert again == chart
        assert problems == ()
