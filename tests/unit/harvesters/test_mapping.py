from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ckanext.openhuizhou.errors import ConfigurationError, ValueRefused
from ckanext.openhuizhou.harvesters.kinds import check_config, kind_named
from ckanext.openhuizhou.harvesters.mapping import MappedRecord, load_mapping
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place, Rule, lookup

SOURCES = Path(__file__).parents[3] / "config" / "sources"
PAYLOAD = {
    "名称": " 空气质量日报 ",
    "基本信息": {"摘要": "每日更新", "标签": ["空气", "", "空气"]},
    "更新频率": "每日",
    "公开": "是",
    "行数": 12.0,
    "columns": [
        {"name": "RQ", "label": "日期", "type": "DATE"},
        {"name": "aqi", "label": "指数", "type": "INT", "length": "4"},
        {"name": "bz", "label": "备注", "type": "VARCHAR"},
    ],
}
ITEMS = {
    "from": "columns",
    "name": {"from": "label"},
    "column": {"from": "name"},
    "data_type": {"from": "type", "codes": {"DATE": "date", "INT": "integer"}, "default": "string"},
    "length": {"from": "length"},
    "exclude": ["bz"],
}


def apply(document: dict[str, Any], payload: dict[str, Any] | None = None, key: str = "A-1") -> MappedRecord:
    mapping = load_mapping(document, Place("source.yaml", "mapping"))
    return mapping.apply(SourceRecord(key=key, modified="2018-03-01", payload=PAYLOAD if payload is None else payload))


class TestRule:
    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            ({"from": "名称"}, "空气质量日报"),
            ({"from": "基本信息.摘要"}, "每日更新"),
            ({"from": ["没有", "名称"]}, "空气质量日报"),
            ({"from": "没有", "default": "无"}, "无"),
            ({"from": "没有"}, None),
            ({"const": "transport"}, "transport"),
            ({"template": "{名称}（{更新频率}）"}, "空气质量日报（每日）"),
            ({"from": "更新频率", "codes": {"每日": "daily"}}, "daily"),
            ({"from": "更新频率", "codes": {"每周": "weekly"}, "default": "irregular"}, "irregular"),
            ({"from": "行数", "as": "integer"}, 12),
            ({"from": "行数", "as": "text"}, "12"),
            ({"from": "公开", "as": "boolean"}, True),
            ({"from": "基本信息.标签", "split": ","}, ["空气", "空气"]),
            ({"from": "columns.0.label"}, "日期"),
        ],
    )
    def test_takes_the_value(self, rule: dict[str, Any], expected: Any):
        payload = {**PAYLOAD, "名称": PAYLOAD["名称"].strip()}
        assert Rule.load(rule, Place("f")).value(payload, "x") == expected

    @pytest.mark.parametrize(
        ("split", "text", "parts"),
        [
            (r"\s*", "空 气", ["空", "气"]),
            ("[,，、 ]+", "空，、气", ["空", "气"]),
            (r"\|", "空|气", ["空", "气"]),
            (r"[\](]", "空]气(水", ["空", "气", "水"]),
            (r"\(", "空(气", ["空", "气"]),
            ("和|与", "空和气与水", ["空", "气", "水"]),
        ],
    )
    def test_splits_at_a_separator(self, split: str, text: str, parts: list[str]):
        assert Rule.load({"from": "x", "split": split}, Place("f")).value({"x": text}, "f") == parts

    def test_a_separator_that_could_take_for_ever_is_not_tried_on_a_long_text(self):
        rule = Rule.load({"from": "x", "split": "a*b"}, Place("f"))
        assert rule.value({"x": "1aab2"}, "f") == ["1", "2"]
        with pytest.raises(ValueRefused) as refused:
            rule.value({"x": "a" * 1_000_000}, "f")
        assert [finding.kind for finding in refused.value.findings] == ["text-too-long"]

    @pytest.mark.parametrize(
        ("form", "raw", "expected"),
        [
            ("date", "2018-03-01T23:30:00Z", "2018-03-02"),
            ("date", "2018年3月1日", "2018-03-01"),
            ("date", "20180301", "2018-03-01"),
            ("date", "无", "空"),
            ("boolean", "√", True),
            ("boolean", "否", False),
            ("boolean", "N/A", "空"),
            ("integer", "１，２００", 1200),
            ("integer", "-", "空"),
        ],
    )
    def test_forms_are_read_as_in_every_table(self, form: str, raw: str, expected: Any):
        rule = Rule.load({"from": "x", "as": form, "default": "空"}, Place("f"))
        assert rule.value({"x": raw}, "f") == expected

    def test_codes_in_yaml_need_no_quotes(self):
        rule = yaml.safe_load("{from: x, codes: {1: daily, no: none, 是: true}}")
        read = Rule.load(rule, Place("f"))
        assert read.value({"x": "1"}, "f") == "daily"
        assert read.value({"x": 1.0}, "f") == "daily"
        assert read.value({"x": False}, "f") == "none"
        assert read.value({"x": "是"}, "f") is True

    def test_a_key_with_dots_is_found_as_a_whole(self):
        assert lookup({"PM2.5": 3}, "PM2.5") == 3

    @pytest.mark.parametrize(
        ("rule", "place"),
        [
            ({"form": "名称"}, "form"),
            ({"from": "a", "const": "b"}, "one of from"),
            ({"from": "a", "as": "colour"}, "as"),
            ({"from": "a", "split": "("}, "split"),
            ({"from": "a", "split": "(a|a)*$"}, "split"),
            ({"from": "a", "split": "a*a*a*b"}, "split"),
            ({"from": "a", "split": "[,]" * 50}, "split"),
            ("名称", "mapping"),
        ],
    )
    def test_a_mistake_is_named_with_file_and_place(self, rule: Any, place: str):
        with pytest.raises(ConfigurationError) as error:
            load_mapping({"fields": {"title": rule}}, Place("huanbaoju/data.yaml", "mapping"))
        assert "huanbaoju/data.yaml" in str(error.value)
        assert "mapping.fields.title" in str(error.value)
        assert place in str(error.value)


