"""Code lists are read once and checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckanext.openhuizhou.domain.items import DATA_TYPES
from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas import code_list, code_lists, read_code_list

GOOD = "codes:\n  - {key: a, label: {en: A, zh: 甲}}\n"


def test_every_label_is_chinese_and_english():
    for codes in code_lists().values():
        for code in codes:
            assert any("一" <= letter <= "鿿" for letter in code.label["zh"]), code
            assert code.label["en"].isascii(), code


def test_data_types_are_those_that_items_know():
    assert tuple(code_list("data_types").codes) == DATA_TYPES


@pytest.mark.parametrize(
    ("format_class", "ways"),
    [
        ("file", {"file"}),
        ("spreadsheet", {"file"}),
        ("database", {"database", "service"}),
        ("graphics", {"file"}),
        ("media", {"file"}),
        ("self_describing", {"file", "service"}),
        ("service", {"service"}),
    ],
)
def test_formats_agree_with_ways_of_sharing(format_class: str, ways: set[str]):
    assert set(code_list("format_classes")[format_class].extra["share_ways"]) == ways


def test_a_list_keeps_its_order_and_names_its_codes(tmp_path: Path):
    file = tmp_path / "letters.yaml"
    file.write_text(
        "guide: 字母\ncodes:\n  - {key: b, guide: '2', label: {en: B, zh: 乙}, days: 3}\n" + GOOD[7:], "utf-8"
    )
    codes = read_code_list(file)
    assert [code.key for code in codes] == ["b", "a"]
    assert (codes.name, codes.guide, codes["b"].guide, codes["b"].extra["days"]) == ("letters", "字母", "2", 3)
    assert (codes.label("a"), codes.label("a", "en"), codes.label("c")) == ("甲", "A", "c")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + GOOD[7:], "twice"),
        ("codes:\n  - {key: a, label: {en: A}}\n", "zh"),
        ("codes:\n  - {key: a, label: {en: A, zh: ' '}}\n", "zh"),
        ("codes:\n  - {label: {en: A, zh: 甲}}\n", "without a key"),
        ("codes:\n  - {key: 1, label: {en: A, zh: 甲}}\n", "without a key"),
        ("codes: {}\n", "must be a list"),
        ("- a\n", "must be a list"),
        ("codes: [", "cannot be read"),
    ],
)
def test_a_wrong_list_stops_the_program(tmp_path: Path, text: str, says: str):
    file = tmp_path / "wrong.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=says) as caught:
        read_code_list(file)
    assert "wrong.yaml" in str(caught.value)


def test_an_unknown_list_is_an_error():
    with pytest.raises(ConfigurationError, match="colours"):
        code_list("colours")
