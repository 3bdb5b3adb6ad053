"""Each entry says on what terms it may be used, and the terms have a page."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from .test_pages import entry_page, text_of

OURS = "惠州市公共数据开放许可（平台草案）"


class TestLicenceOfAnEntry:
    def test_leads_from_the_page_to_the_text(self, portal: Any) -> None:
        html = entry_page(portal, "air")
        assert '<a href="http://test.ckan.net/licence" rel="license">' + OURS in html

    def test_has_an_english_name_on_english_pages(self, portal: Any) -> None:
        name = portal.entries["air"]["name"]
        assert "Open data terms of Huizhou" in portal.page(f"/en/dataset/{name}").get_data(as_text=True)

    def test_is_part_of_what_programs_get(self, portal: Any) -> None:
        asked = portal.page("/api/3/action/package_show", id=portal.entries["air"]["name"]).json["result"]
        assert asked["license_title"] == OURS
        assert asked["license_url"] == "http://test.ckan.net/licence"

    def test_that_is_not_named_is_said_to_be_missing(self, portal: Any) -> None:
        assert "开放许可 未注明" in text_of(entry_page(portal, "bus"))


class TestLicences:
    def test_the_list_of_ckan_is_the_citys(self, portal: Any) -> None:
        listed = portal.page("/api/3/action/license_list").json["result"]
        assert [licence["id"] for licence in listed][:2] == ["huizhou-open", "huizhou-conditional"]
        assert "notspecified" not in {licence["id"] for licence in listed}

    def test_the_text_says_that_it_is_a_draft(self, portal: Any) -> None:
        text = text_of(portal.page("/licence").get_data(as_text=True))
        assert "平台草案" in text
        assert "包括商业用途" in text

    def test_the_anchors_of_the_list_are_on_the_page(self, portal: Any) -> None:
        html = portal.page("/licence").get_data(as_text=True)
        for licence in tk.get_action("license_list")({"ignore_auth": True}, {}):
            place, _, anchor = licence["url"].partition("#")
            assert not place.endswith("/licence") or not anchor or f'id="{anchor}"' in html
