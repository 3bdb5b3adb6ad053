"""Whatever stands in an address, nobody gets an error of the server."""

from __future__ import annotations

from typing import Any

import pytest

from .test_pages import text_of


class TestNulCharacter:
    @pytest.mark.parametrize(
        "address", ["/dataset/%00", "/organization/a%00b", "/theme/%00", "/dataset/%00/resource/x"]
    )
    def test_in_the_address_of_a_page_is_a_page_that_is_not_there(self, portal: Any, address: str) -> None:
        assert "没有这个页面" in text_of(portal.app.get(address, status=404).get_data(as_text=True))

    def test_typed_into_the_search_is_a_search(self, portal: Any) -> None:
        portal.page("/dataset/", q="\x00")

    @pytest.mark.parametrize("action", ["package_show", "organization_show", "datastore_search", "package_search"])
    def test_sent_to_the_api_is_a_wrong_parameter(self, portal: Any, action: str) -> None:
        address = f"/api/3/action/{action}"
        parameter = {"datastore_search": "resource_id", "package_search": "q"}.get(action, "id")
        answers = [
            portal.app.get(f"{address}?{parameter}=a%00", status=409),
            portal.app.post(address, json={parameter: "a\x00"}, status=409),
        ]
        for answer in answers:
            assert answer.json["success"] is False
            assert answer.json["error"]["__type"] == "Validation Error"

    def test_an_ordinary_call_passes(self, portal: Any) -> None:
        id_ = portal.entries["air"]["id"]
        assert portal.app.post("/api/3/action/package_show", json={"id": id_}).json["result"]["id"] == id_


class TestDump:
    def test_in_a_format_that_there_is_not_is_not_understood(self, portal: Any) -> None:
        table = portal.entries["air"]["resources"][0]["id"]
        portal.page(f"/datastore/dump/{table}", 400, format="zzz")
        for format_ in ("csv", "json"):
            portal.page(f"/datastore/dump/{table}", format=format_)


class TestPages:
    def test_a_number_that_is_none_is_said_in_chinese(self, portal: Any) -> None:
        text = text_of(portal.page("/dataset/", 400, page="-1").get_data(as_text=True))
        assert "页码不是有效的数字" in text
        assert "positive integer" not in text

    @pytest.mark.parametrize("base", ["/dataset/", "/organization/huanbaoju"])
    def test_past_the_last_one_leads_back(self, portal: Any, base: str) -> None:
        html = portal.page(base, page="1000000000").get_data(as_text=True)
        assert f'<a href="{base}">返回第一页</a>' in html


class TestWhatCkanHasAndThePortalDoesNot:
    def test_groups_are_the_fields(self, portal: Any) -> None:
        assert portal.page("/group/", 302).headers["Location"].endswith("/theme")

    @pytest.mark.parametrize("address", ["/testing/primer", "/testing/custom_form_fields"])
    def test_pages_for_developers_of_ckan_are_not_there(self, portal: Any, address: str) -> None:
        portal.page(address, 404)

    def test_the_kinds_of_activity_have_chinese_names(self, portal: Any) -> None:
        html = portal.page("/organization/activity/huanbaoju").get_data(as_text=True)
        assert "修改数据集" in html
        assert "Changed Package" not in html
