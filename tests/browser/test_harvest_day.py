"""An officer's day: a folder of the department becomes a source, is tried, read, mended and read again.

A run that would take too much away waits for the platform officer. Chromium on a running portal, real files, a real
worker.
"""

from __future__ import annotations

import os
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

RUN_MILLISECONDS = 90_000
PHONE, SCREEN = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
OFFICER = "minzhengju_officer"
MAPPING = """fields:
  title: {from: 名称}
  notes: {from: 摘要}
  update_cycle: {from: 更新, codes: {每日: daily, 每月: monthly}}
  category: {const: "203003"}
  theme: {const: social-security-employment}
  open_type: {const: unconditional}
  license_id: {const: huizhou-open}
  share_type: {const: unconditional}
  share_way: {const: file}
  format_class: {const: spreadsheet}
  demo: {const: true}
items:
  from: columns
  name: {from: label}
  column: {from: label, codes: {镇街: town, 人数: people}}
  data_type: {from: label, codes: {镇街: string, 人数: integer}}
"""


@dataclass
class Folder:
    """A folder of CSV files with a list of them, as a department leaves it on a web server. Made up."""

    path: Path
    url: str
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:6])
    cycles: dict[str, str] = field(default_factory=dict)

    def write(self) -> None:
        lines = ["编号,文件名,名称,摘要,更新"]
        for key, cycle in self.cycles.items():
            lines.append(f"{key},{key}.csv,养老服务台账{key}（演示{self.mark}）,各镇街养老服务台账，演示数据,{cycle}")
            rows = [f"镇街{number},{number * 10}" for number in range(1, 6)]
            (self.path / f"{key}.csv").write_text("\n".join(["镇街,人数", *rows]), "utf-8")
        (self.path / "目录.csv").write_text("\n".join(lines), "utf-8")


