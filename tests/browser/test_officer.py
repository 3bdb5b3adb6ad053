"""An officer writes an entry in the browser, the platform officer publishes it; a wrong one comes back whole."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

ITEMS = [
    ("断面编号", "section_code", "string"),
    ("断面名称", "section_name", "string"),
    ("监测日期", "observed_on", "date"),
    ("水质类别", "quality_class", "string"),
    ("溶解氧", "dissolved_oxygen", "number"),
]
CHOSEN = {
    "category": "211001",
    "theme": "environment",
    "open_type": "unconditional",
    "share_type": "unconditional",
    "share_way": "file",
    "format_class": "spreadsheet",
    "update_cycle": "monthly",
}


@pytest.fixture
def title() -> str:
    return f"地表水水质月报（浏览器测试{uuid.uuid4().hex[:6]}）"


def fill(page: Page, title: str, **changes: str) -> None:
    """Everything that publication needs; ``changes`` replace or empty single fields."""
    page.goto("/dataset/new")
    form = page.locator("#dataset-edit")
    form.locator("[name=title]").fill(title)
    form.locator("[name=notes]").fill("全市地表水断面每月监测结果，演示数据。")
    for name, value in {**CHOSEN, **changes}.items():
        form.locator(f"select[name={name}]").select_option(value)
    for row, (name, column, data_type) in enumerate(ITEMS):
        form.locator(f"[name=items-{row}-name]").fill(name)
        form.locator(f"[name=items-{row}-column]").fill(column)
        form.locator(f"[name=items-{row}-data_type]").select_option(data_type)


def save_draft(page: Page) -> None:
    page.locator("#dataset-edit button[name=entry_state][value=draft]").click()


def publish(page: Page) -> None:
    page.locator("main form[action$='/publish'] button").click()


class TestEntry:
    def test_is_written_by_the_department_and_published_by_the_platform_officer(
        self,
        sign_in: Callable[[str], Page],
        title: str,
        get: Callable[..., Any],
        screenshot: Callable[[Page, str], None],
    ):
        officer = sign_in("huanbaoju_officer")
        fill(officer, title)
        screenshot(officer, "entry-form")
        save_draft(officer)
        expect(officer.locator("h1")).to_contain_text(title)
        address = officer.url.split("?")[0]
        path = address[address.index("/dataset/") :]
        assert get(path).status_code in {403, 404}, "a draft is shown to a visitor"

        platform = sign_in("platform_officer")
        platform.goto(address)
        publish(platform)
        expect(platform.locator("h1")).to_contain_text(title)
        shown = get(path)
        assert shown.status_code == 200
        assert title in shown.text
        for name, column, _ in ITEMS:
            assert name in shown.text
            assert column in shown.text
        entry = get("/api/3/action/package_show", id=path.rsplit("/", 1)[1]).json()["result"]
        assert [item["column"] for item in entry["items"]] == [column for _, column, _ in ITEMS]

    def test_the_department_itself_is_offered_no_publishing(self, sign_in: Callable[[str], Page], title: str):
        officer = sign_in("huanbaoju_officer")
        fill(officer, title)
        expect(officer.locator("#dataset-edit button[value=published]")).to_have_count(0)
        save_draft(officer)
        expect(officer.locator("h1")).to_contain_text(title)
        expect(officer.locator("main form[action$='/publish']")).to_have_count(0)


class TestMistakes:
    def test_stand_in_chinese_beside_their_fields_and_nothing_typed_is_lost(
        self, sign_in: Callable[[str], Page], title: str, screenshot: Callable[[Page, str], None]
    ):
        platform = sign_in("platform_officer")
        fill(platform, title, open_type="conditional")
        form = platform.locator("#dataset-edit")
        if form.locator("select[name=owner_org]").input_value() == "":
            form.locator("select[name=owner_org]").select_option(label="惠州市环境保护局")
        form.locator("[name=items-1-column]").fill("水质 类别")
        form.locator("[name=contact_email]").fill("不是邮箱")
        form.locator("button[name=entry_state][value=published]").click()

        for wrong in ("open_condition", "contact_email", "items-1-column"):
            error = platform.locator(f"#field-{wrong}-error")
            expect(error).to_be_visible()
            assert any("一" <= letter <= "鿿" for letter in error.inner_text()), error.inner_text()
            expect(platform.locator(f"#field-{wrong}")).to_have_attribute("aria-invalid", "true")
        screenshot(platform, "entry-mistakes")

        expect(form.locator("[name=title]")).to_have_value(title)
        expect(form.locator("[name=notes]")).to_have_value("全市地表水断面每月监测结果，演示数据。")
        expect(form.locator("[name=contact_email]")).to_have_value("不是邮箱")
        for name, value in {**CHOSEN, "open_type": "conditional"}.items():
            expect(form.locator(f"select[name={name}]")).to_have_value(value)
        typed = [(name, "水质 类别" if row == 1 else column, kind) for row, (name, column, kind) in enumerate(ITEMS)]
        for row, (name, column, kind) in enumerate(typed):
            expect(form.locator(f"[name=items-{row}-name]")).to_have_value(name)
            expect(form.locator(f"[name=items-{row}-column]")).to_have_value(column)
            expect(form.locator(f"[name=items-{row}-data_type]")).to_have_value(kind)

    def test_a_wrong_password_is_refused_in_chinese(self, open_page: Callable[..., Page]):
        page = open_page()
        page.goto("/user/login")
        page.locator("input[name=login]").fill("platform_officer")
        page.locator("input[name=password]").fill("错的密码")
        page.locator("input[name=password]").press("Enter")
        expect(page.locator("body")).to_contain_text("登录失败")


class TestNarrowScreens:
    @pytest.mark.parametrize("address", ["/dashboard/datasets", "/dataset/new", "/harvest/"])
    def test_scroll_no_page_of_an_official_sideways(self, sign_in: Callable[[str], Page], address: str):
        page = sign_in("huanbaoju_officer")
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 390


class TestDoubleClick:
    def test_saves_one_draft_and_complains_of_nothing(self, sign_in: Callable[[str], Page], title: str):
        officer = sign_in("huanbaoju_officer")
        fill(officer, title)
        officer.evaluate("() => { const b = document.querySelector('[value=draft]'); b.click(); b.click(); }")
        expect(officer.locator("h1")).to_contain_text(title)
        officer.goto("/dashboard/datasets")
        expect(officer.get_by_role("link", name=title)).to_have_count(1)
