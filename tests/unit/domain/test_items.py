from __future__ import annotations

import pytest

from ckanext.openhuizhou.domain.items import Item


class TestFromDict:
    @pytest.mark.parametrize("value", ["是", " true", "1", "Yes", True])
    def test_a_yes_is_read_as_everywhere_else(self, value: object):
        assert Item.from_dict({"name": "编号", "column": "id", "is_key": value}).is_key

    @pytest.mark.parametrize("value", ["否", "", "0", "no", False, None])
    def test_anything_else_is_a_no(self, value: object):
        assert not Item.from_dict({"name": "编号", "column": "id", "is_key": value}).is_key
