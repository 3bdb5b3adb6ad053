"""Charts and maps in Chromium: drawn, read without scripts, saved, by keyboard, on a phone and in the dark."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Request, expect

#: Scripts that a page may load before somebody opens a chart, compressed.
BUDGET = 150_000
HOMES = "养老机构名录"
PICTURES = {
    "line": ("城市空气质量日报（AQI）", "chart?kind=line&x=day&y=aqi&by=region"),
    "bars": (HOMES, "chart?kind=bar&x=county&y=beds&how=sum&by=nature"),
    "pie": (HOMES, "chart?kind=pie&x=county&y=beds&how=sum"),
    "scatter": (HOMES, "chart?kind=scatter&x=beds&y=residents"),
    "places": (HOMES, "map"),
    "regions": (HOMES, "map?show=regions&x=county&y=beds&how=sum"),
}
LOOKS = [(picture, width, scheme) for picture in PICTURES for width, scheme in ((390, "dark"), (1280, "light"))]
LOOKS += [
    (picture, width, scheme) for picture in ("line", "regions") for width, scheme in ((390, "light"), (1280, "dark"))
]


@pytest.fixture(scope="module")
def address(open_datasets: list[dict[str, Any]]) -> Callable[[str], str]:
    """The address of a picture of the table above."""
    tables = {dataset["title"]: (dataset["name"], dataset["resources"][0]["id"]) for dataset in open_datasets}

    def of(picture: str) -> str:
        title, page = PICTURES[picture]
        name, resource_id = tables[title]
        return f"/dataset/{name}/resource/{resource_id}/{page}"

    return of


@pytest.fixture
def visitor(browser: Browser, base_url: str) -> Iterator[Callable[..., Page]]:
    """``visitor(width, scheme)`` is a page of somebody new; ``java_script_enabled=False`` takes scripts away."""
    contexts = []

    def new(width: int = 1280, scheme: Any = "light", **more: Any) -> Page:
        viewport = {"width": width, "height": 900}
        looks: Any = {"color_scheme": scheme, "reduced_motion": "reduce"}
        context = browser.new_context(base_url=base_url, viewport=viewport, locale="zh-CN", **looks, **more)
        contexts.append(context)
        return context.new_page()

    yield new
    for context in contexts:
        context.close()


def drawn(page: Page, address: str) -> Locator:
    """The picture, once it is there."""
    page.goto(address)
    picture = page.locator(".oh-chart[data-drawn]")
    expect(picture).to_be_visible()
    return picture


def figures(page: Page) -> list[list[str]]:
    return page.locator("table.oh-table").evaluate(
        "table => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )


def data(page: Page) -> dict[str, Any]:
    return json.loads(page.locator(".oh-chart script").text_content() or "")


def plain(value: float | None) -> str:
    """A figure as the table writes it."""
    return "—" if value is None else f"{value:,}"


class TestDrawing:
    @pytest.mark.parametrize(("picture", "width", "scheme"), LOOKS)
    def test_the_picture_is_there(
        self,
        picture: str,
        width: int,
        scheme: str,
        address: Callable[[str], str],
        visitor: Callable[..., Page],
        screenshot: Callable[[Page, str], None],
    ):
        page = visitor(width, scheme)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        shapes = drawn(page, address(picture)).locator(".oh-chart-box svg path")
        assert shapes.count() >= 7
        screenshot(page, f"chart-{picture}-{width}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, "scrolls sideways"
        assert complaints == []

    @pytest.mark.parametrize("picture", ["bars", "places"])
    @pytest.mark.parametrize("width", [320, 1280])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_breaks_no_accessibility_rule(
        self, picture: str, width: int, scheme: str, address: Callable[[str], str], visitor: Callable[..., Page]
    ):
        page = visitor(width, scheme)
        drawn(page, address(picture))
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, "scrolls sideways"

    def test_many_places_are_a_canvas_with_something_on_it(
        self, open_datasets: list[dict[str, Any]], visitor: Callable[..., Page]
    ):
        many = next(dataset for dataset in open_datasets if dataset["title"] == "区域环境噪声监测数据")
        page = visitor()
        drawn(page, f"/dataset/{many['name']}/resource/{many['resources'][0]['id']}/map")
        colours = page.locator(".oh-chart-box canvas").first.evaluate(
            "canvas => { const all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
            " const found = new Set(); for (let i = 0; i < all.length; i += 4) found.add(all.slice(i, i + 3).join());"
            " return found.size; }"
        )
        assert colours > 10


class TestFigures:
    def test_the_table_has_what_is_drawn(self, address: Callable[[str], str], visitor: Callable[..., Page]):
        page = visitor()
        drawn(page, address("bars"))
        shown = data(page)
        head, *rows = figures(page)
        assert head[1:] == [series["name"] for series in shown["series"]]
        assert [row[0] for row in rows] == shown["labels"]
        values = [series["values"] for series in shown["series"]]
        assert [row[1:] for row in rows] == [[plain(value) for value in row] for row in zip(*values, strict=True)]

    def test_without_scripts_the_figures_are_there_and_the_form_works(
        self, address: Callable[[str], str], visitor: Callable[..., Page]
    ):
        page = visitor(java_script_enabled=False)
        page.goto(address("pie"))
        assert "数据见下表" in page.locator(".oh-chart").inner_text()
        assert len(figures(page)) == 8
        page.get_by_label("图表类型").select_option("bar")
        page.get_by_role("button", name="生成图表").click()
        assert "kind=bar" in page.url
        assert figures(page)[0] == ["县区", "床位数（合计，张）", "行数"]

    def test_the_picture_is_said_to_who_cannot_see_it(
        self, address: Callable[[str], str], visitor: Callable[..., Page]
    ):
        page = visitor()
        drawn(page, address("pie"))
        picture = page.get_by_role("img", name="饼图：")
        expect(picture.or_(page.get_by_role("img", name="饼图:"))).to_have_count(1)


class TestUse:
    def test_by_keyboard_alone(self, address: Callable[[str], str], visitor: Callable[..., Page]):
        page = visitor()
        drawn(page, address("bars"))
        page.get_by_label("图表类型").focus()
        page.keyboard.press("ArrowDown")
        while page.evaluate("document.activeElement.tagName") != "BUTTON":
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**kind=pie**")
        expect(page.locator(".oh-chart[data-drawn]")).to_be_visible()

    @pytest.mark.parametrize(("kind", "beginning"), [("png", b"\x89PNG"), ("svg", b"<svg")])
    @pytest.mark.parametrize("picture", ["bars", "regions"])
    def test_a_picture_is_saved(
        self, kind: str, beginning: bytes, picture: str, address: Callable[[str], str], visitor: Callable[..., Page]
    ):
        page = visitor(scheme="dark")
        picture_box = drawn(page, address(picture))
        with page.expect_download() as download:
            picture_box.locator(f"[data-save={kind}]").press("Enter")
        saved = Path(download.value.path()).read_bytes()
        assert saved.startswith(beginning)
        assert len(saved) > 5000
        if kind == "svg":
            text = saved.decode()
            assert page.locator(".oh-chart-title").inner_text() in text
            assert "演示数据" in text

    def test_a_map_is_made_larger_by_a_button(self, address: Callable[[str], str], visitor: Callable[..., Page]):
        page = visitor()
        box = drawn(page, address("regions")).locator(".oh-chart-box svg")
        before = box.inner_html()
        page.get_by_role("button", name="放大").press("Enter")
        expect(box).not_to_have_js_property("innerHTML", before)

    def test_another_page_shows_it_in_a_frame(
        self, address: Callable[[str], str], base_url: str, visitor: Callable[..., Page]
    ):
        page = visitor()
        page.goto("/about")
        # the same server by another name is another site to a browser
        other = base_url.replace("127.0.0.1", "localhost")
        assert other != base_url
        page.evaluate(
            "src => document.body.prepend("
            "Object.assign(document.createElement('iframe'), {src, width: 700, height: 900}))",
            f"{other}{address('pie')}&embed=1",
        )
        expect(page.frame_locator("iframe").locator(".oh-chart[data-drawn]")).to_be_visible()


class TestWeight:
    def test_pages_are_light_until_a_chart_is_opened_and_nothing_comes_from_elsewhere(
        self, address: Callable[[str], str], base_url: str, visitor: Callable[..., Page]
    ):
        page = visitor()
        scripts: dict[str, int] = {}
        elsewhere: list[str] = []

        def arrived(request: Request) -> None:
            answer = request.response()
            if not request.url.startswith((base_url, "data:", "blob:")):
                elsewhere.append(request.url)
            elif request.resource_type == "script" and answer is not None and answer.status == 200:
                scripts[request.url] = len(gzip.compress(answer.body()))

        page.on("requestfinished", arrived)
        for path in ("/", "/dataset/", address("pie").split("/resource/")[0], address("pie").partition("/chart")[0]):
            scripts.clear()
            page.goto(path, wait_until="networkidle")
            assert sum(scripts.values()) < BUDGET, scripts
            assert not any("/vendor/" in url for url in scripts)
        with page.expect_request("**/vendor/echarts-*"):
            drawn(page, address("pie"))
        assert elsewhere == []
