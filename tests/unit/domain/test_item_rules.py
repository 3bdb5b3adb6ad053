"""The rules of information items."""

from __future__ import annotations

from typing import Any

import pytest

from ckanext.openhuizhou.domain.item_rules import MOST_ITEMS, check_items

GOOD = {"name": "站点", "column": "station", "data_type": "string"}


def found(items: Any, purpose: str = "publish", **entry: Any) -> list[tuple[str, int | None, str]]:
    return [
        (finding.kind, finding.row, finding.params.get("subfield", ""))
        for finding in check_items(items, entry, purpose)
    ]


def test_right_items_pass():
    assert found([GOOD, {"name": "值", "column": "value_2", "data_type": "number", "length": "10", "scale": "0"}]) == []


@pytest.mark.parametrize("subfield", ["name", "column", "data_type"])
def test_an_item_is_complete_before_it_is_published(subfield: str):
    items = [GOOD, {**GOOD, "name": "值", "column": "value", subfield: " "}]
    assert found(items) == [("item-required-missing", 2, subfield)]
    assert found(items, "draft") == []


@pytest.mark.parametrize("column", ["_id", "1st", "站点", "a b", "a-b", "Station", "ａ", "a" * 64, "a\n", "a;drop"])
def test_a_column_id_is_a_plain_name_of_postgresql(column: str):
    assert ("item-column-invalid", 1, "column") in found([{**GOOD, "column": column}])


@pytest.mark.parametrize("column", ["a", "station_1", "a" * 63, "select"])
def test_a_plain_name_passes(column: str):
    assert found([{**GOOD, "column": column}]) == []


def test_column_ids_and_names_stand_once():
    items = [GOOD, {**GOOD, "name": "站 点"}, {"name": "值", "column": "value", "data_type": "number"}]
    assert found(items) == [("item-column-duplicate", 2, "column"), ("item-name-duplicate", 2, "name")]


@pytest.mark.parametrize(
    ("changes", "subfield"),
    [
        ({"data_type": "varchar"}, "data_type"),
        ({"open_type": "开放"}, "open_type"),
        ({"share_type": "?"}, "share_type"),
        ({"sensitivity": "高"}, "sensitivity"),
    ],
)
def test_a_code_is_in_its_list(changes: dict[str, str], subfield: str):
    assert found([{**GOOD, **changes}]) == [("code-unknown", 1, subfield)]


@pytest.mark.parametrize("length", ["10个", "-1", "1.5", "0", "10000000", "１０", "9" * 30, True])
def test_a_length_is_a_number_without_unit(length: Any):
    assert found([{**GOOD, "length": length}]) == [("number-invalid", 1, "length")]


@pytest.mark.parametrize("sensitivity", ["internal", "personal", "sensitive_personal"])
def test_what_is_not_general_is_not_open_to_everybody(sensitivity: str):
    item = {**GOOD, "sensitivity": sensitivity}
    assert found([item], open_type="unconditional") == [("item-sensitive", 1, "sensitivity")]
    assert found([{**item, "open_type": "none"}], open_type="unconditional") == []
    assert found([item], open_type="conditional") == []
    assert found([{**item, "sensitivity": "general"}], open_type="unconditional") == []


def test_a_table_has_so_many_columns_and_no_more():
    items = [{"name": f"列{number}", "column": f"c{number}", "data_type": "string"} for number in range(MOST_ITEMS + 1)]
    assert found(items[:MOST_ITEMS]) == []
    assert found(items) == [("items-too-many", None, "")]


def test_text_that_cannot_be_stored_is_found():
    assert found([{**GOOD, "description": "a\x00"}]) == [("text-characters", 1, "description")]
    assert found([{**GOOD, "name": "长" * 101}]) == [("text-too-long", 1, "name")]


class TestConstraints:
    @pytest.mark.parametrize(
        "changes",
        [
            {"values": "1=男; 2=女"},
            {"values": "优；良\n轻度污染"},
            {"data_type": "integer", "values": "1=是; 0=否"},
            {"data_type": "number", "minimum": "-1.5", "maximum": "1,000"},
            {"data_type": "date", "minimum": "2000-01-01", "maximum": "2030年1月1日"},
            {"data_type": "integer", "minimum": 0, "maximum": 0},
            {"pattern": "441[0-9]{3}"},
            {"pattern": "(惠城|惠阳)区"},
            {"required": "true"},
        ],
    )
    def test_what_can_be_checked_passes(self, changes: dict[str, Any]):
        assert found([{**GOOD, **changes}]) == []

    @pytest.mark.parametrize(
        ("changes", "kind", "subfield"),
        [
            ({"data_type": "integer", "values": "一=是"}, "item-codes-invalid", "values"),
            ({"values": " ; ; "}, "item-codes-invalid", "values"),
            ({"values": ";".join(map(str, range(1001)))}, "item-codes-too-many", "values"),
            ({"data_type": "number", "minimum": "少"}, "item-limit-invalid", "minimum"),
            ({"data_type": "date", "maximum": "100"}, "item-limit-invalid", "maximum"),
            ({"minimum": "1"}, "item-limit-invalid", "minimum"),
            ({"data_type": "number", "minimum": "10", "maximum": "9"}, "item-limits-crossed", "minimum"),
            ({"pattern": "("}, "item-pattern-invalid", "pattern"),
            ({"pattern": "a)(b"}, "item-pattern-invalid", "pattern"),
            ({"pattern": "(?=a)"}, "item-pattern-invalid", "pattern"),
            ({"pattern": "a" * 201}, "item-pattern-invalid", "pattern"),
        ],
    )
    def test_what_cannot_be_checked_is_named(self, changes: dict[str, Any], kind: str, subfield: str):
        assert (kind, 1, subfield) in found([{**GOOD, **changes}])

    def test_an_unknown_type_is_said_once(self):
        assert found([{**GOOD, "data_type": "varchar", "minimum": "1"}]) == [("code-unknown", 1, "data_type")]