class Quiet(SimpleHTTPRequestHandler):
    """``gate``: while it is closed, no file is given out but the list."""

    gate: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        if "YL-" in self.path:
            self.gate.wait(RUN_MILLISECONDS / 1000)
        super().do_GET()

    def log_message(self, *_arguments: object) -> None:
        """Silence."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """Behind a real web server, at an address that the portal's operator has allowed."""
    allowed = os.environ.get("OPENHUIZHOU_ALLOWED_HOSTS", "").split()
    assert allowed, "start the portal and these tests with OPENHUIZHOU_ALLOWED_HOSTS, as make test does"
    host, port = allowed[0].rsplit(":", 1)
    Quiet.gate.set()
    with ThreadingHTTPServer((host, int(port)), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        made = Folder(tmp_path, f"http://{allowed[0]}/")
        made.cycles = {f"YL-{number:02}": "每月" for number in range(1, 11)} | {"YL-11": "每季度"}
        made.write()
        yield made
        Quiet.gate.set()
        server.shutdown()


@dataclass
class Desk:
    """A person at a page, with pictures of it at two widths and the rules of accessibility looked after."""

    page: Page
    screenshot: Callable[[Page, str], None]

    def look(self, name: str) -> None:
        """Pictures of the page as it is, on a phone and on a screen; no rule broken, nothing scrolls sideways."""
        for device, size in (("phone", PHONE), ("screen", SCREEN)):
            self.page.set_viewport_size(size)  # pyright: ignore[reportArgumentType]
            self.screenshot(self.page, f"harvest-{name}-{device}")
            wide = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{name} scrolls sideways on a {device}"
            results = Axe().run(self.page)
            assert results.violations_count == 0, f"{name}, {device}: {results.generate_report()}"

    def press(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name).first.click()

    def until_done(self) -> str:
        """Wait until the run on this page has ended, without loading the page by hand; how it ended."""
        ended = self.page.locator("#run-progress:not([hx-get])")
        expect(ended).to_be_visible(timeout=RUN_MILLISECONDS)
        return ended.locator(".oh-run-line").inner_text()


@pytest.fixture
def desk(sign_in: Callable[[str], Page], screenshot: Callable[[Page, str], None]) -> Callable[[str], Desk]:
    return lambda name: Desk(sign_in(name), screenshot)


def fill_in(desk: Desk, folder: Folder) -> None:
    page = desk.page
    page.goto("/harvest/")
    page.get_by_role("link", name="新建来源").click()
    desk.look("kinds")
    page.locator("main a[href$='kind=csv']").click()
    page.locator("[name=title]").fill(f"养老服务台账目录{folder.mark}")
    page.locator("[name='config.url']").fill(folder.url)
    page.locator("[name='config.manifest']").fill("目录.csv")
    page.locator("[name='config.file']").fill("文件名")
    page.locator("[name='config.key']").fill("编号")
    page.locator("[name=mapping]").fill(MAPPING)
    page.locator("[name=schedule_choice]").select_option("0 3 1 * *")


class TestDay:
    def test_of_an_officer_and_a_platform_officer(self, desk: Callable[[str], Desk], folder: Folder) -> None:
        officer = desk(OFFICER)
        self.add(officer, folder)
        source = officer.page.url
        self.read_and_mend(officer, source)

        platform = desk("platform_officer")
        self.approve_and_publish(platform, source)

        folder.cycles = dict(list(folder.cycles.items())[:3])
        folder.write()
        self.held(officer, platform, source)

    def add(self, officer: Desk, folder: Folder) -> None:
        page = officer.page
        fill_in(officer, folder)
        page.locator("[name='config.url']").fill("")
        officer.press("保存")
        expect(page.locator("#field-config-url-error")).to_be_visible()
        expect(page.locator("[name='config.manifest']")).to_have_value("目录.csv")
        officer.look("form-mistakes")
        page.locator("[name='config.url']").fill(folder.url)
        officer.press("测试连接")
        expect(page.locator("#tried")).to_contain_text("来源已应答")
        expect(page.locator("[name=title]")).to_have_value(re.compile(folder.mark))
        officer.look("form-tested")
        officer.press("预览 20 条记录")
        expect(page.locator("#tried .oh-previewed")).to_have_count(11)
        expect(page.locator("#tried")).to_contain_text("每季度")
        officer.look("form-previewed")
        officer.press("保存")
        expect(page.locator("h1")).to_contain_text(folder.mark)
        officer.look("source-new")

    def read_and_mend(self, officer: Desk, source: str) -> None:
        page = officer.page
        officer.press("试运行")
        assert "完成" in officer.until_done()
        expect(page.locator("main")).to_contain_text("没有写入任何内容")
        expect(page.locator("main")).to_contain_text("将新增")
        officer.look("run-dry")
        page.get_by_role("link", name=re.compile("查看全部")).click()
        officer.look("differences")

        page.goto(source)
        officer.press("立即采集")
        assert "完成" in officer.until_done()
        expect(page.locator(".oh-findings").first).to_contain_text("每季度")
        officer.look("run-errors")

        page.goto(source)
        page.get_by_role("link", name="映射").click()
        page.locator("[name=key]").fill("YL-11")
        officer.press("从来源读取")
        expect(page.locator("#mapped")).to_contain_text("这条记录将被拒收")
        officer.look("mapping-refused")
        text = page.locator("[name=mapping]")
        text.fill(
            text.input_value()
            .replace("codes: {每", "codes: {每季度: quarterly, 每", 1)
            .replace("update_cycle:", "update_cycel:")
        )
        expect(page.locator("#mapping-errors")).to_be_visible()
        expect(page.locator(".oh-wrong-line")).to_have_count(1)
        officer.look("mapping-mistake")
        text.fill(text.input_value().replace("update_cycel:", "update_cycle:"))
        expect(page.locator("#mapped")).to_contain_text("每季度")
        expect(page.locator("#mapped")).to_contain_text("文本没有错误")
        officer.look("mapping")
        officer.press("保存")
        expect(page.locator("main")).to_contain_text("映射已保存")

        page.goto(source)
        officer.press("立即采集")
        assert "完成" in officer.until_done()
        expect(page.locator("main")).to_contain_text("没有需要改正的")
        expect(page.locator("main form[action$='/approve']")).to_have_count(0)

    def approve_and_publish(self, platform: Desk, source: str) -> None:
        page = platform.page
        page.goto("/harvest/")
        platform.look("sources-waiting")
        page.goto(source)
        platform.press("批准设置和映射")
        expect(page.locator("main")).to_contain_text("来源已批准")
        platform.press("立即采集")
        assert "完成" in platform.until_done()
        platform.look("run-published")
        page.goto(source)
        expect(page.locator("main")).to_contain_text("已发布 11")
        platform.look("source")
        page.get_by_role("link", name="记录", exact=True).click()
        expect(page.locator(".oh-records > li")).to_have_count(11)
        platform.look("records")

    def held(self, officer: Desk, platform: Desk, source: str) -> None:
        page = officer.page
        page.goto(source)
        officer.press("立即采集")
        assert "待批准" in officer.until_done()
        expect(page.locator("main")).to_contain_text("由平台管理员决定")
        expect(page.get_by_role("link", name="同意下架…")).to_have_count(0)
        officer.look("run-held-officer")

        page = platform.page
        page.goto("/harvest/")
        page.get_by_role("link", name=re.compile("^决定")).first.click()
        platform.look("run-held")
        page.get_by_role("link", name="同意下架…").click()
        expect(page.locator("h1")).to_contain_text("11 个条目中的 8 个要下架")
        platform.look("decide")
        platform.press(re.compile("下架 8 个条目"))
        assert "完成" in platform.until_done()
        expect(page.locator("main")).to_contain_text("同意下架")
        page.goto(source)
        expect(page.locator("main")).to_contain_text("已发布 3")
        page.goto("/harvest/")
        platform.look("sources")


class TestSteering:
    """The source gives out nothing for a while: the page moves, and the run is paused, goes on and is cancelled."""

    def test_a_run_that_moves_is_steered_without_loading_the_page(
        self, desk: Callable[[str], Desk], folder: Folder
    ) -> None:
        officer = desk(OFFICER)
        page = officer.page
        fill_in(officer, folder)
        officer.press("保存")
        expect(page.locator("h1")).to_contain_text(folder.mark)

        Quiet.gate.clear()
        officer.press("立即采集")
        self.until_beating(page)
        expect(page.locator("#run-progress")).to_contain_text("进行中")
        officer.look("run-moving")
        officer.press("暂停")
        expect(page.locator("main")).to_contain_text("正在写入的记录完成后暂停")
        self.until_beating(page)
        Quiet.gate.set()
        expect(page.locator("#run-progress")).to_contain_text("已暂停", timeout=RUN_MILLISECONDS)
        officer.look("run-paused")

        Quiet.gate.clear()
        officer.press("继续")
        expect(page.locator("main")).to_contain_text("从停下的地方继续采集")
        self.until_beating(page)
        officer.press("取消采集")
        expect(page.locator("main")).to_contain_text("正在写入的记录完成后结束")
        self.until_beating(page)
        Quiet.gate.set()
        assert "已取消" in officer.until_done()

    @staticmethod
    def until_beating(page: Page) -> None:
        """Until the worker has been heard of after this moment, so that it has seen what was asked of it."""
        asked = f"/api/3/action/openhuizhou_harvest_run_show?id={page.url.rsplit('/', 1)[1]}"

        def heartbeat() -> str:
            run = page.request.get(asked).json()["result"]
            return run["heartbeat"] if run["state"] == "running" and run["heartbeat"] else ""

        before = heartbeat()
        for _ in range(30):
            if heartbeat() > before:
                return
            # the page asks for its moving part every two seconds
            page.wait_for_event("response", lambda answer: "/progress" in answer.url)
        pytest.fail("nothing was heard of the worker for a minute")


class TestWithoutJavaScript:
    def test_a_source_is_tried_and_a_mapping_looked_at(
        self, browser, base_url: str, credentials: dict[str, str], folder: Folder
    ) -> None:
        context = browser.new_context(base_url=base_url, java_script_enabled=False, locale="zh-CN")
        page = context.new_page()
        page.goto("/user/login")
        page.locator("input[name=login]").fill(OFFICER)
        page.locator("input[name=password]").fill(credentials[OFFICER])
        page.locator("input[name=password]").press("Enter")
        page.goto("/harvest/source/new?kind=csv")
        page.locator("[name=title]").fill("不保存的来源")
        page.locator("[name='config.url']").fill(folder.url)
        page.locator("[name='config.manifest']").fill("目录.csv")
        page.locator("[name='config.key']").fill("编号")
        page.locator("[name=mapping]").fill(MAPPING)
        page.get_by_role("button", name="预览 20 条记录").click()
        expect(page.locator("#tried .oh-previewed")).to_have_count(11)
        expect(page.locator("[name=title]")).to_have_value("不保存的来源")
        context.close()
