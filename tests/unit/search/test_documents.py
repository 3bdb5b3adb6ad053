"""The index document holds what people search for, and nothing that Solr refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ckanext.openhuizhou.search.documents import Surroundings, complete_document, listed, pinyin_key

AROUND = Surroundings(department=("惠州市环境保护局", "市环保局"), labels=("环境保护",), data_ok=True, rows=7)


def document(**fields: Any) -> dict[str, Any]:
    return complete_document({"title": "空气质量", **fields}, AROUND)


class TestItems:
    def test_names_columns_and_descriptions_are_found(self) -> None:
        items = [{"name": "站点名称", "column": "station", "description": "国控点"}, {"name": "小时均值", "column": ""}]
        assert document(items=json.dumps(items))["item_names"] == ["站点名称", "station", "国控点", "小时均值"]

    @pytest.mark.parametrize("items", ["", "not json", "{}", "[1]", None, 3])
    def test_what_is_no_table_has_no_names(self, items: Any) -> None:
        assert document(items=items)["item_names"] == []

    def test_five_hundred_items_leave_no_long_string(self) -> None:
        items = json.dumps([{"name": f"信息项{n}", "column": f"c{n}", "description": "说明" * 40} for n in range(500)])
        made = document(items=items, extras_items=items)
        assert len(items.encode()) > 32_766
        assert not [key for key, value in made.items() if isinstance(value, str) and len(value.encode()) > 32_766]
        assert "信息项499" in made["item_names"]


class TestFacts:
    def test_department_labels_and_verdict_come_in(self) -> None:
        made = document()
        assert made["organization_title"] == ["惠州市环境保护局", "市环保局"]
        assert made["labels"] == ["环境保护"]
        assert (made["openhuizhou_data_ok"], made["row_count"]) == (True, 7)

    def test_without_a_table_the_entry_says_how_many_rows(self) -> None:
        assert complete_document({"title": "x", "row_count": "12"}, Surroundings())["row_count"] == 12
        assert "row_count" not in complete_document({"title": "x", "row_count": "many"}, Surroundings())

    @pytest.mark.parametrize(
        ("value", "instant"),
        [
            ("2018-03-01", "2018-03-01T00:00:00Z"),
            ("2018-03-01T08:00:00+08:00", "2018-03-01T00:00:00Z"),
            ("2018-03-01T01:02:03.123456", "2018-03-01T01:02:03Z"),
            ("spring", None),
            ("", None),
        ],
    )
    def test_dates_are_solrs_or_absent(self, value: str, instant: str | None) -> None:
        assert document(issued=value).get("issued") == instant

    @pytest.mark.parametrize(
        ("value", "keys"),
        [("health", ["health"]), ('["a", "b"]', ["a", "b"]), (["a", ""], ["a"]), ("", []), ("[", ["["])],
    )
    def test_lists_of_keys(self, value: Any, keys: list[str]) -> None:
        assert listed(value) == keys


def test_titles_sort_by_pinyin() -> None:
    titles = ["重点排污单位", "养老机构", "空气质量", "PM2.5", "公交线路", "安全生产"]
    assert sorted(titles, key=pinyin_key) == ["PM2.5", "安全生产", "公交线路", "空气质量", "养老机构", "重点排污单位"]
