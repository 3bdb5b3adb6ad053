"""The citizens' pages: Chinese, escaped, without a cookie, and complete without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import EVIL

PAGES = [
    "/",
    "/dataset/",
    "/organization/",
    "/organization/huanbaoju",
    "/theme",
    "/targets",
    "/developers",
    "/about",
    "/licence",
]


def entry_page(portal: Any, key: str) -> str:
    return portal.page(f"/dataset/{portal.entries[key]['name']}").get_data(as_text=True)


def text_of(html: str) -> str:
    """What is read on a page: without tags, runs of white space as one space."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


class TestEachPage:
    @pytest.fixture(params=[*PAGES, "an entry", "a conditional entry"])
    def response(self, request: pytest.FixtureRequest, portal: Any) -> Any:
        keys = {"an entry": "air", "a conditional entry": "conditional"}
        key = keys.get(request.param)
        return portal.page(f"/dataset/{portal.entries[key]['name']}" if key else request.param)

    def test_is_chinese_and_has_one_heading(self, response: Any) -> None:
        html = response.get_data(as_text=True)
        assert 'lang="zh-Hans-CN"' in html
        assert html.count("<h1") == 1
        assert "开放惠州" in html

    def test_sets_no_cookie(self, response: Any) -> None:
        assert "Set-Cookie" not in response.headers

    def test_asks_nothing_of_another_host(self, response: Any) -> None:
        html = response.get_data(as_text=True)
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"([^\"]+)", html)
        loaded += re.findall(r"<link\b[^>]*\bstylesheet\b[^>]*\bhref=\"([^\"]+)", html)
        assert [url for url in loaded if not url.startswith(("/", "http://test.ckan.net/"))] == []

    def test_needs_neither_bootstrap_nor_jquery(self, response: Any) -> None:
        html = response.get_data(as_text=True)
        assert "base/main" not in html
        assert "jquery" not in html.lower()


class TestHome:
    def test_shows_figures_of_what_is_public(self, portal: Any) -> None:
        text = text_of(portal.page("/").get_data(as_text=True))
        assert "5 个开放数据集" in text  # air, bus, without data, conditional, evil; not the withdrawn one
        assert "27 行数据" in text

    def test_shows_both_lists_of_fields_and_the_targets(self, portal: Any) -> None:
        text = text_of(portal.page("/").get_data(as_text=True))
        for label in ("社会治理", "民生服务", "公共资源交易项目立项与核准", "地理空间", "3月底前开放20个以上数据集"):
            assert label in text

    def test_is_also_there_in_english(self, portal: Any) -> None:
        text = text_of(portal.page("/en/").get_data(as_text=True))
        assert "Environmental protection" in text
        assert "20 datasets open by 31 March" in text


class TestList:
    def test_filters_have_the_names_that_people_use(self, portal: Any) -> None:
        text = text_of(portal.page("/dataset/").get_data(as_text=True))
        for label in ("惠州市环境保护局", "环境保护", "无条件开放", "有条件开放", "每年"):
            assert label in text

    def test_a_filter_narrows_and_can_be_taken_out(self, portal: Any) -> None:
        html = portal.page("/dataset/", theme="transport").get_data(as_text=True)
        assert "公交线路" in html
        assert "空气质量小时数据" not in html
        assert re.search(r'<ul class="oh-plain oh-chosen">\s*<li><a href="/dataset/">', html)

    def test_nothing_found_comes_with_help(self, portal: Any) -> None:
        text = text_of(portal.page("/dataset/", q="恐龙化石").get_data(as_text=True))
        assert "没有找到" in text

    def test_withdrawn_entries_are_not_listed(self, portal: Any) -> None:
        assert "水质月报" not in portal.page("/dataset/").get_data(as_text=True)


class TestEntry:
    def test_shows_the_first_rows_with_chinese_names_and_city_time(self, portal: Any) -> None:
        text = text_of(entry_page(portal, "air"))
        assert "细颗粒物 (μg/m³) pm25" in text
        assert "下埔 2018-01-01 00:00 20 " in text
        assert "共 24 行，以下为前 20 行" in text
        assert "2018-01-01 20:00" not in text

    def test_shows_the_catalogue_record(self, portal: Any) -> None:
        entry = portal.entries["air"]
        text = text_of(entry_page(portal, "air"))
        for value in (
            entry["catalogue_code"],
            "主题信息资源 / 生态环保 / 环境质量",
            "2018-03-20",
            "无条件共享",
            "电子表格",
        ):
            assert value in text

    def test_offers_the_file_and_the_api(self, portal: Any) -> None:
        entry = portal.entries["air"]
        html = entry_page(portal, "air")
        assert entry["resources"][0]["url"] in html
        assert f"resource_id={entry['resources'][0]['id']}" in html

    def test_marks_made_up_data(self, portal: Any) -> None:
        assert "演示数据" in entry_page(portal, "air")

    def test_says_how_to_ask_for_conditional_data_and_offers_no_file(self, portal: Any) -> None:
        html = entry_page(portal, "conditional")
        assert "仅向研究机构提供" in html
        assert "综合科" in html
        assert "oh-file" not in html
        assert "datastore_search" not in html

    def test_shows_a_visitor_no_button_of_officials(self, portal: Any) -> None:
        assert "/withdraw" not in entry_page(portal, "air")

    @pytest.mark.parametrize("address", ["/", "/dataset/", "/organization/jiaotongju", "entry"])
    def test_escapes_whatever_a_source_sent(self, portal: Any, address: str) -> None:
        html = entry_page(portal, "evil") if address == "entry" else portal.page(address).get_data(as_text=True)
        assert "养老&lt;script&gt;" in html
        assert EVIL not in html

    def test_escapes_the_cells_and_names_of_the_table(self, portal: Any) -> None:
        html = entry_page(portal, "evil")
        assert "单元格&lt;script&gt;" in html
        assert "名称&lt;script&gt;" in html


