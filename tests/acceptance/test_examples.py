"""The examples of README and API page do what the pages say, on the running portal."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "README.zh-CN.md", "docs/api.md"]
MARK = re.compile(r"<!-- runs in tests -->\n```console\n(.*?)```", re.DOTALL)
WRITTEN_FOR = "http://localhost:5000"


def examples() -> list[tuple[str, str]]:
    """(page, block) of every marked block."""
    return [(page, block) for page in PAGES for block in MARK.findall((ROOT / page).read_text("utf-8"))]


def commands_of(block: str) -> list[str]:
    """Commands of a block that print an answer; assignments before one belong to it."""
    commands, before = [], ""
    for line in block.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if re.match(r"\w+=\$\(", line):
            before += line + "\n"
        else:
            commands.append(before + line)
    return commands


def test_each_page_has_examples():
    assert {page for page, _ in examples()} == set(PAGES)


@pytest.mark.parametrize(
    ("page", "command"), [(page, command) for page, block in examples() for command in commands_of(block)]
)
def test_answers_with_success(base_url: str, page: str, command: str):
    script = "set -euo pipefail\n" + command.replace(WRITTEN_FOR, base_url)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["success"] is True
    assert answer["result"], f"{page} shows an example that finds nothing"
