from __future__ import annotations

import datetime as dt

import pytest

from ckanext.openhuizhou.domain.items import Item


class TestFromDict:
    @pytest.mark.parametrize("value", ["是", " true", "1", "Yes", True])
    def test_a_yes_is_read_as_everywhere_else(self, value: object):
        assert Item.from_dict({"name": "编号", "column": "id", "is_key": value}).is_key

    @pytest.mark.parametrize("value", ["否", "", "0", "no", False, None])
    def test_anything_else_is_a_no(self, value: object):
        assert not Item.from_dict({"name": "编号", "column": "id", "is_key": value}).is_key

    def test_limits_are_text_whatever_yaml_made_of_them(self):
        item = Item.from_dict({"name": "日", "column": "d", "minimum": dt.date(2020, 1, 1), "maximum": 5.5})
        assert (item.minimum, item.maximum) == ("2020-01-01", "5.5")

    @pytest.mark.parametrize("values", ["1=男; 2=女", {"1": "男", 2: "女"}, ["1=男", "2=女"]])
    def test_a_code_list_is_text(self, values: object):
        assert Item.from_dict({"name": "性别", "column": "sex", "values": values}).values == "1=男; 2=女"
