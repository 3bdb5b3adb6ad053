from __future__ import annotations

import time

import pytest

from ckanext.openhuizhou.harvesters.links import checked_links, utc_moment
from ckanext.openhuizhou.harvesters.records import Link

URL = "http://data.example/1.csv"


class TestCheckedLinks:
    def test_each_address_once_with_what_any_of_them_says(self):
        links = [
            Link(URL, name="一月"),
            Link("https://data.example/2.csv"),
            Link(f" {URL} ", name="另一名", format="CSV"),
        ]
        checked, findings = checked_links(links, 10)
        assert checked == (Link(URL, name="一月", format="CSV"), Link("https://data.example/2.csv"))
        assert findings == []

    @pytest.mark.parametrize(
        "url",
        [
            "", "无", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://data.example/x",
            "//host/x", "/x.csv", "http://", "http://[::1", "http://user:geheim@data.example/x", "http://a\x00b/", "http://a/\ud800",
            "http://data.example/" + "a" * 2000,
        ],
    )  # fmt: skip
    def test_what_a_visitor_must_not_be_sent_to_is_left_out_and_told(self, url: str):
        checked, findings = checked_links([Link(url), Link(URL)], 10)
        assert checked == (Link(URL),)
        assert [(f.kind, f.severity, f.params) for f in findings] == [("links-refused", "warning", {"count": 1})]
        assert "geheim" not in str(findings[0].value)
        str(findings[0].value).encode()

    def test_ten_thousand_are_refused_at_once(self):
        links = [Link(f"http://data.example/{number}") for number in range(10_000)]
        begun = time.perf_counter()
        checked, findings = checked_links(links, 2000)
        assert time.perf_counter() - begun < 1
        assert checked == ()
        assert [(f.kind, f.params) for f in findings] == [("links-too-many", {"count": 10_000, "most": 2000})]

    def test_ten_thousand_times_the_same_are_one(self):
        assert checked_links([Link(URL)] * 10_000, 2000) == ((Link(URL),), [])

    def test_texts_are_cut_and_figures_that_are_none_go(self):
        link = Link(URL, name="名" * 500, description="a\x00b", size=-5, modified="待定")
        (checked,), _findings = checked_links([link], 10)
        assert (len(checked.name), checked.description, checked.size, checked.modified) == (200, "ab", None, None)

    def test_times_are_utc(self):
        (checked,), _findings = checked_links([Link(URL, modified="2018年3月1日 08:30", size=5)], 10)
        assert (checked.modified, checked.size) == ("2018-03-01T00:30:00", 5)


class TestUtcMoment:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2018-03-01 08:00:00", "2018-03-01T00:00:00"),
            ("2018-03-01T08:00:00Z", "2018-03-01T08:00:00"),
            ("2018-03-01T08:00:00+09:00", "2018-02-28T23:00:00"),
            ("2018-03-01", "2018-02-28T16:00:00"),
            ("0001-01-01", None),
            ("昨天", None),
            ("1519862400000", None),
            ("", None),
            (None, None),
        ],
    )
    def test_without_a_zone_it_is_the_citys(self, text: str | None, expected: str | None):
        moment = utc_moment(text)
        assert (moment.isoformat() if moment else None) == expected
