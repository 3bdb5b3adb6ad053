"""The page of a table: what it shows, that its links lead on, that its address is enough, and who gets it."""

from __future__ import annotations

from functools import partial
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ckan.tests import factories
from ckanext.datastore.backend.postgres import get_write_engine
from lxml import html

from ckanext.openhuizhou.data import table_pages
from ckanext.openhuizhou.data.table_reading import reading

from .conftest import EVIL


def address(portal: Any, key: str = "air") -> str:
    entry = portal.entries[key]
    return f"/dataset/{entry['name']}/resource/{entry['resources'][0]['id']}/table"


def parsed(response: Any) -> html.HtmlElement:
    return html.fromstring(response.body)


def found(response: Any, path: str) -> list[Any]:
    return parsed(response).xpath(path)


def text_of(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def shown(response: Any) -> list[list[str]]:
    """The cells of the page."""
    return [[text_of(cell) for cell in row.xpath("td")] for row in found(response, "//tbody/tr")]


def link(response: Any, text: str) -> str:
    return next(a.get("href") for a in found(response, "//a") if text_of(a) == text)


def follow(portal: Any, href: str) -> Any:
    response = portal.app.get(href)
    assert response.status_code == 200
    return response


def form_of(response: Any) -> Any:
    return found(response, "//form[@class='oh-ask']")[0]


class TestShow:
    def test_rows_as_people_read_them(self, portal: Any):
        page = portal.page(address(portal))
        assert shown(page)[:2] == [["下埔", "2018-01-01 00:00", "20"], ["下埔", "2018-01-01 01:00", "20.5"]]
        head = found(page, "//thead//th")[2]
        assert text_of(head).startswith("细颗粒物 (μg/m³)")
        assert head.get("class") == "oh-n"
        assert len(found(page, "//h1")) == 1
        assert "第 1–24 行，共 24 行" in text_of(parsed(page))

    def test_nothing_of_the_data_is_run(self, portal: Any):
        page = portal.page(
            address(portal, "evil"), **{"q": EVIL, "sort": EVIL, "f.name.eq": EVIL, f"f.{EVIL}.eq": EVIL}
        )
        assert EVIL not in page.body
        assert EVIL in unescape(page.body)
        assert not [script for script in found(page, "//script") if "alert" in (script.text or "")]

    def test_a_file_without_a_table_and_an_entry_of_another(self, portal: Any):
        own, other = portal.entries["air"], portal.entries["bus"]
        portal.page(f"/dataset/{own['name']}/resource/{other['resources'][0]['id']}/table", 404)
        portal.page(f"/dataset/{own['name']}/resource/nothing/table", 404)
        portal.page(f"/dataset/nothing/resource/{own['resources'][0]['id']}/table", 404)

    def test_the_entry_and_the_file_lead_to_it(self, portal: Any):
        entry = portal.entries["air"]
        for page in (f"/dataset/{entry['name']}", f"/dataset/{entry['name']}/resource/{entry['resources'][0]['id']}"):
            assert address(portal) in found(portal.page(page), "//main//a/@href")


class TestAsking:
    def test_heads_sort_up_then_down_then_not(self, portal: Any):
        page = portal.page(address(portal))
        for expected in ("ascending", "descending", None):
            page = follow(portal, found(page, "//thead//th[3]/a/@href")[0])
            assert found(page, "//thead//th")[2].get("aria-sort") == expected
            values = [float(row[2]) for row in shown(page)]
            assert values == sorted(values, reverse=expected == "descending")
        assert not form_of(page).xpath(".//input[@name='sort']")

    def test_links_lead_through_the_rows_and_keep_what_was_asked(self, portal: Any):
        page = portal.page(address(portal), **{"sort": "-pm25", "size": "20", "f.pm25.ge": "20.5", "columns": "pm25"})
        assert len(shown(page)) == 20
        after = follow(portal, link(page, "下一页"))
        assert shown(after) == [["21.5"], ["21"], ["20.5"]]
        assert "第 21–23 行，共 23 行" in after.body
        assert shown(follow(portal, link(after, "上一页"))) == shown(page)
        assert shown(follow(portal, link(after, "第一页"))) == shown(page)

    def test_page_numbers_of_the_tables_own_order(self, portal: Any):
        page = portal.page(address(portal), size="20")
        assert "第 1 页，共 2 页" in page.body
        second = follow(portal, link(page, "最后一页"))
        assert [row[1] for row in shown(second)] == [f"2018-01-01 {hour:02}:00" for hour in range(20, 24)]
        assert set(found(page, "//form[@class='oh-jump']//input/@name")) == {"size", "page"}

    def test_the_form_keeps_everything_and_a_wrong_value_is_said_beside_its_field(self, portal: Any):
        asked = {"f.pm25.ge": "viel", "f.pm25.ne": "21", "f.station.contains": "下", "sort": "pm25", "q": "下埔"}
        page = portal.page(address(portal), **asked)
        inputs = {field.get("name"): field for field in form_of(page).xpath(".//input[not(@type='checkbox')]")}
        assert {name: inputs[name].get("value") for name in asked} == asked
        wrong = inputs["f.pm25.ge"]
        assert wrong.get("aria-invalid") == "true"
        assert "viel" in text_of(parsed(page).get_element_by_id(wrong.get("aria-describedby")))
        assert len(shown(page)) == 23

    def test_a_chip_takes_out_what_it_says(self, portal: Any):
        page = portal.page(address(portal), **{"f.pm25.ge": "31", "q": "下埔"})
        chips = found(page, "//ul[contains(@class, 'oh-chosen')]//a")
        without = next(chip.get("href") for chip in chips if text_of(chip).startswith("细颗粒物 ≥ 31"))
        assert parse_qs(urlsplit(without).query) == {"q": ["下埔"]}

    def test_an_address_is_tidied(self, portal: Any):
        messy = portal.page(
            address(portal), 302, **{"q": "", "f.pm25.ge": "31", "size": "50", "page": "1", "sort": " "}
        )
        assert messy.headers["Location"].endswith(f"{address(portal)}?f.pm25.ge=31")
        every = portal.page(address(portal), 302, columns=["station", "observed", "pm25"])
        assert every.headers["Location"].endswith(address(portal))

    @pytest.mark.parametrize(
        "query",
        [
            "page=x", "page=-1", "page=99999999999999999999", "size=7", "size=x", "after=x", "before=x", "sort=,,-",
            "f.pm25.ge=NaN", "f.observed.le=9999-12-31", "f..=", "columns=%00", "q=%00", "f.station.eq=%00",
            "f.pm25.eq=1e999", "f.pm25.eq=-1e-999", "q=%25%5C_", "f.station.contains=%5C", "embed=2",
        ],
    )  # fmt: skip
    def test_no_address_breaks_it(self, portal: Any, query: str):
        response = portal.app.get(f"{address(portal)}?{query}")
        assert response.status_code == 200, response.body

    def test_nothing_like_that(self, portal: Any):
        page = portal.page(address(portal), **{"f.station.eq": "别处"})
        assert "没有符合条件的数据" in page.body

    def test_a_question_that_takes_too_long_is_given_up(self, portal: Any, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(table_pages, "reading", partial(reading, 50))
        table = portal.entries["air"]["resources"][0]["id"]
        with get_write_engine().begin() as connection:
            connection.exec_driver_sql(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE')
            page = portal.page(address(portal), 503, sort="-pm25")
        assert "查询用时过长" in page.body
        assert "ETag" not in page.headers


class TestKeeping:
    def test_asking_again_costs_nothing_until_the_table_changes(self, portal: Any):
        def ask(url: str, etag: str = "") -> Any:
            # a client of its own: it has no cookie of an earlier test
            return portal.app.test_client().get(url, headers={"If-None-Match": etag} if etag else {})

        first = ask(f"{address(portal)}?sort=pm25")
        etag = first.headers["ETag"]
        assert "Set-Cookie" not in first.headers
        again = ask(f"{address(portal)}?sort=pm25", etag)
        assert (again.status_code, again.get_data()) == (304, b"")
        assert "public" in again.headers["Cache-Control"]
        for other in (f"{address(portal)}?sort=-pm25", f"/en{address(portal)}?sort=pm25"):
            assert ask(other, etag).status_code == 200

    def test_somebodys_page_is_private(self, portal: Any):
        token = factories.UserWithToken()["token"]
        response = portal.app.get(address(portal), headers={"Authorization": token})
        assert "private" in response.headers["Cache-Control"]
        assert "ETag" not in response.headers


class TestEmbedding:
    def test_the_rows_alone_may_stand_in_any_page(self, portal: Any):
        page = portal.page(address(portal), embed="1", sort="-pm25")
        assert page.headers["Content-Security-Policy"] == "frame-ancestors *"
        assert found(page, "//header | //footer | //form") == []
        assert len(shown(page)) == 20
        assert "embed=1" in link(page, "下一页")
        assert found(page, "//a[@target='_blank']/@href") == [f"{address(portal)}?sort=-pm25"]

    def test_the_whole_page_may_not(self, portal: Any):
        assert "Content-Security-Policy" not in portal.page(address(portal)).headers

    def test_the_code_to_copy_is_an_address_that_works(self, portal: Any):
        page = portal.page(address(portal), **{"f.station.eq": "下埔"})
        frame = html.fromstring(found(page, "//section[@class='oh-take']//pre")[0].text_content())
        assert (frame.tag, frame.get("title")) == ("iframe", "空气质量小时数据")
        target = urlsplit(frame.get("src"))
        assert len(shown(follow(portal, f"{target.path}?{target.query}"))) == 20
