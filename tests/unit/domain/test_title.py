"""When two titles are the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.title import names_a_system, normalise_title, title_key


@pytest.mark.parametrize(
    "other",
    [
        "空气质量（小时）数据",
        "空气质量(小时)数据",
        " 空气质量 小时\u3000数据 ",
        "空气质量·小时、数据。",
        "空气质量\u200b小时\u00a0数据",
        "空气质量小时数据\n",
    ],
)
def test_width_spaces_and_punctuation_make_no_difference(other: str):
    assert normalise_title(other) == "空气质量小时数据"


def test_case_and_width_of_letters_make_no_difference():
    assert normalise_title("ＰＭ2.5 监测") == normalise_title("pm2．5监测") == "pm25监测"


def test_different_words_differ():
    assert normalise_title("空气质量日数据") != normalise_title("空气质量月数据")


@given(st.text())
def test_a_key_is_its_own_key(title: str):
    key = normalise_title(title)
    assert normalise_title(key) == key


@given(st.text())
def test_the_four_unicode_forms_of_a_title_are_one_title(title: str):
    keys = {normalise_title(unicodedata.normalize(form, title)) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    assert keys == {normalise_title(title)}


@given(st.text(), st.sampled_from([" ", "\u3000", "，", "（", "）", "-", "\u200b", "\u00ad"]), st.integers(0, 50))
def test_a_stray_sign_anywhere_makes_no_difference_in_chinese(title: str, sign: str, place: int):
    chinese = "".join(letter for letter in title if "一" <= letter <= "鿿")
    assert normalise_title(chinese[:place] + sign + chinese[place:]) == normalise_title(chinese)


@given(st.text(max_size=3000))
def test_a_key_fits_a_database_index(title: str):
    assert len(title_key(title).encode()) <= 1000


def test_long_titles_that_differ_have_keys_that_differ():
    assert title_key("数" * 2000) != title_key("数" * 2001)


@pytest.mark.parametrize("title", ["城市管理系统", "一体化 平台", "执法系统。", "监管平台（）"])
def test_a_system_is_recognised(title: str):
    assert names_a_system(title)


@pytest.mark.parametrize("title", ["信息系统清单", "平台企业名录", "排水系统检测结果"])
def test_data_about_a_system_is_no_system(title: str):
    assert not names_a_system(title)
