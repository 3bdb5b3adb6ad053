"""A measured figure, how it is kept and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Result:
    """``ratio`` is how many times better ``value`` is than ``baseline``. ``bar`` is the ratio that we want, or the
    value where there is no baseline; ``met`` says whether it is reached. None: nothing to compare, or no bar."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    bar: float | None = None
    met: bool | None = None


def rate(name: str, value: float, unit: str, baseline: float, bar: float | None = None) -> Result:
    """A speed, more is better, against the baseline's; ``bar`` is the wanted ratio."""
    ratio = value / baseline
    met = None if bar is None else ratio >= bar
    return Result(name, round(value, 2), unit, round(baseline, 2), round(ratio, 2), bar, met)


def speed(name: str, value: float, unit: str, bar: float) -> Result:
    """A speed, more is better, against a fixed bar."""
    return Result(name, round(value, 2), unit, bar=bar, met=value >= bar)


def under(name: str, value: float, unit: str, bar: float) -> Result:
    """A cost, less is better, against a fixed bar."""
    return Result(name, round(value, 2), unit, bar=bar, met=value <= bar)


def figure(name: str, value: float, unit: str) -> Result:
    """A figure that has no bar."""
    return Result(name, round(value, 2), unit)


def append(benchmark: str, results: Sequence[Result]) -> None:
    """Add to ``results/<benchmark>.json``, a list of all runs' figures, oldest first."""
    path = FOLDER / f"{benchmark}.json"
    kept = json.loads(path.read_text("utf-8")) if path.exists() else []
    kept += [asdict(result) for result in results]
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")


def table(results: Sequence[Result]) -> str:
    head = ("name", "value", "unit", "baseline", "ratio", "bar", "met")
    rows = [head, *(tuple(_text(value) for value in asdict(result).values()) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
