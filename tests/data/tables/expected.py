"""``expectations.yaml`` as Python has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from ckanext.openhuizhou.domain.items import Item

FOLDER = Path(__file__).parent
_NOTHING = "~"
_TYPED = {
    "integer": int,
    "number": Decimal,
    "currency": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "boolean": lambda text: {"true": True, "false": False}[text],
}
_KEYS = {"why", "items", "rows", "count", "first", "last", "length", "wide", "refused", "at", "findings", "pending"}


@dataclass(frozen=True, slots=True)
class Case:
    """One file and what comes of it. ``rows`` is None where only ``count`` and some rows are told; cells are texts in
    the form of ``domain.cell_types``, None for nothing. ``refused``: kinds of findings, empty when it is loaded."""

    file: str
    why: str
    items: tuple[Item, ...]
    rows: list[list[str | None]] | None = None
    count: int = 0
    first: list[str | None] | None = None
    last: list[str | None] | None = None
    length: Mapping[str, int] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    at: Mapping[str, str] = field(default_factory=dict)
    findings: frozenset[str] = frozenset()
    pending: str = ""

    @property
    def path(self) -> Path:
        return FOLDER / "files" / self.file

    def outcome(self) -> str:
        """For the page: what comes of it."""
        if self.refused:
            return "refused: " + ", ".join(sorted(self.refused))
        told = f" ({', '.join(sorted(self.findings))})" if self.findings else ""
        return f"{self.count} {'row' if self.count == 1 else 'rows'}{told}"


def typed(cell: str | None, item: Item) -> Any:
    """What PostgreSQL gives for the text of a cell."""
    return None if cell is None else _TYPED.get(item.data_type, str)(cell)


def cases() -> list[Case]:
    # every scalar as text: 007 is no number here
    document = yaml.load((FOLDER / "expectations.yaml").read_text("utf-8"), yaml.CBaseLoader)
    return [_case(file, told) for file, told in document["tables"].items()]


def _case(file: str, told: Mapping[str, Any]) -> Case:
    assert told.keys() <= _KEYS, f"{file}: {told.keys() - _KEYS}"
    rows = [_row(cells) for cells in told["rows"]] if "rows" in told else None
    return Case(
        file,
        told["why"],
        _items(told),
        rows,
        len(rows) if rows is not None else int(told.get("count", 0)),
        _row(told["first"]) if "first" in told else None,
        _row(told["last"]) if "last" in told else None,
        {column: int(length) for column, length in told.get("length", {}).items()},
        _kinds(told.get("refused", "")),
        told.get("at", {}),
        _kinds(told.get("findings", "")),
        told.get("pending", ""),
    )


def _items(told: Mapping[str, Any]) -> tuple[Item, ...]:
    if "wide" in told:
        return tuple(Item(f"列{number}", f"c{number}", "integer") for number in range(1, int(told["wide"]) + 1))
    return tuple(Item(name, column, kind, unit="".join(unit)) for name, column, kind, *unit in told["items"])


def _row(cells: Sequence[str]) -> list[str | None]:
    return [None if cell == _NOTHING else cell for cell in cells]


def _kinds(told: str | Sequence[str]) -> frozenset[str]:
    return frozenset([told] if isinstance(told, str) else told) - {""}