class TestTableOfAnEntry:
    def test_has_a_page_of_its_own(self, portal: Any) -> None:
        entry = portal.entries["air"]
        text = text_of(
            portal.page(f"/dataset/{entry['name']}/resource/{entry['resources'][0]['id']}").get_data(as_text=True)
        )
        assert "下埔 2018-01-01 00:00 20 " in text


class TestApplications:
    def test_are_listed_apart_from_datasets(self, portal: Any) -> None:
        assert "惠州好空气" in portal.page("/application/").get_data(as_text=True)
        assert "惠州好空气" not in portal.page("/dataset/").get_data(as_text=True)

    def test_name_the_datasets_that_they_use(self, portal: Any) -> None:
        html = portal.page(f"/application/{portal.entries['application']['name']}").get_data(as_text=True)
        assert f'href="/dataset/{portal.entries["air"]["name"]}"' in html
        assert "https://example.com/" in html


class TestTargetsPage:
    def test_shows_departments_and_the_day(self, portal: Any) -> None:
        text = text_of(portal.page("/targets", date="2018-03-25").get_data(as_text=True))
        assert "2 / 20" in text
        assert "2018-03-25" in text
        assert "惠州市环境保护局" in text

    def test_a_wrong_date_is_said_and_today_is_shown(self, portal: Any) -> None:
        html = portal.page("/targets", date=EVIL).get_data(as_text=True)
        assert EVIL not in html
        assert "3 / 20" in text_of(html)


class TestErrors:
    @pytest.mark.parametrize(
        "address", ["/nowhere", "/dataset/no-such-entry", "/organization/nobody", "/theme/nothing"]
    )
    def test_a_page_that_is_not_there_says_so_in_chinese(self, portal: Any, address: str) -> None:
        text = text_of(portal.page(address, 404).get_data(as_text=True))
        assert "没有这个页面" in text
        assert "搜索" in text

    def test_a_withdrawn_entry_is_not_there(self, portal: Any) -> None:
        portal.page(f"/dataset/{portal.entries['water']['name']}", 404)

    def test_a_visitor_cannot_publish_or_withdraw(self, portal: Any) -> None:
        name = portal.entries["air"]["name"]
        for what in ("publish", "withdraw"):
            response = portal.app.post(f"/dataset/{name}/{what}", data={"reason": "x"}, follow_redirects=False)
            assert response.status_code in (401, 403)


class TestDepartments:
    def test_shows_the_counts_of_the_action(self, portal: Any) -> None:
        listed = portal.page("/api/3/action/openhuizhou_department_list").json["result"]
        counts = {department["name"]: department["count"] for department in listed}
        html = portal.page("/organization/").get_data(as_text=True)
        shown = re.findall(r'href="/organization/([\w-]+)"><span>[^<]*</span><b>(\d+)</b>', html)
        assert {name: int(count) for name, count in shown} == counts
        assert max(counts.values()) > 0

    def test_what_ckan_puts_on_a_page_of_its_own_is_on_the_departments_page(self, portal: Any) -> None:
        response = portal.page("/organization/about/huanbaoju", 302)
        assert response.headers["Location"].endswith("/organization/huanbaoju")


class TestThemes:
    def test_shows_the_counts_of_the_action(self, portal: Any) -> None:
        lists = portal.page("/api/3/action/openhuizhou_theme_list").json["result"]
        counts = {theme["key"]: theme["count"] for theme_list in lists for theme in theme_list["themes"]}
        html = portal.page("/theme").get_data(as_text=True)
        shown = re.findall(r'theme=([\w-]+)">.*?<small>(\d+)', html, re.DOTALL)
        assert {key: int(count) for key, count in shown} == counts
        assert max(counts.values()) > 0

    def test_a_field_has_an_address_of_its_own(self, portal: Any) -> None:
        response = portal.page("/theme/environment", 302)
        assert response.headers["Location"].endswith("/dataset/?theme=environment")


class TestOtherPagesOfCkan:
    @pytest.mark.parametrize("address", ["/user/login", "/user/register", "/user/reset"])
    def test_wear_our_look(self, portal: Any, address: str) -> None:
        html = portal.page(address).get_data(as_text=True)
        assert "oh-head" in html
        assert "csrf" in html
