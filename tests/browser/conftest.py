"""A Chromium of the system, one context for each test. Screenshots go to ``var/screenshots``, to be looked at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

SCREENSHOTS = Path(__file__).parents[2] / "var" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WAIT_MILLISECONDS = 20_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert program, "no Chromium: set CHROMIUM, or install the package chromium"
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, base_url: str) -> Iterator[Callable[..., Page]]:
    """``open_page(width)`` is a page of a new visitor; a test fails when a script or the console complained."""
    expect.set_options(timeout=WAIT_MILLISECONDS)
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def new(width: int = 1280, height: int = 900) -> Page:
        context = browser.new_context(base_url=base_url, viewport={"width": width, "height": height}, locale="zh-CN")
        context.set_default_timeout(WAIT_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda message: message.type == "error" and complaints.append(f"{message.text} {message.location}"),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield new
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def sign_in(open_page: Callable[..., Page], credentials: dict[str, str]) -> Callable[[str], Page]:
    """``sign_in("platform_officer")`` is a page of that user, signed in through the form."""

    def enter(name: str) -> Page:
        page = open_page()
        page.goto("/user/login")
        page.locator("input[name=login]").fill(name)
        page.locator("input[name=password]").fill(credentials[name])
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(lambda url: "/user/login" not in url)
        return page

    return enter


@pytest.fixture
def screenshot() -> Callable[[Page, str], None]:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return take
