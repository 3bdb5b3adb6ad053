"""The table of what broke other harvesters is whole, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| (\d+) \| (.+) \| (.+) \| (.+) \|$", (ROOT / "docs" / "harvest-failures.md").read_text("utf-8"), re.M
)
NODES = [(row[0], node) for row in ROWS for node in re.findall(r"`([^`]+)`", row[3])]


def defined(path: Path, names: list[str]) -> bool:
    """Whether a file defines what a node id names: a test, a class of tests, a test of a class, a fixture."""
    body: list[ast.stmt] = ast.parse(path.read_text("utf-8")).body
    for name in names:
        found = [one for one in body if isinstance(one, ast.FunctionDef | ast.ClassDef) and one.name == name]
        if not found:
            return False
        body = found[0].body
    return True


def test_all_twenty_five_are_there():
    assert [int(row[0]) for row in ROWS] == list(range(1, 26))


def test_each_says_what_happened_and_what_we_do():
    assert all(len(text) > 20 for row in ROWS for text in row[1:3])


@pytest.mark.parametrize("number", [row[0] for row in ROWS])
def test_each_has_a_test(number: str):
    assert [node for of, node in NODES if of == number and "::test" in node.lower()]


@pytest.mark.parametrize(("number", "node"), NODES)
def test_what_is_named_exists(number: str, node: str):
    path, *names = node.split("::")
    assert names
    assert defined(ROOT / path, names)
