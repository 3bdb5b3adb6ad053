"""An editor brings a file to a table: it waits, is refused with what to mend, is mended, and is there for readers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from ckanapi import RemoteCKAN
from playwright.sync_api import Page, expect

GOOD = "断面编号,断面名称,监测日期,溶解氧\n001,剑潭,2026-10-01,7.1\n002,东岸,2026-10-02,6.8\n"
BAD = GOOD + "003,沙田水口,2026-10-03,很高\n004,,2026年,6.5\n"
ITEMS = [
    {"name": "断面编号", "column": "section_code", "data_type": "string", "is_key": True},
    {"name": "断面名称", "column": "section_name", "data_type": "string"},
    {"name": "监测日期", "column": "observed_on", "data_type": "date"},
    {"name": "溶解氧", "column": "dissolved_oxygen", "data_type": "number", "unit": "毫克/升"},
    {"name": "采样人", "column": "sampler", "data_type": "string", "open_type": "none"},
]
WIDTHS = (390, 1280)


@pytest.fixture
def entry(account: Callable[[str], RemoteCKAN]) -> Iterator[dict[str, Any]]:
    """A published entry with a resource that has nothing yet."""
    platform = account("platform_officer")
    made = platform.action.package_create(
        title=f"地表水水质月报（浏览器测试{uuid.uuid4().hex[:6]}）",
        notes="演示数据",
        owner_org="huanbaoju",
        category="211001",
        theme="environment",
        open_type="unconditional",
        share_type="unconditional",
        share_way="file",
        format_class="spreadsheet",
        update_cycle="monthly",
        items=ITEMS,
        entry_state="published",
        resources=[{"name": "监测数据", "url": "", "url_type": "upload"}],
    )
    yield made
    account("admin").action.dataset_purge(id=made["id"])


def bring(page: Page, text: str, name: str) -> None:
    page.locator("#load-file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": text.encode()})
    page.locator("form[enctype] button[type=submit]").click()


def flawless(page: Page) -> None:
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()


class TestLoad:
    def test_a_file_is_brought_refused_mended_and_published(
        self,
        sign_in: Callable[[str], Page],
        entry: dict[str, Any],
        get: Callable[..., Any],
        screenshot: Callable[[Page, str], None],
    ):
        page = sign_in("huanbaoju_officer")
        address = f"/dataset/{entry['name']}/resource/{entry['resources'][0]['id']}"
        page.goto(f"{address}/load")
        flawless(page)
        bring(page, BAD, "2026年10月水质.csv")
        expect(page.locator(".oh-run .oh-badge").first).to_have_text("未通过")
        expect(page.locator(".oh-findings")).to_contain_text("很高")
        expect(page.locator("#load-again")).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            screenshot(page, f"load-refused-{width}")
            flawless(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        bring(page, GOOD, "2026年10月水质-更正.csv")
        expect(page.locator(".oh-run .oh-badge").first).to_have_text("已发布")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            screenshot(page, f"load-done-{width}")
            flawless(page)
        shown = get(address)
        assert "剑潭" in shown.text
        assert get(f"{address}/load").status_code in (302, 403)
