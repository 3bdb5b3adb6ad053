"""Text that was decoded wrongly, and text that only looks strange."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.mojibake import MARKS, damage

WORDS = [
    "数据",
    "惠州市",
    "中国",
    "空气质量",
    "有限公司",
    "名称",
    "惠城区河南岸街道",
    "一般公共预算收入",
    "环境，水",
    "优良",
]


def wrong(text: str, written: str, read: str) -> str:
    return text.encode(written).decode(read, "replace")


class TestDamage:
    @pytest.mark.parametrize("word", WORDS)
    @pytest.mark.parametrize(
        ("written", "read", "kinds"),
        [
            ("utf-8", "latin-1", {"utf8-as-latin"}),
            ("utf-8", "cp1252", {"utf8-as-latin", "replaced"}),
            ("gbk", "latin-1", {"gbk-as-latin"}),
            ("utf-8", "gbk", {"utf8-as-gbk", "replaced"}),
        ],
    )
    def test_each_mistake_is_told(self, word: str, written: str, read: str, kinds: set[str]):
        text = wrong(word, written, read)
        found = damage(text)
        assert found is not None, text
        assert found.kind in kinds
        assert any(mark in text for mark in MARKS)

    @pytest.mark.parametrize("word", WORDS)
    def test_what_was_meant(self, word: str):
        assert damage(wrong(word, "utf-8", "latin-1")).meant == word
        assert damage(wrong(word, "gbk", "latin-1")).meant == word

    @pytest.mark.parametrize("text", ["锟斤拷锟斤拷", "惠\ufffd市"])
    def test_replaced(self, text: str):
        assert damage(text).kind == "replaced"


class TestSoundText:
    @pytest.mark.parametrize(
        "text",
        [
            "惠州市××××有限公司",
            "第一章····1",
            "café, naïve, Ærøskøbing, über",
            "Côte d’Ivoire",
            "25°C±0.5",
            "μg/m³",
            "㎡、㎥、№、℃",
            "涓涓细流",
            "鑫鑫鑫鑫商行",
            "龘靐齉爩",
            "ABC-123",
            "",
            "“引号”——破折号…",
            "全角ＡＢＣ１２３",
            "𠮷野家",
            "ÀÉ",
        ],
    )
    def test_is_left_alone(self, text: str):
        assert damage(text) is None

    @pytest.mark.parametrize("word", WORDS)
    def test_as_it_should_be(self, word: str):
        assert damage(word) is None

    @given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5, codec="gb2312"), max_size=12))
    def test_simplified_chinese_of_frequent_characters(self, text: str):
        """Level 1 of GB 2312: what towns, firms and offices are called."""
        frequent = "".join(letter for letter in text if letter.encode("gb2312")[0] <= 0xD7)
        assert damage(frequent) is None
