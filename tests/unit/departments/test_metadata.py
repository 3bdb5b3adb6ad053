"""What the departments say about their data: complete, marked, and with the records that must be refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ckanext.openhuizhou.domain.licences import read_licences
from ckanext.openhuizhou.domain.title import title_key
from ckanext.openhuizhou.harvesters.kinds import check_config, kind_named
from ckanext.openhuizhou.harvesters.mapping import RecordMapping, load_mapping
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place

ROOT = Path(__file__).parents[3]
Declared = dict[str, list[dict[str, Any]]]

#: Source file of each department, and the words of its metadata that a portal cannot do without.
SOURCES = {
    "huanbaoju": ("data-service", "名称 摘要 分类 开放领域 更新频率 开放方式 关键词 时间范围 最后更新时间 说明"),
    "anjianju": ("workbooks", "表名 内容说明 所属目录 开放领域 更新周期 开放类型 关键字 数据时间 更新日期 备注"),
    "rensheju": ("front-database", "zymc zyzy fl ly gxzq kfsx gjc sjfw lxks bz"),
    "minzhengju": ("drop-folder", "数据名称 简介 类目 领域 更新周期 开放属性 标签 起止时间 更新时间 备注"),
    "jiaotongju": ("exchange", "ResourceName Abstract Catalog Domain UpdateCycle OpenAttribute Keywords Remark"),
}
NAMES = tuple(SOURCES)


def source(name: str) -> dict[str, Any]:
    path = ROOT / "config" / "sources" / name / f"{SOURCES[name][0]}.yaml"
    return yaml.safe_load(path.read_text("utf-8"))


def mapped(name: str, declared: Declared) -> dict[str, tuple[dict[str, Any], str | None]]:
    """The catalogue entry and the provider that the committed mapping makes of each dataset's metadata."""
    mapping: RecordMapping = load_mapping(source(name)["mapping"], Place(name))
    found = {}
    for dataset in declared[name]:
        record = mapping.apply(SourceRecord(dataset["key"], payload=dataset["metadata"]))
        assert not record.findings, (dataset["key"], record.findings)
        found[dataset["key"]] = (record.entry, record.provider)
    return found


@pytest.fixture(scope="module")
def entries(declared: Declared) -> dict[str, dict[str, Any]]:
    """Entries by key, all departments together."""
    return {
        key: {**entry, "provider": provider}
        for name in NAMES
        for key, (entry, provider) in mapped(name, declared).items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_metadata_are_complete(name: str, declared: Declared) -> None:
    for dataset in declared[name]:
        missing = [word for word in SOURCES[name][1].split() if not dataset["metadata"].get(word)]
        assert not missing, dataset["key"]


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_source_is_accepted(name: str) -> None:
    place = Place(name)
    declared = source(name)["source"]
    kind = kind_named(declared["kind"], place)
    config = check_config(declared["config"], kind.options, place)
    assert declared["organization"] == name
    assert f"${{{name}." in str(config), "addresses and secrets are variables"


@pytest.mark.parametrize("name", ["anjianju", "minzhengju"])
def test_listed_columns_are_the_declared_ones(name: str, declared: Declared) -> None:
    """Both name their columns in Chinese, so the mapping lists them one by one: nothing may be forgotten there."""
    listed = source(name)["mapping"]["datasets"]
    for dataset in declared[name]:
        columns = [item["column"] for item in listed[dataset["key"]]["items"]]
        assert columns == [column["英文名"] for column in dataset["columns"]]


def test_enough_open_datasets_from_each_department(declared: Declared) -> None:
    for name in NAMES:
        open_ones = [
            entry
            for entry, provider in mapped(name, declared).values()
            if entry["open_type"] == "unconditional" and provider
        ]
        assert len(open_ones) >= 5, name


def test_one_conditional_and_one_closed_entry_with_their_grounds(entries: dict[str, dict[str, Any]]) -> None:
    narrow = {key: entry for key, entry in entries.items() if entry["open_type"] != "unconditional"}
    assert {key: entry["open_type"] for key, entry in narrow.items()} == {
        "HBJ-WR-003": "conditional",
        "kunjing-ertong": "none",
    }
    assert all(entry["open_condition"] and entry["share_condition"] for entry in narrow.values())


def test_one_record_has_no_provider(entries: dict[str, dict[str, Any]]) -> None:
    assert [key for key, entry in entries.items() if not entry["provider"]] == ["AJ-2018-07"]


def test_one_title_comes_twice_in_other_letters(entries: dict[str, dict[str, Any]]) -> None:
    seen: dict[tuple[str | None, str], list[str]] = {}
    for key, entry in entries.items():
        seen.setdefault((entry["provider"], title_key(entry["title"])), []).append(key)
    assert [keys for keys in seen.values() if len(keys) > 1] == [["HBJ-KQ-002", "HBJ-KQ-099"]]
    assert entries["HBJ-KQ-002"]["title"] != entries["HBJ-KQ-099"]["title"]


def test_made_up_data_say_so_and_real_data_name_source_and_licence(entries: dict[str, dict[str, Any]]) -> None:
    real = {key for key, entry in entries.items() if not entry["demo"]}
    assert real == {"xingzheng-quhua", "quhua-jiexian", "t_jjr"}
    for key, entry in entries.items():
        if key in real:
            assert "来源：" in entry["notes"]
            assert "许可：" in entry["notes"]
            assert "演示数据" not in entry["notes"]
        else:
            assert "演示数据" in entry["notes"]


def test_each_entry_names_its_terms_of_use(entries: dict[str, dict[str, Any]]) -> None:
    offered = {licence.id for licence in read_licences(ROOT / "config" / "licences.yaml")}
    for key, entry in entries.items():
        expected = {"unconditional": "huizhou-open", "conditional": "huizhou-conditional", "none": None}
        named = entry.get("license_id")
        assert named == ("other-open" if not entry["demo"] else expected[entry["open_type"]]), key
        assert named is None or named in offered


@pytest.mark.parametrize(("words", "expected"), [("空气质量", 3), ("养老", 3), ("交通运输", 4)])
def test_common_words_find_several_datasets(words: str, expected: int, entries: dict[str, dict[str, Any]]) -> None:
    found = [key for key, entry in entries.items() if words in f"{entry['title']}{entry['notes']}{entry['tag_string']}"]
    assert len(found) >= expected
