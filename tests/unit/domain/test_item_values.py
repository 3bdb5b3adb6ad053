"""Code lists, limits and patterns of an item."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.item_values import allowed_texts, codes_of, limit_text, limits_in_order, pattern_of
from ckanext.openhuizhou.domain.items import Item, values_text


def item(data_type: str = "string", **said: str) -> Item:
    return Item("项", "c", data_type, **said)


class TestCodes:
    @pytest.mark.parametrize(
        ("values", "codes"),
        [
            ("1=男; 2=女", {"1": "男", "2": "女"}),
            ("1＝男；2＝女；", {"1": "男", "2": "女"}),
            ("优\n良\n", {"优": "", "良": ""}),
            ("a=b=c", {"a": "b=c"}),
            ("", {}),
        ],
    )
    def test_read(self, values: str, codes: dict[str, str]):
        assert codes_of(item(values=values)) == codes

    def test_as_typed_cells_have_them(self):
        assert allowed_texts(item("integer", values="01=一; 2=二")) == {"1", "2"}
        assert allowed_texts(item("date", values="2020年1月1日")) == {"2020-01-01"}
        assert allowed_texts(item(values="01=一; 2=二")) == {"01", "2"}

    words = st.text(st.characters(codec="utf-8", exclude_characters=";；=＝\r\n"), min_size=1).map(str.strip)

    @given(st.dictionaries(words.filter(bool), words))
    def test_what_is_kept_is_read_again(self, codes: dict[str, str]):
        assert dict(codes_of(item(values=values_text(codes)))) == codes


class TestLimits:
    def test_in_the_form_of_cells(self):
        assert limit_text(item("number"), "1,000.50") == "1000.50"
        assert limit_text(item("date"), "2020/1/2") == "2020-01-02"
        assert limit_text(item("datetime"), "2020-01-02") == "2020-01-02 00:00:00+08:00"
        assert limit_text(item("number"), " ") is None

    def test_numbers_are_compared_as_numbers(self):
        assert limits_in_order(item("number", minimum="9", maximum="10"))
        assert not limits_in_order(item("number", minimum="10", maximum="9"))


class TestPattern:
    def test_is_for_the_whole_text(self):
        assert pattern_of(item(pattern="a|b")) == r"\A(?:a|b)\z"

    def test_none(self):
        assert pattern_of(item()) is None

    @pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?<=a)b", "a{2000}"])
    def test_refused(self, pattern: str):
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - it carries the pattern alone
            pattern_of(item(pattern=pattern))
        assert caught.value.args == (pattern,)
