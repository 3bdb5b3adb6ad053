"""The Chinese catalogue is complete and fits its msgids."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).parents[2]
CATALOGUE = "ckanext-openhuizhou/ckanext/openhuizhou/i18n/zh_Hans_CN/LC_MESSAGES/ckanext-openhuizhou.po"
ENTRIES = list(polib.pofile(str(ROOT / CATALOGUE)))

NAMED = re.compile(r"%\(\w+\)[srid]|\{[^{}]*\}|</?\w+")
POSITIONAL = re.compile(r"%(?!\()[srid]")
#: What OpenCC or a wrong decoding would leave behind.
MOJIBAKE = re.compile("[\ufffd\u00c0-\u00ff]|[資訊應該這個為來對發現說們關係檔]")
#: Words for things that this portal calls otherwise.
BANNED = ("追从", "机构不存在", "资料集", "后设数据", "登入", "网路", "使用者", "组织")


def strings(entry: polib.POEntry) -> list[str]:
    return [entry.msgstr] if not entry.msgid_plural else list(entry.msgstr_plural.values())


def test_nothing_is_empty_or_fuzzy() -> None:
    assert [entry.msgid for entry in ENTRIES if entry.fuzzy or entry.obsolete or not all(strings(entry))] == []


def test_every_string_of_ckan_is_there() -> None:
    spec = importlib.util.find_spec("ckan")
    assert spec is not None
    assert spec.origin is not None
    ckan = polib.pofile(str(Path(spec.origin).parent / "i18n" / "ckan.pot"))
    assert len(ckan) > 1_000
    assert {entry.msgid for entry in ckan} - {entry.msgid for entry in ENTRIES} == set()


def placeholders(text: str) -> tuple[Counter[str], list[str]]:
    """Named ones in any order, positional ones in theirs."""
    return Counter(NAMED.findall(text)), POSITIONAL.findall(text)


def test_placeholders_are_those_of_the_msgid() -> None:
    wrong = [
        entry.msgid
        for entry in ENTRIES
        for text in strings(entry)
        if placeholders(text) != placeholders(entry.msgid_plural or entry.msgid)
    ]
    assert wrong == []


@pytest.mark.parametrize("pattern", [MOJIBAKE, *(re.compile(word) for word in BANNED)], ids=lambda p: p.pattern[:12])
def test_no_foreign_wording(pattern: re.Pattern[str]) -> None:
    assert [text for entry in ENTRIES for text in strings(entry) if pattern.search(text)] == []
