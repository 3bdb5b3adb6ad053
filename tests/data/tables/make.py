"""Writes ``files/`` and the table of README.md; ``--check`` says whether they are what this script makes.

python -m tests.data.tables.make [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.data.tables import make_books, make_text, page

FOLDER = Path(__file__).parent / "files"


def files() -> dict[str, bytes]:
    """Every file of the set by its name."""
    return make_text.files() | make_books.files()


def differences() -> list[str]:
    """Names of files that are missing, too many, or not as they are made."""
    made = files()
    kept = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    wrong = sorted(name for name in made | kept if made.get(name) != kept.get(name))
    return wrong if page.PAGE.read_text("utf-8") == page.rendered() else [*wrong, page.PAGE.name]


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        for name in (wrong := differences()):
            sys.stderr.write(f"not as made: {name}\n")
        return 1 if wrong else 0
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.iterdir():
        path.unlink()
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)
    page.PAGE.write_text(page.rendered(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
