"""A table's page in a browser: sorted, picked and turned over with and without scripts, by keyboard, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

WIDTHS = (320, 390, 1280)


@pytest.fixture(scope="session")
def table(open_datasets: list[dict[str, Any]]) -> str:
    """The address of the longest table of hourly traffic counts, whose columns every demo portal has."""
    entry = next(entry for entry in open_datasets if entry["title"] == "公路交通量观测小时数据")
    return f"/dataset/{entry['name']}/resource/{entry['resources'][0]['id']}/table"


def cells(page: Page, column: int) -> list[str]:
    return page.locator(f"tbody td:nth-child({column})").all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_state_is_whole_and_breaks_no_accessibility_rule(
    browser: Browser, base_url: str, screenshot: Callable[[Page, str], None], table: str, width: int, scheme: Any
):
    context = browser.new_context(base_url=base_url, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    states = {
        "rows": table,
        "asked": f"{table}?sort=-cars&q=S3&f.speed.ge=viel&f.cars.ge=10&f.obs_time.ge=2018-01-02&f.nowhere.eq=1",
        "nothing": f"{table}?f.road_code.eq=none",
        "embedded": f"{table}?embed=1&sort=-obs_time",
    }
    for name, address in states.items():
        page.goto(address, wait_until="load")
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        screenshot(page, f"table-{name}-{width}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, (
            f"{name} scrolls sideways"
        )
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
    context.close()


def test_somebody_without_scripts_finds_the_busiest_hours(browser: Browser, base_url: str, table: str):
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    page = context.new_page()
    page.goto(table.removesuffix("/table"))
    page.get_by_role("link", name="查看完整表格").click()
    page.get_by_text("按列筛选").click()
    page.get_by_role("group", name=re.compile("平均车速")).get_by_label("不大于").fill("50")
    page.get_by_role("button", name="筛选", exact=True).click()
    page.get_by_role("columnheader", name=re.compile("小型车流量")).get_by_role("link").click()
    page.get_by_role("columnheader", name=re.compile("小型车流量")).get_by_role("link").click()
    cars = [int(text.replace(",", "")) for text in cells(page, 4)]
    assert cars == sorted(cars, reverse=True)
    assert all(float(text) <= 50 for text in cells(page, 7))
    page.get_by_role("link", name="下一页").click()
    assert int(cells(page, 4)[0].replace(",", "")) <= cars[-1]
    shared = page.url
    assert "f.speed.le=50" in shared
    assert "sort=-cars" in shared
    assert "contains=" not in shared, "empty fields are no part of an address"
    again = context.new_page()
    again.goto(shared)
    assert cells(again, 4) == cells(page, 4)
    context.close()


def test_the_head_stays_while_rows_are_scrolled_by_keyboard(open_page: Callable[..., Page], table: str):
    page = open_page()
    page.goto(table)
    region = page.locator(".oh-grid")
    region.focus()
    page.keyboard.press("End")
    expect(page.locator("tbody tr").last).to_be_in_viewport()
    expect(page.locator("thead th").first).to_be_in_viewport()


def test_a_page_is_jumped_to(open_page: Callable[..., Page], table: str):
    page = open_page()
    page.goto(table)
    page.get_by_label("到第几页").fill("3")
    page.get_by_role("button", name="跳转").click()
    expect(page.locator(".oh-where")).to_contain_text("第 101–150 行")


def test_it_loads_no_library(open_page: Callable[..., Page], table: str):
    page = open_page()
    sizes: list[int] = []
    page.on("response", lambda answer: answer.url.split("?")[0].endswith(".js") and sizes.append(len(answer.body())))
    page.goto(table, wait_until="networkidle")
    assert sum(sizes) < 5_000


def test_a_frame_in_another_page_shows_the_rows(open_page: Callable[..., Page], web: Any, base_url: str, table: str):
    web.pages["/favicon.ico"] = b""
    web.pages["/"] = (
        f'<html lang="zh"><title>x</title><iframe title="t" src="{base_url}{table}?embed=1"></iframe>'.encode()
    )
    page = open_page()
    page.goto(web.url)
    rows = page.frame_locator("iframe").locator("tbody tr")
    expect(rows).to_have_count(20)
