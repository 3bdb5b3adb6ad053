"""What columns are to a chart, by the names that departments give them."""

from __future__ import annotations

import pytest

from ckanext.openhuizhou.domain.column_roles import Role, is_additive, is_of_a_thing, of_role, role_of
from ckanext.openhuizhou.domain.items import Item


def item(name: str, data_type: str, column: str = "c", **more) -> Item:
    return Item(name, column, data_type, **more)


class TestRole:
    @pytest.mark.parametrize(
        ("column", "role"),
        [
            (item("监测时间", "datetime"), Role.TIME),
            (item("日期", "date", is_key=True), Role.TIME),
            (item("年份", "integer"), Role.PERIOD),
            (item("统计年度", "string"), Role.PERIOD),
            (item("月份", "string", length=7), Role.PERIOD),
            (item("年度", "number"), Role.PERIOD),
            (item("reporting", "integer", "budget_year"), Role.PERIOD),
            (item("床位数", "integer"), Role.MEASURE),
            (item("销售额", "currency"), Role.MEASURE),
            (item("PM2.5浓度", "integer"), Role.MEASURE),
            (item("接待游客（万人次）", "number"), Role.MEASURE),
            (item("序号", "integer"), Role.CODE),
            (item("排名", "integer"), Role.CODE),
            (item("邮编", "integer"), Role.CODE),
            (item("行政区划代码", "integer"), Role.CODE),
            (item("行政区划代码", "string"), Role.CODE),
            (item("站点", "integer", "station_id"), Role.CODE),
            (item("地块", "integer", is_key=True), Role.CODE),
            (item("经度", "number"), Role.COORDINATE),
            (item("位置", "number", "wgs_lat"), Role.COORDINATE),
            (item("坐标", "string"), Role.COORDINATE),
            (item("县区", "string"), Role.CATEGORY),
            (item("是否达标", "boolean"), Role.CATEGORY),
            (item("地址", "string"), Role.TEXT),
            (item("服务内容", "text"), Role.TEXT),
            (item("备注", "string"), Role.TEXT),
        ],
        ids=lambda value: f"{value.name} {value.data_type} {value.column}" if isinstance(value, Item) else str(value),
    )
    def test_is_told_by_type_and_name(self, column: Item, role: Role):
        assert role_of(column) is role

    def test_columns_of_roles_keep_their_order(self):
        columns = [item("县区", "string", "a"), item("年份", "integer", "b"), item("日期", "date", "c")]
        assert [found.column for found in of_role(columns, Role.TIME, Role.PERIOD)] == ["b", "c"]


class TestAdding:
    @pytest.mark.parametrize(
        ("name", "unit", "additive"),
        [
            ("床位数", "张", True),
            ("泊位数", "", True),
            ("享受人数（人）", "", True),
            ("销售额", "元", True),
            ("高位数（元/月）", "", False),
            ("PM2.5浓度", "μg/m³", False),
            ("空气质量指数", "", False),
            ("绿化覆盖率", "%", False),
            ("门票价格", "元", False),
            ("平均工资", "元", False),
            ("取水量", "万立方米", True),
            ("昼间等效声级", "dB(A)", False),
            ("气温", "℃", False),
        ],
    )
    def test_amounts_add_up_and_readings_do_not(self, name: str, unit: str, additive: bool):
        assert is_additive(item(name, "number", unit=unit)) is additive

    @pytest.mark.parametrize(("name", "of_a_thing"), [("有效期至", True), ("成立日期", True), ("检查日期", False)])
    def test_some_dates_tell_of_a_thing(self, name: str, of_a_thing: bool):
        assert is_of_a_thing(item(name, "date")) is of_a_thing
