"""The documentation is true: what the code declares is described, and what the pages name exists.

In the way of datasette's ``test_docs.py``.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"checks_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


docs = load(ROOT / "tests" / "checks" / "docs.py")
SECTIONS = docs.sections()


class TestReference:
    @pytest.mark.parametrize("title", SECTIONS)
    def test_everything_declared_is_described(self, title: str):
        assert SECTIONS[title], "nothing was found: the check looks in the wrong place"
        assert docs.undocumented({title: SECTIONS[title]}) == []

    def test_the_page_is_what_the_code_declares(self):
        assert docs.PAGE.read_text("utf-8") == docs.page(SECTIONS), "run: python tests/checks/docs.py"


class TestApiPage:
    TEXT = (ROOT / "docs" / "api.md").read_text("utf-8")

    @pytest.mark.parametrize("action", [entry.name for entry in SECTIONS["Actions"]])
    def test_names_each_action(self, action: str):
        assert re.search(rf"\b{action}\b", self.TEXT)

    def test_names_no_action_that_does_not_exist(self):
        named = set(re.findall(r"\bopenhuizhou_\w+", self.TEXT))
        assert named <= {entry.name for entry in SECTIONS["Actions"]}


class TestPages:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
    def test_links_lead_somewhere(self, page: Path):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
        assert [link for link in links if not (page.parent / link).exists()] == []

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
    def test_make_targets_that_are_named_exist(self, page: Path):
        targets = {entry.name for entry in SECTIONS["Make targets"]}
        named = set(re.findall(r"(?:`|^)(make [a-z]+)\b", page.read_text("utf-8"), re.MULTILINE))
        assert named <= targets

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
    def test_commands_that_are_named_exist(self, page: Path):
        commands = {entry.name for entry in SECTIONS["Commands"]}
        named = re.findall(r"\bckan(?: -c \S+)? (openhuizhou(?: [a-z][a-z-]*)+)", page.read_text("utf-8"))
        for command in named:
            words = f"ckan {command}".split()
            assert any(" ".join(words[:length]) in commands for length in range(2, len(words) + 1)), command

    def test_both_readmes_say_the_same(self):
        english, chinese = (page.read_text("utf-8") for page in PAGES[:2])
        for pattern in (r"^#+ ", r"^- ", r"^curl .*$", r"\]\((?!README)([^)]+)\)", r"^make \w+"):
            assert re.findall(pattern, english, re.MULTILINE) == re.findall(pattern, chinese, re.MULTILINE), pattern

    def test_screenshots_are_small_enough_for_a_page(self):
        images = list((ROOT / "docs" / "images").glob("*.png"))
        assert images
        assert all(image.stat().st_size < 300_000 for image in images)

    def test_decisions_are_numbered_once_and_dated(self):
        pages = list((ROOT / "docs" / "adr").glob("[0-9]*.md"))
        numbers = [page.name[:4] for page in pages]
        assert len(numbers) == len(set(numbers))
        for page in pages:
            assert re.search(r"Date: \d{4}-\d\d-\d\d", page.read_text("utf-8")), page.name
