"""README.md of the torture set, out of its head and ``expectations.yaml``."""

from __future__ import annotations

from tests.data.tables.expected import FOLDER, cases

PAGE = FOLDER / "README.md"
_START = "<!-- made by make.py from expectations.yaml -->"


def rendered() -> str:
    """The page as it should be: what stands above the mark is written by hand."""
    head = PAGE.read_text("utf-8").partition(_START)[0]
    lines = [f"| `{case.file}` | {_cell(case.why)} | {_cell(case.outcome())} |" for case in cases()]
    return "\n".join(
        [f"{head}{_START}", "", "| file | what it is for | what comes of it |", "| --- | --- | --- |", *lines, ""]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
