"""An official's own pages: what waits for whom, in words, and nothing of other departments."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

Values = Callable[..., dict[str, Any]]
WORK = "/dashboard/datasets"


class TestWork:
    def test_of_a_department_lists_its_entries_that_are_not_public(self, site: Any, values: Values):
        draft = site.act("reviewer", "package_create", **values())
        public = site.act("platform", "package_create", **values(entry_state="published"))
        elsewhere = values(owner_org=site.organizations["jiaotongju"]["id"])
        foreign = site.act("neighbour", "package_create", **elsewhere)
        shown = site.get("officer", WORK).text
        assert draft["title"] in shown
        assert f"/dataset/edit/{draft['name']}" in shown
        assert "草稿" in shown
        assert public["title"] not in shown
        assert foreign["title"] not in shown
        assert "惠州市环境保护局" in shown
        for address in ("/dataset/new", "/harvest/"):
            assert f'href="{address}"' in shown

    def test_counts_by_state_lead_to_lists_of_as_many(self, site: Any, values: Values):
        site.act("officer", "package_create", **values())
        shown = site.get("officer", WORK).text
        counted = re.findall(r'<li><a href="([^"]*entry_state=[^"]*)"><b>(\d+)</b>', shown)
        assert counted
        for address, count in counted:
            listed = site.get("officer", address.replace("&amp;", "&")).text
            assert re.search(rf"(?<!\d){count} 个数据集", listed), address

    def test_of_the_platform_officer_lists_those_of_every_department(self, site: Any, values: Values):
        own = site.act("officer", "package_create", **values())
        other = site.act("neighbour", "package_create", **values(owner_org=site.organizations["jiaotongju"]["id"]))
        shown = site.get("platform", WORK).text
        assert own["title"] in shown
        assert other["title"] in shown

    def test_of_a_citizen_shows_no_entries_and_no_harvests(self, site: Any, values: Values):
        draft = site.act("officer", "package_create", **values())
        shown = site.get("citizen", WORK)
        assert shown.status_code == 200
        assert draft["title"] not in shown.text
        assert "采集报告" not in shown.text


class TestWords:
    @pytest.mark.parametrize("english", [">active<", "Password1", "My Groups", "&#39;s password"])
    def test_of_accounts_are_chinese(self, site: Any, english: str):
        officer, sysadmin = site.users["officer"]["name"], site.users["sysadmin"]["name"]
        pages = [
            site.get("officer", f"/user/{officer}").text,
            site.get("officer", "/dashboard/organizations").text,
            site.get("sysadmin", f"/user/edit/{officer}").text,
            site.post(
                "sysadmin",
                f"/user/edit/{sysadmin}",
                {"name": sysadmin, "email": "a@example.com", "save": "", "old_password": "wrong",
                 "password1": "Abcdefg123", "password2": "Abcdefg124"},
            ).text,
        ]  # fmt: skip
        assert not [page for page in pages if english in page]
