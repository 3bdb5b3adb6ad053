"""Names of downloads: whatever stands in a resource's URL, format and title, the header stays one header."""

from __future__ import annotations

import pytest
from werkzeug.http import parse_options_header

from ckanext.openhuizhou.views.download import attachment, suffix_of


@pytest.mark.parametrize(
    ("url", "format_", "suffix"),
    [
        ("data.csv", "", ".csv"),
        ("https://h/a/数据.XLSX", "CSV", ".xlsx"),
        ("数据", "CSV", ".csv"),
        ("数据", "电子表格", ".bin"),
        ('x.a"; evil="1', "", ".bin"),
        ("x.csv\r\nSet-Cookie: a=b", "", ".bin"),
        ("", "", ".bin"),
    ],
)
def test_a_suffix_is_plain_letters(url: str, format_: str, suffix: str) -> None:
    assert suffix_of(url, format_) == suffix


@pytest.mark.parametrize("title", ["空气质量（小时）", 'a"b\r\nX: y/../c', "100% & more"])
def test_the_header_is_ascii_and_has_both_names(title: str) -> None:
    header = attachment("211001-1", title, ".csv")
    assert header.isascii()
    assert header.isprintable()
    kind, options = parse_options_header(header)
    assert kind == "attachment"
    assert set(options) == {"filename"}


def test_the_chinese_title_arrives() -> None:
    _kind, options = parse_options_header(attachment("211001-1", "空气质量", ".csv"))
    assert options["filename"] == "空气质量.csv"