class TestFields:
    def test_an_unknown_field_stops_the_loading(self):
        with pytest.raises(ConfigurationError, match=r"fields\.titel"):
            load_mapping({"fields": {"titel": {"from": "名称"}}}, Place("f"))

    @pytest.mark.parametrize("name", ["name", "catalogue_code", "entry_state", "issued"])
    def test_no_source_says_what_the_platform_assigns(self, name: str):
        with pytest.raises(ConfigurationError):
            load_mapping({"fields": {name: {"const": "x"}}}, Place("f"))

    def test_a_value_outside_the_codes_is_a_finding_and_the_rest_is_mapped(self):
        rules = {"update_cycle": {"from": "更新频率", "codes": {"每周": "weekly"}}, "title": {"from": "名称"}}
        mapped = apply({"fields": rules})
        assert [(f.kind, f.field, f.value) for f in mapped.findings] == [("code-unknown", "update_cycle", "每日")]
        assert mapped.entry["title"] == "空气质量日报"

    def test_a_record_may_have_rules_of_its_own(self):
        document = {
            "fields": {"theme": {"const": "transport"}},
            "datasets": {"A-1": {"fields": {"theme": {"const": "environment"}}}},
        }
        assert apply(document).entry["theme"] == "environment"
        assert apply(document, key="A-2").entry["theme"] == "transport"

    def test_the_provider_is_kept_apart_until_it_is_found(self):
        asked = apply({"fields": {"owner_org": {"from": "提供单位", "provider": True}}})
        assert (asked.provider, asked.provider_asked) == (None, True)
        assert not apply({}).provider_asked

    def test_tags_become_one_text(self):
        mapped = apply({"fields": {"tag_string": {"from": "基本信息.标签", "split": "[;；]"}}})
        assert mapped.entry["tag_string"] == "空气"

    def test_a_change_of_the_mapping_changes_its_digest(self):
        one = load_mapping({"fields": {"title": {"from": "a"}}}, Place("f"))
        other = load_mapping({"fields": {"title": {"from": "b"}}}, Place("f"))
        assert one.digest != other.digest
        assert one.digest == load_mapping({"fields": {"title": {"from": "a"}}}, Place("g")).digest


