"""Cells, heads, chips and the form of a table's page."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import flask
import pytest
from flask_babel import Babel

from ckanext.openhuizhou.data.table_query import parse_query
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.helpers import table, table_form
from ckanext.openhuizhou.helpers.table import Cell

ITEMS = (
    Item("区县", "county", "string"),
    Item("年份", "year", "integer"),
    Item("投资", "cost", "currency", unit="万元"),
    Item("性别", "sex", "integer", values="1=男; 2=女"),
    Item("日期", "day", "date"),
    Item("监测时间", "measured", "datetime"),
    Item("达标", "met", "boolean"),
)
BASE = "/dataset/a/resource/b/table"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    app = flask.Flask("test")
    Babel(app)
    with app.test_request_context():
        yield


def asked(**args: Any) -> Any:
    return parse_query("b", ITEMS, {name.replace("__", "."): value for name, value in args.items()})


class TestCells:
    @pytest.mark.parametrize(
        ("item", "value", "cell"),
        [
            (Item("投资", "cost", "currency"), Decimal("1234567.50"), Cell("1,234,567.50")),
            (Item("投资", "cost", "number"), Decimal("0.10"), Cell("0.10")),
            (Item("投资", "cost", "number"), Decimal("1E+3"), Cell("1,000")),
            (Item("人口", "people", "integer"), -1234567, Cell("-1,234,567")),
            (Item("年份", "year", "integer"), 2018, Cell("2018")),
            (Item("邮编", "zip_code", "integer"), 516001, Cell("516001")),
            (Item("经度", "longitude", "number"), Decimal("1114.5"), Cell("1114.5")),
            (Item("性别", "sex", "integer", values="1=男; 2=女"), 1, Cell("男", code="1")),
            (Item("性别", "sex", "integer", values="1=男; 2=女"), 9, Cell("9")),
            (Item("等级", "grade", "string", values="优; 良"), "优", Cell("优")),
            (Item("备注", "note", "text"), None, Cell("")),
            (Item("备注", "note", "text"), "短", Cell("短")),
            (Item("备注", "note", "text"), "两\n行", Cell("两 行", "两\n行")),
            (Item("备注", "note", "text"), "长" * 61, Cell("长" * 60, "长" * 61)),
            (Item("备注", "note", "text"), "长" * 2001, Cell("长" * 60, "长" * 2000, cut=True)),
        ],
    )
    def test_as_people_read_them(self, item: Item, value: Any, cell: Cell):
        assert table.shown(item, value) == cell


class TestLinks:
    def test_heads_turn_from_up_to_down_to_none(self):
        heads = {head.column: head for head in table.headings(ITEMS, asked(sort="year"), BASE, [("size", "20")])}
        assert (heads["county"].order, heads["county"].url) == ("", f"{BASE}?sort=county&size=20")
        assert (heads["year"].order, heads["year"].url) == ("ascending", f"{BASE}?sort=-year&size=20")
        heads = {head.column: head for head in table.headings(ITEMS, asked(sort="-year"), BASE, [])}
        assert (heads["year"].order, heads["year"].url) == ("descending", BASE)

    def test_an_address_escapes_what_was_typed(self):
        url = table.address(BASE, asked(q='"><script>&x=1#'), [("embed", "1")])
        assert url == f"{BASE}?q=%22%3E%3Cscript%3E%26x%3D1%23&embed=1"

    def test_a_chip_takes_out_one_thing(self):
        query = asked(f__county__eq=["惠城区", "惠阳区"], f__sex__eq="1", f__day__empty="1", q="水")
        chips = {chip.text: chip.url for chip in table_form.chips(ITEMS, query, BASE, [])}
        assert list(chips) == ["区县 = 惠城区", "区县 = 惠阳区", "性别 = 男", "日期 is empty", "“水”"]
        assert "%E6%83%A0%E5%9F%8E" not in chips["区县 = 惠城区"]
        assert "%E6%83%A0%E9%98%B3" in chips["区县 = 惠城区"]


class TestForm:
    def controls(self, args: dict[str, str], tops: dict[str, list[str]] | None = None) -> dict[str, Any]:
        query = parse_query("b", ITEMS, args)
        fields = table_form.filter_fields(ITEMS, query, args, tops or {})
        return {control.name: control for field in fields for control in field.controls}

    def test_each_type_has_its_fields(self):
        kinds = {name: control.type for name, control in self.controls({}).items()}
        assert kinds == {
            "f.county.contains": "text",
            "f.county.eq": "text",
            "f.year.ge": "number",
            "f.year.le": "number",
            "f.cost.ge": "number",
            "f.cost.le": "number",
            "f.sex.eq": "select",
            "f.day.ge": "date",
            "f.day.le": "date",
            "f.measured.ge": "date",
            "f.measured.le": "date",
            "f.met.eq": "select",
        }

    def test_a_column_of_few_values_is_a_list(self):
        county = self.controls({"f.county.eq": "别处"}, {"county": ["惠城区", "惠阳区"]})["f.county.eq"]
        assert [(o.value, o.selected) for o in county.options] == [("惠城区", False), ("惠阳区", False), ("别处", True)]

    def test_a_date_field_never_hides_what_was_typed(self):
        control = self.controls({"f.measured.ge": "2018-03-01 08:00"})["f.measured.ge"]
        assert (control.type, control.value) == ("text", "2018-03-01 08:00")

    def test_what_no_field_is_about_is_said_above(self):
        args = {"f.nowhere.eq": "1"}
        query = parse_query("b", ITEMS, args)
        messages = table_form.general_messages(query.findings, table_form.filter_fields(ITEMS, query, args, {}))
        assert len(messages) == 1
        assert "nowhere" in messages[0]

    def test_what_has_no_field_travels_hidden(self):
        args = {"f.year.ne": "2018", "f.year.ge": "2010", "sort": "year"}
        query = parse_query("b", ITEMS, args)
        fields = table_form.filter_fields(ITEMS, query, args, {})
        assert table_form.hidden_filters(fields, query) == [("f.year.ne", "2018")]
