"""Each rule of a catalogue entry: what it finds, and that it lets a right entry pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.entry_rules import REQUIRED, Lookups, check_entry
from ckanext.openhuizhou.domain.findings import KINDS
from ckanext.openhuizhou.domain.reference import read_reference
from ckanext.openhuizhou.domain.title import title_key

LOOKUPS = Lookups(read_reference(Path(__file__).parents[3] / "config"))
ENTRY: dict[str, Any] = {
    "title": "空气质量小时数据",
    "owner_org": "5a1c",
    "category": "211001",
    "theme": "environment",
    "notes": "各站点每小时监测值。",
    "open_type": "unconditional",
    "share_type": "unconditional",
    "share_way": "file",
    "format_class": "spreadsheet",
    "update_cycle": "daily",
    "items": [
        {"name": "站点", "column": "station", "data_type": "string", "length": 50, "is_key": True},
        {"name": "浓度", "column": "value", "data_type": "number", "unit": "微克/立方米", "sensitivity": "general"},
    ],
}


def kinds(
    changes: dict[str, Any], purpose: Any = "publish", lookups: Lookups = LOOKUPS
) -> list[tuple[str, str | None]]:
    return [(finding.kind, finding.field) for finding in check_entry(ENTRY | changes, purpose, lookups)]


def test_a_right_entry_passes():
    assert kinds({}) == []


def test_a_draft_needs_a_title_and_nothing_else():
    assert list(check_entry({"title": "空气质量"}, "draft", LOOKUPS)) == []
    assert [(finding.kind, finding.field) for finding in check_entry({}, "draft", LOOKUPS)] == [
        ("required-missing", "title")
    ]


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("empty", [None, "", "  ", []])
def test_publication_asks_for_what_a_draft_may_leave_out(name: str, empty: Any):
    assert ("required-missing", name) in kinds({name: empty})
    assert kinds({name: empty}, "draft") == ([("required-missing", "title")] if name == "title" else [])


@pytest.mark.parametrize("side", ["open", "share"])
@pytest.mark.parametrize(("type_", "kind"), [("conditional", "condition-missing"), ("none", "ground-missing")])
def test_a_condition_or_a_ground_is_asked_for(side: str, type_: str, kind: str):
    assert kinds({f"{side}_type": type_}) == [(kind, f"{side}_condition")]
    assert kinds({f"{side}_type": type_, f"{side}_condition": "依申请"}) == []
    assert kinds({f"{side}_type": type_}, "draft") == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"open_type": "开放"}, ("code-unknown", "open_type")),
        ({"share_type": "all"}, ("code-unknown", "share_type")),
        ({"share_way": "disk"}, ("code-unknown", "share_way")),
        ({"format_class": "CSV"}, ("code-unknown", "format_class")),
        ({"update_cycle": "每日"}, ("code-unknown", "update_cycle")),
        ({"data_level": "5"}, ("code-unknown", "data_level")),
        ({"industry": "Z"}, ("code-unknown", "industry")),
        ({"theme": "环境保护"}, ("code-unknown", "theme")),
        ({"region": "440100"}, ("code-unknown", "region")),
        ({"category": "211"}, ("category-unknown", "category")),
        ({"category": "211999"}, ("category-unknown", "category")),
        ({"title": "环境监测系统"}, ("title-system-name", "title")),
        ({"title": "，。"}, ("title-no-letters", "title")),
        ({"title": "长" * 201}, ("text-too-long", "title")),
        ({"notes": "长" * 8001}, ("text-too-long", "notes")),
        ({"notes": "a\x00b"}, ("text-characters", "notes")),
        ({"contact_name": "\ud800"}, ("text-characters", "contact_name")),
        ({"format_class": "database"}, ("format-share-mismatch", "share_way")),
        ({"share_way": "service"}, ("format-share-mismatch", "share_way")),
        ({"data_level": "important"}, ("data-level-refused", "data_level")),
        ({"data_level": "core"}, ("data-level-refused", "data_level")),
        ({"secret": True}, ("secret-refused", "secret")),
        ({"secret": "是"}, ("secret-refused", "secret")),
        ({"related_codes": ["空气"]}, ("related-code-unknown", "related_codes")),
        ({"items": "站点"}, ("items-malformed", "items")),
        ({"items": ["站点"]}, ("items-malformed", "items")),
    ],
)
def test_a_wrong_value_is_found_in_a_draft_as_well(changes: dict[str, Any], finding: tuple[str, str]):
    assert kinds(changes) == [finding]
    assert kinds(changes, "draft") == [finding]


@pytest.mark.parametrize(
    "changes",
    [
        {"format_class": "database", "share_way": "service"},
        {"format_class": "database", "share_way": "database"},
        {"format_class": "service", "share_way": "service"},
        {"data_level": 1},
        {"secret": False},
        {"secret": "false"},
        {"region": "441323", "industry": "C", "data_level": "4"},
        {"title": "信息系统清单"},
        {"related_codes": []},
    ],
)
def test_a_right_value_passes(changes: dict[str, Any]):
    assert kinds(changes) == []


class TestLookups:
    def test_a_related_code_must_belong_to_an_entry(self):
        lookups = Lookups(existing_codes=lambda codes: {code for code in codes if code == "211001/1"})
        found = list(check_entry(ENTRY | {"related_codes": ["211001/1", "211001/2"]}, "publish", lookups))
        assert [(finding.kind, finding.value) for finding in found] == [("related-code-unknown", "211001/2")]

    def test_a_title_is_taken_whatever_its_punctuation(self):
        taken = {("5a1c", title_key("空气质量（小时）数据"))}
        lookups = Lookups(title_taken=lambda provider, key: (provider, key) in taken)
        assert kinds({}, lookups=lookups) == [("title-duplicate", "title")]
        assert kinds({"owner_org": "other"}, lookups=lookups) == []

    def test_what_nobody_can_look_up_is_not_a_finding(self):
        assert kinds({"theme": "?", "category": "?", "related_codes": ["1/1"]}, lookups=Lookups()) == [
            ("related-code-unknown", "related_codes")
        ]


class TestFindings:
    def test_a_sentence_can_be_made_of_each(self):
        wrong = {
            **dict.fromkeys(ENTRY, "\x00?"),
            "format_class": "file",
            "share_way": "service",
            "data_level": "core",
            "secret": True,
            "title": "平台" * 200,
            "related_codes": "x",
            "items": [
                {"name": "a", "column": "9", "length": "1m", "sensitivity": "personal", "open_type": "unconditional"}
            ]
            * 2,
        }
        findings = [*check_entry(wrong, "publish", LOOKUPS), *check_entry({}, "publish", LOOKUPS)]
        assert len({finding.kind for finding in findings}) >= 12
        for finding in findings:
            values = {"field": finding.field, "row": finding.row, "column": finding.column, "value": finding.value}
            assert KINDS[finding.kind].message.format(**{**values, **finding.params})
            assert KINDS[finding.kind].mend.format(**{**values, **finding.params})

    def test_a_value_is_shortened(self):
        (finding,) = check_entry(ENTRY | {"theme": "x" * 2_000}, "publish", LOOKUPS)
        assert len(finding.value or "") == 60


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*ENTRY, "secret", "data_level", "region", "related_codes", "industry"]), JSON))
def test_whatever_an_entry_holds_the_rules_answer(entry: dict[str, Any]):
    for purpose in ("draft", "publish"):
        for finding in check_entry(entry, purpose, LOOKUPS):
            assert finding.kind in KINDS
