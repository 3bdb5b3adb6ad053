"""A column's dictionary holds the whole item, and what others wrote into it does no harm."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.cell_types import POSTGRESQL_TYPES
from ckanext.openhuizhou.domain.column_info import info_of, item_of
from ckanext.openhuizhou.domain.items import DATA_TYPES, Item

COLUMN_TYPES = {
    "text": "text",
    "bigint": "bigint",
    "numeric": "numeric",
    "date": "date",
    "timestamptz": "timestamp with time zone",
    "boolean": "boolean",
}
_words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
items = st.builds(
    Item,
    name=_words.filter(str.strip).map(str.strip),
    column=st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True),
    data_type=st.sampled_from(DATA_TYPES),
    length=st.none() | st.integers(1, 1000),
    scale=st.none() | st.integers(0, 10),
    unit=_words,
    is_key=st.booleans(),
    sensitivity=st.sampled_from(["", "general", "important"]),
    description=_words,
    required=st.booleans(),
    values=_words,
    minimum=_words.map(str.strip),
    maximum=_words.map(str.strip),
    pattern=_words.map(str.strip),
)


def column_type(item: Item) -> str:
    return COLUMN_TYPES[POSTGRESQL_TYPES[item.data_type]]


class TestRoundTrip:
    @given(items)
    def test_the_item_comes_back_through_json(self, item):
        kept = json.loads(json.dumps(info_of(item)))
        assert item_of(item.column, column_type(item), kept) == item

    def test_only_openness_is_the_entrys_alone(self):
        item = Item("名称", "name", "string", share_type="none", open_type="none")
        assert item_of("name", "text", info_of(item)) == replace(item, share_type="", open_type="")
        rest = {field.name for field in fields(Item)} - {"share_type", "open_type", "column"}
        said = Item(
            "名称", "name", "number", 9, 2, "元", True, "", "", "general", "说明", True, "1=男", "0", "9", "[0-9]"
        )
        assert set(info_of(said)) - {"type_override"} == (rest - {"name", "description"}) | {"label", "notes"}

    def test_decimals_of_none_are_not_taken_for_not_said(self):
        assert item_of("a", "numeric", info_of(Item("甲", "a", "number", scale=0))).scale == 0


class TestForLoadersOfCkan:
    @pytest.mark.parametrize(
        ("data_type", "override"),
        [
            ("string", "text"),
            ("text", "text"),
            ("number", "numeric"),
            ("currency", "numeric"),
            ("datetime", "timestamp"),
        ],
    )
    def test_types_that_they_know(self, data_type, override):
        assert info_of(Item("甲", "a", data_type))["type_override"] == override

    @pytest.mark.parametrize("data_type", ["integer", "date", "boolean"])
    def test_types_that_they_do_not_know_are_not_forced(self, data_type):
        assert "type_override" not in info_of(Item("甲", "a", data_type))


class TestTablesOfOthers:
    @pytest.mark.parametrize(
        ("type_", "data_type"),
        [
            ("text", "string"),
            ("bigint", "integer"),
            ("integer", "integer"),
            ("numeric", "number"),
            ("double precision", "number"),
            ("date", "date"),
            ("timestamp without time zone", "datetime"),
            ("timestamp with time zone", "datetime"),
            ("boolean", "boolean"),
            ("json", "string"),
            ("text[]", "string"),
        ],
    )
    def test_a_column_without_dictionary_is_told_by_its_type(self, type_, data_type):
        assert item_of("a", type_, {}) == Item("a", "a", data_type)

    def test_loaded_before_the_dictionary_held_types(self):
        old = {"label": "总投资", "notes": "含税", "unit": "万元"}
        assert item_of("cost", "numeric", old) == Item("总投资", "cost", "number", unit="万元", description="含税")

    def test_a_type_that_the_column_has_not_is_not_believed(self):
        assert item_of("a", "text", {"data_type": "integer"}).data_type == "string"
        assert item_of("a", "bigint", {"data_type": "nonsense"}).data_type == "integer"

    def test_what_is_no_property_of_an_item_is_left_out(self):
        odd = {"label": ["x"], "length": "ten", "scale": None, "values": {"1": "男"}, "is_key": "true", "else": 1}
        assert item_of("a", "text", odd) == Item("a", "a", "string", is_key=True)
