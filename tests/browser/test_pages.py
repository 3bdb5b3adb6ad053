"""Home, list, a dataset, targets and a department, as a visitor sees them on a phone and on a screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

WIDTHS = {"phone": 390, "screen": 1280}
PAGES = {
    "home": "/",
    "list": "/dataset/",
    "search": "/dataset/?q=空气质量",
    "dataset": "/dataset/{dataset}",
    "targets": "/targets",
    "departments": "/organization/",
    "department": "/organization/huanbaoju",
}


@pytest.fixture(scope="session")
def address(open_datasets: list[dict[str, Any]]) -> Callable[[str], str]:
    """Address of a page of the table; the dataset is the one with most columns among those of one department."""
    own = [dataset for dataset in open_datasets if dataset["organization"]["name"] == "huanbaoju"]
    richest = max(own, key=lambda dataset: (len(dataset["items"]), dataset["name"]))
    return lambda name: PAGES[name].format(dataset=richest["name"])


@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_page_loads_whole(
    name: str,
    device: str,
    address: Callable[[str], str],
    open_page: Callable[..., Page],
    screenshot: Callable[[Page, str], None],
):
    page = open_page(WIDTHS[device])
    answer = page.goto(address(name), wait_until="load")
    assert answer
    assert answer.status == 200
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans-CN")
    expect(page.locator("h1")).to_have_count(1)
    expect(page).to_have_title(re.compile("开放惠州"))
    screenshot(page, f"{name}-{device}")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, "scrolls sideways"


@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_page_breaks_no_accessibility_rule(
    name: str, device: str, address: Callable[[str], str], open_page: Callable[..., Page]
):
    page = open_page(WIDTHS[device])
    page.goto(address(name), wait_until="load")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


class TestReading:
    def test_a_search_from_the_home_page_leads_to_the_dataset(self, open_page: Callable[..., Page]):
        page = open_page()
        page.goto("/")
        page.locator("main input[name=q]").first.fill("空气质量")
        page.keyboard.press("Enter")
        page.locator("main a", has_text="空气质量").first.click()
        expect(page.locator("h1")).to_contain_text("空气质量")

    def test_a_dataset_shows_its_columns_and_first_rows_without_javascript(self, browser, base_url: str, address):
        context = browser.new_context(base_url=base_url, java_script_enabled=False)
        page = context.new_page()
        page.goto(address("dataset"))
        expect(page.locator("table").first).to_be_visible()
        assert page.locator("table tbody tr").count() > 5
        context.close()

    def test_a_file_is_downloaded_from_the_dataset_page(self, open_page: Callable[..., Page], address):
        page = open_page()
        page.goto(address("dataset"))
        with page.expect_download() as download:
            page.locator("main a[href*='/download/']").first.click()
        assert download.value.suggested_filename.endswith(".csv")

    def test_a_dataset_that_does_not_exist_says_so_in_chinese(self, open_page: Callable[..., Page], base_url: str):
        page = open_page()
        answer = page.request.get(f"{base_url}/dataset/no-such-entry")
        assert answer.status == 404
        assert 'lang="zh-Hans-CN"' in answer.text()
