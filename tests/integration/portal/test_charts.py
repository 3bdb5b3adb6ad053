"""Charts and maps of tables as visitors get them: addresses, figures, files, ETags."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan.lib.search import clear

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.domain.items import Item

from .conftest import EVIL, Portal

HOMES = [
    Item("机构名称", "org_name", "string"),
    Item("县区", "county", "string"),
    Item("床位数", "beds", "integer", unit="张"),
    Item("入住率", "rate", "number", unit="%"),
    Item("经度", "longitude", "number", description="高德地图坐标"),
    Item("纬度", "latitude", "number"),
    Item("成立日期", "founded", "date"),
]
ROWS: list[list[Any]] = [
    ["甲院", "惠城区", 100, 80, 114.41, 23.11, "2010-01-05"],
    ["乙院", "惠城", 50, 60, 114.42, 23.12, "2010-03-05"],
    ["丙院", "博罗县", 12345, 70, 114.29, 23.17, "2011-03-05"],
    ["丁院", "441303", 20, 90, 113.26, 23.13, None],
    ["戊院", "东莞市", 5, 10, None, None, "2012-03-05"],
    [f"=己院{EVIL}"[1:], None, 1, None, 23.1, 114.4, "2012-04-05"],
]
INSIDE = 3


@pytest.fixture(scope="module")
def homes(portal: Portal) -> Iterator[str]:
    """The address of the table's pages, without the last part. Others count the portal's entries: it goes again."""
    with portal.app.flask_app.test_request_context():
        entry = portal.add("homes", "2018-06-02", items=HOMES, rows=ROWS, title="养老机构名录", owner_org="jiaotongju")
    yield f"/dataset/{entry['name']}/resource/{entry['resources'][0]['id']}"
    with portal.app.flask_app.test_request_context():
        tables.drop_table(entry["resources"][0]["id"])
        tk.get_action("dataset_purge")({"user": portal.sysadmin["name"]}, {"id": entry["id"]})
        clear(entry["id"])
    del portal.entries["homes"]


def drawn(body: str) -> dict[str, Any]:
    """What the script draws."""
    return json.loads(re.findall(r'<script type="application/json">(.*?)</script>', body, re.DOTALL)[0])


def figures(body: str) -> list[list[str]]:
    """The table of figures, its head first."""
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[unescape(cell).strip() for cell in row] for row in cells]


def notes(body: str) -> str:
    found = re.search(r'<ul class="oh-chart-notes">(.*?)</ul>', body, re.DOTALL)
    return unescape(found[1]) if found else ""


class TestChart:
    def test_figures_of_the_table_are_those_that_are_drawn(self, portal: Portal, homes: str):
        body = portal.page(f"{homes}/chart", kind="bar", x="county", y="beds", how="sum").body
        assert figures(body) == [
            ["县区", "床位数（合计，张）", "行数"],
            ["博罗县", "12,345", "1"],
            ["惠城区", "100", "1"],
            ["惠城", "50", "1"],
            ["441303", "20", "1"],
            ["东莞市", "5", "1"],
            ["（空）", "1", "1"],
        ]
        data = drawn(body)
        assert data["labels"] == ["博罗县", "惠城区", "惠城", "441303", "东莞市", "（空）"]
        assert data["series"] == [{"name": "床位数（合计，张）", "values": [12345, 100, 50, 20, 5, 1]}]

    def test_an_address_without_choices_is_a_chart(self, portal: Portal, homes: str):
        body = portal.page(f"{homes}/chart").body
        assert drawn(body)["kind"] in ("bar", "pie")
        assert 'role="img"' in body

    def test_filters_of_the_table_hold_for_its_chart(self, portal: Portal, homes: str):
        address = {"kind": "bar", "x": "county", "f.beds.ge": "100"}
        body = portal.page(f"{homes}/chart", **address).body
        assert drawn(body)["labels"] == ["博罗县", "惠城区"]
        assert '<input type="hidden" name="f.beds.ge" value="100">' in body
        assert "f.beds.ge=100" in re.findall(r'value="([^"]*chart\?[^"]*)"', body)[0]

    def test_what_an_address_asks_wrongly_is_said(self, portal: Portal, homes: str):
        body = portal.page(f"{homes}/chart", kind="pie", x="county", y="rate", how="sum").body
        assert drawn(body)["kind"] == "bar"
        assert "“入住率”不适合相加，显示平均值" in notes(body)
        assert "不是整体的组成部分" in notes(body)

    def test_time_is_in_steps_that_fit(self, portal: Portal, homes: str):
        body = portal.page(f"{homes}/chart", kind="line", x="founded", grain="month").body
        assert drawn(body)["labels"] == ["2010-01", "2010-03", "2011-03", "2012-03", "2012-04"]
        assert "有1行没有时间" in notes(body)

    def test_two_figures_are_points(self, portal: Portal, homes: str):
        body = portal.page(f"{homes}/chart", kind="scatter", x="beds", y="rate").body
        assert drawn(body)["pairs"] == [[row[2], row[3]] for row in ROWS if row[3] is not None]

    def test_nothing_that_a_cell_holds_becomes_markup(self, portal: Portal, homes: str):
        body = portal.page(f"{homes}/chart", kind="bar", x="org_name").body
        assert EVIL not in body
        assert f"己院{EVIL}" in drawn(body)["labels"]

    @pytest.mark.parametrize(
        "address",
        [{"x": "' OR 1=1 --"}, {"kind": "%"}, {"top": "9" * 40}, {"grain": "century"}, {"how": "drop"}, {"by": "x"}],
    )
    def test_any_address_is_answered(self, portal: Portal, homes: str, address: dict[str, str]):
        assert drawn(portal.page(f"{homes}/chart", **address).body)["labels"]

    def test_a_file_without_a_table_has_no_chart(self, portal: Portal):
        portal.page("/dataset/no-such/resource/no-such/chart", 404)


class TestFile:
    def test_figures_come_as_csv_with_names_and_plain_numbers(self, portal: Portal, homes: str):
        answer = portal.page(f"{homes}/chart.csv", kind="bar", x="county", y="beds", how="mean")
        rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
        assert rows[0] == ["县区", "床位数（平均值，张）", "行数"]
        assert [rows[1][0], Decimal(rows[1][1]), rows[1][2]] == ["博罗县", Decimal(12345), "1"]
        assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
        assert answer.headers["Content-Type"].startswith("text/csv")

    def test_who_has_it_is_not_sent_it_again_until_the_table_changes(self, portal: Portal, homes: str):
        address = f"{homes}/chart.csv?kind=bar&x=county"
        etag = portal.app.get(address).headers["ETag"]
        again = portal.app.get(address, headers={"If-None-Match": etag})
        assert (again.status_code, again.data) == (304, b"")
        assert portal.page(f"{homes}/chart.csv", kind="bar", x="org_name").headers["ETag"] != etag
        entry = portal.entries["homes"]
        with portal.app.flask_app.test_request_context():
            resource_id = entry["resources"][0]["id"]
            tables.publish_table(tables.stage_table(resource_id, HOMES, ROWS[:2]), entry["id"])
        try:
            changed = portal.app.get(address, headers={"If-None-Match": etag})
            assert changed.status_code == 200
            assert len(changed.data.splitlines()) == 3
        finally:
            with portal.app.flask_app.test_request_context():
                tables.publish_table(tables.stage_table(resource_id, HOMES, ROWS), entry["id"])

    def test_pages_are_kept_in_the_same_way(self, portal: Portal, homes: str):
        for page in ("chart", "map"):
            answer = portal.page(f"{homes}/{page}")
            assert "Set-Cookie" not in answer.headers
            client = portal.app.test_client(use_cookies=False)
            answer = client.get(f"{homes}/{page}")
            again = client.get(f"{homes}/{page}", headers={"If-None-Match": answer.headers["ETag"]})
            assert again.status_code == 304


class TestMap:
    def test_places_inside_are_drawn_and_the_rest_is_said(self, portal: Portal, homes: str):
        body = portal.page(f"{homes}/map").body
        assert len(drawn(body)["places"]) == INSIDE
        assert [row[0] for row in figures(body)[1:]] == ["甲院", "乙院", "丙院"]
        said = notes(body)
        assert "有2行的坐标不在惠州范围内" in said
        assert "其中1行的经度和纬度疑似填反" in said
        assert "有1行没有坐标" in said
        assert "不作为划界依据" in said

    def test_declared_shifts_are_turned_back_and_named(self, portal: Portal, homes: str):
        body = portal.page(f"{homes}/map").body
        assert "数据采用GCJ-02坐标，已转换" in notes(body)
        longitude, latitude = drawn(body)["places"][0][:2]
        assert 0.003 < 114.41 - longitude < 0.007
        assert 0.001 < latitude - 23.11 < 0.005

    def test_spellings_of_a_county_are_one_region(self, portal: Portal, homes: str):
        body = portal.page(f"{homes}/map", show="regions", x="county", y="beds", how="sum").body
        values = {one["name"]: one["value"] for one in drawn(body)["regions"]}
        assert values == {
            "惠城区": 150, "惠阳区": 20, "博罗县": 12345, "惠东县": None, "龙门县": None,
            "大亚湾开发区": None, "仲恺高新区": None,
        }  # fmt: skip
        assert figures(body)[1] == ["惠城区", "150", "2"]
        assert "6行中有2行不是惠州的县区，未在图上显示：东莞市" in notes(body)

    def test_a_table_without_places_has_no_map_and_no_tab(self, portal: Portal):
        bus = portal.entries["bus"]
        address = f"/dataset/{bus['name']}/resource/{bus['resources'][0]['id']}"
        portal.page(f"{address}/map", 404)
        assert f"{address}/map" not in portal.page(f"{address}/chart").body

    def test_the_tab_leads_to_the_map(self, portal: Portal, homes: str):
        assert f'href="{homes}/map"' in portal.page(f"{homes}/chart").body

    def test_the_map_as_a_file(self, portal: Portal, homes: str):
        rows = list(csv.reader(io.StringIO(portal.page(f"{homes}/map.csv").data.decode("utf-8-sig"))))
        assert rows[0] == ["机构名称", "经度", "纬度"]
        assert len(rows) == 1 + INSIDE


class TestEmbedding:
    @pytest.mark.parametrize("page", ["chart", "map"])
    def test_any_site_may_frame_the_bare_page(self, portal: Portal, homes: str, page: str):
        answer = portal.page(f"{homes}/{page}", embed="1")
        assert answer.headers["Content-Security-Policy"] == "frame-ancestors *"
        assert "<nav" not in answer.body
        assert answer.body.count("<h1") == 1
        assert "Content-Security-Policy" not in portal.page(f"{homes}/{page}").headers

    def test_the_code_to_embed_is_shown(self, portal: Portal, homes: str):
        body = unescape(portal.page(f"{homes}/chart", kind="bar", x="county").body)
        assert '<iframe src="' in body
        assert "kind=bar&amp;x=county&amp;how=count&amp;top=20&amp;embed=1" in body
