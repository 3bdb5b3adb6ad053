from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters.mapping import load_mapping
from ckanext.openhuizhou.harvesters.mapping_check import check_mapping, line_of, place_lines, try_mapping
from ckanext.openhuizhou.harvesters.rules import Place

SOURCES = Path(__file__).parents[3] / "config" / "sources"
WRONG = """\
fields:
  titel: {from: 名称}
  notes: {from: 摘要, const: 摘要, form: text}
  update_cycle:
    from: 更新频率
    as: colour
    split: "("
  theme: {const: x, provider: true}
items:
  name: {codes: 1, from: label}
  exclude: bz
  colour: {const: red}
datasets:
  D-1:
    fields: [title]
    items:
      - {name: 甲, column: a}
      - {name: 乙, column: a}
      - {column: B}
      - {name: 丙, column: C}
      - 丁
  no: {skip: true, colour: red}
columns: []
"""
PLACES = {
    "mapping.columns": 23,
    "mapping.fields.titel": 2,
    "mapping.fields.notes": 3,
    "mapping.fields.notes.form": 3,
    "mapping.fields.update_cycle.as": 6,
    "mapping.fields.update_cycle.split": 7,
    "mapping.fields.theme": 8,
    "mapping.items": 9,
    "mapping.items.name.codes": 10,
    "mapping.items.exclude": 11,
    "mapping.items.colour": 12,
    "mapping.datasets.D-1.fields": 15,
    "mapping.datasets.D-1.items.1": 18,
    "mapping.datasets.D-1.items.2": 19,
    "mapping.datasets.D-1.items.3.column": 20,
    "mapping.datasets.D-1.items.4": 21,
    "mapping.datasets.False.colour": 22,
}


class TestCheckMapping:
    def test_every_mistake_is_told_with_its_place(self):
        found = check_mapping(yaml.safe_load(WRONG))
        assert sorted(error.place for error in found) == sorted(PLACES)
        for error in found:
            sentence = error.message.format(**error.params)
            assert sentence
            assert "{" not in sentence
            assert error.place not in sentence

    @pytest.mark.parametrize("document", [None, [], "fields", 1])
    def test_what_is_no_mapping_at_all_is_one_mistake(self, document: Any):
        assert [error.place for error in check_mapping(document)] == ["mapping"]

    @pytest.mark.parametrize("path", sorted(SOURCES.glob("*/*.yaml")), ids=lambda path: path.stem)
    def test_the_mappings_of_the_project_are_right(self, path: Path):
        assert check_mapping(yaml.safe_load(path.read_text("utf-8"))["mapping"]) == []

    @pytest.mark.parametrize(
        "rule",
        [{"as": []}, {"codes": []}, {"split": 1}, {"from": {}}, {"from": None}, {"template": 5}, {"const": {}}, 0, []],
    )
    def test_no_odd_value_breaks_the_check(self, rule: Any):
        document = {"fields": {"title": rule}, "items": {"from": rule, "name": rule, "cell": rule, "exclude": rule}}
        document["datasets"] = {"D-1": {"items": [rule, {"name": rule, "column": rule, "length": rule}]}, "D-2": rule}
        assert check_mapping(document)

    def test_who_only_loads_gets_the_first(self):
        with pytest.raises(ConfigurationError) as error:
            load_mapping(yaml.safe_load(WRONG), Place("f", "mapping"))
        assert error.value.params["place"] == "mapping.columns"


class TestPlaceLines:
    def test_each_mistake_has_its_line(self):
        lines = place_lines(WRONG)
        assert {place: line_of(lines, place) for place in PLACES} == PLACES

    def test_a_place_that_is_not_there_has_the_line_of_what_it_stands_in(self):
        lines = place_lines("fields:\n  title:\n    const: x\n")
        assert line_of(lines, "mapping.fields.title.as.more") == 2
        assert line_of(lines, "mapping.items") == 1
        assert line_of({}, "mapping.items") is None

    def test_an_anchor_that_leads_back_ends(self):
        assert place_lines("a: &x\n  b: *x\n")["mapping.a.b"] == 2

    def test_nothing_has_no_lines(self):
        assert place_lines("") == {}

    def test_what_is_no_yaml_tells_where(self):
        with pytest.raises(yaml.MarkedYAMLError) as error:
            place_lines("fields:\n  title: {from: [\n")
        assert error.value.problem_mark is not None


class TestTryMapping:
    def test_gives_what_the_mapping_makes_of_one_record(self):
        mapping = load_mapping({"fields": {"title": {"template": "{名称}（{$key}）"}}}, Place("f"))
        assert try_mapping(mapping, {"名称": "水位"}, "D-1").entry["title"] == "水位（D-1）"