class TestItems:
    def test_the_general_rule_makes_an_item_of_each_column(self):
        mapped = apply({"items": ITEMS})
        assert [(m.cell, m.item.column, m.item.name, m.item.data_type, m.item.length) for m in mapped.items] == [
            ("RQ", "rq", "日期", "date", None),
            ("aqi", "aqi", "指数", "integer", 4),
        ]
        assert not mapped.listed

    def test_a_chinese_column_id_is_refused_and_not_guessed(self):
        mapped = apply({"items": ITEMS}, {"columns": [{"name": "站点名称", "label": "站点名称"}]})
        assert [finding.kind for finding in mapped.findings] == ["column-invalid"]

    def test_a_list_publishes_what_it_lists_and_nothing_else(self):
        items = [{"name": "日期", "column": "day", "data_type": "date", "from": "RQ"}]
        mapped = apply({"items": ITEMS, "datasets": {"A-1": {"items": items}}})
        assert [(m.cell, m.item.column) for m in mapped.items] == [("RQ", "day")]
        assert mapped.listed

    def test_a_listed_column_that_the_source_lacks_is_a_finding(self):
        items = [{"name": "风速", "column": "wind", "from": "fs"}]
        mapped = apply({"datasets": {"A-1": {"items": items}}})
        assert [(f.kind, f.column, f.value) for f in mapped.findings] == [("column-missing", "风速", "fs")]

    @pytest.mark.parametrize(
        "items",
        [
            [],
            [{"column": "a"}],
            [{"name": "甲", "column": "甲"}],
            [{"name": "甲", "column": "a", "data_type": "varchar"}],
            [{"name": "甲", "column": "a", "length": "many"}],
            [{"name": "甲", "column": "a"}, {"name": "乙", "column": "a"}],
            [{"name": "甲", "column": "a", "colour": "red"}],
        ],
    )
    def test_a_wrong_list_stops_the_loading(self, items: list[dict[str, Any]]):
        with pytest.raises(ConfigurationError, match=r"datasets\.A-1\.items"):
            load_mapping({"datasets": {"A-1": {"items": items}}}, Place("f"))

    def test_a_record_can_be_left_out(self):
        mapping = load_mapping({"datasets": {"A-1": {"skip": True}}}, Place("f"))
        assert mapping.skips("A-1")
        assert not mapping.skips("A-2")


class TestConfiguration:
    @pytest.mark.parametrize("path", sorted(SOURCES.glob("*/*.yaml")), ids=lambda path: path.stem)
    def test_the_sources_of_the_project_are_right(self, path: Path):
        document = yaml.safe_load(path.read_text("utf-8"))
        place = Place(path.name)
        kind = kind_named(document["source"]["kind"], place)
        assert check_config(document["source"]["config"], kind.options, place)
        assert load_mapping(document["mapping"], place).fields

    @pytest.mark.parametrize(
        "config",
        [
            {},
            {"url": "http://x", "key": "id", "covers_data": "yes"},
            {"url": "http://x", "key": "id", "pages": {}},
            {"url": "http://x", "key": "id", "paging": {"page": "p", "per_page": "many"}},
            {"url": "http://x", "key": "id", "data": {"records": "list"}},
        ],
    )
    def test_wrong_options_of_a_kind_are_named(self, config: dict[str, Any]):
        kind = kind_named("json-api", Place("f"))
        with pytest.raises(ConfigurationError, match=r"source\.yaml"):
            check_config(config, kind.options, Place("source.yaml"))

    def test_an_unknown_kind_is_named_with_the_known_ones(self):
        with pytest.raises(ConfigurationError, match="json-api"):
            kind_named("ftp", Place("f"))
