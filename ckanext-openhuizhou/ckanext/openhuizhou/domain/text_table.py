"""Tables on a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def width(text: str) -> int:
    """Columns on a terminal: a Chinese letter takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A plain table; columns of whole numbers (None is left empty) go to the right."""
    cells = [list(head), *(["" if cell is None else str(cell) for cell in row] for row in rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(head))]
    numeric = [all(isinstance(row[column], int | None) for row in rows) for column in range(len(head))]
    lines = []
    for row in cells:
        padded = []
        for text, wanted, right in zip(row, widths, numeric, strict=True):
            space = " " * (wanted - width(text))
            padded.append(space + text if right else text + space)
        lines.append("  ".join(padded).rstrip())
    lines.insert(1, "  ".join("-" * wanted for wanted in widths))
    return "\n".join(lines)
