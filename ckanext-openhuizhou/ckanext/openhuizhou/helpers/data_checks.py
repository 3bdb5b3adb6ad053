"""What the page of a table's checks shows: words for levels and verdicts, one line per check, bad rows as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.data import bad_rows
from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.domain.item_values import TEXTUAL
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.table_checks import checks
from ckanext.openhuizhou.logic.findings import described_finding, in_reader_language

from .harvest_csv import csv_parts

__all__ = ["openhuizhou_check_level", "openhuizhou_check_lines", "openhuizhou_check_tolerated"]

LEVELS: Final = {
    "ignore": N_("Not checked"),
    "warn": N_("Tell"),
    "hold": N_("Hold back"),
    "refuse": N_("Refuse"),
}


def openhuizhou_check_level(level: str) -> str:
    """A level in words."""
    return tk._(LEVELS[level]) if level in LEVELS else level


def openhuizhou_check_tolerated(threshold: float) -> str:
    """A threshold in words; empty for none."""
    if not threshold:
        return ""
    if threshold < 1:
        return tk._("up to {share} %").format(share=f"{threshold * 100:g}")
    return tk._("up to {count}").format(count=tk.h.openhuizhou_number(int(threshold)))


def openhuizhou_check_lines(
    results: Sequence[Mapping[str, Any]], rules: Sequence[Mapping[str, Any]], entry: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One line per check: what found most first, then what passed, then what there is nothing to check by.

    Each has ``check, label, help, rule, state, results``; ``state``: refuse, hold, warn, passed, off, none.
    """
    items = [Item.from_dict(values) for values in entry.get("items") or ()]
    lines = [_line(rule, [one for one in results if one["check"] == rule["check"]], items) for rule in rules]
    always = [one for one in results if one["check"] not in {rule["check"] for rule in rules}]
    if always:
        text = tk._("Personal data, rows of the wrong width, characters that cannot be stored")
        first = {"check": "always", "label": always[0]["label"], "help": text, "rule": None, "state": "refuse"}
        lines.insert(0, {**first, "results": always})
    return sorted(lines, key=lambda line: _ORDER.index(line["state"]))


_ORDER: Final = ("refuse", "hold", "warn", "passed", "off", "none")


def _line(rule: Mapping[str, Any], results: list[Mapping[str, Any]], items: Sequence[Item]) -> dict[str, Any]:
    state = "passed"
    if results:
        state = next((level for level in _ORDER if any(one["level"] == level for one in results)), "passed")
    elif rule["level"] == "ignore":
        state = "off"
    elif not any(_says(rule["check"], item) for item in items):
        state = "none"
    named = {name: rule[name] for name in ("check", "label", "help")}
    return {**named, "rule": rule, "state": state, "results": results}


def _says(check: str, item: Item) -> bool:
    """Whether the item gives this check something to check by."""
    asked = {
        "required": item.required or item.is_key,
        "length": item.length is not None and item.data_type in TEXTUAL,
        "code-list": bool(item.values),
        "range": bool(item.minimum or item.maximum),
        "pattern": bool(item.pattern),
        "unique-key": item.is_key,
        "encoding": item.data_type in TEXTUAL,
        "formula": item.data_type in TEXTUAL,
    }
    return asked.get(check, True)


def bad_rows_csv(resource_id: str) -> Iterator[bytes]:
    """Every bad place of the last check, one row each, in the reader's language."""
    header = (
        tk._("Row"), tk._("Column"), tk._("Value"), tk._("Check"), tk._("What is wrong"), tk._("How to mend it"),
    )  # fmt: skip
    return csv_parts(header, _bad_rows(resource_id))


def _bad_rows(resource_id: str) -> Iterator[tuple[Any, ...]]:
    for check, finding in bad_rows.read(resource_id):
        said = described_finding(finding)
        known = checks().get(check)
        label = in_reader_language(known.label) if known else tk._("What always refuses a table")
        yield finding.row, finding.column, finding.value, label, said["message"], said["mend"]
