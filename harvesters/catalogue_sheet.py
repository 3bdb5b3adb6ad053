"""The resource catalogue's table on a sheet: a header of up to three merged rows, entries of several rows each. Pure.

An entry has one row for each information item; its own cells are merged over those rows, repeated in each of them, or
stand in the first one alone. Rows are counted from 1, as Excel shows them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from ckanext.openhuizhou.data.spreadsheet import NOTE_STARTS, SUM_STARTS, Range, Sheet, fill, unique
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.title import normalise_title
from ckanext.openhuizhou.schemas.yaml_file import read_yaml

NAME: Final = "信息资源名称"
CODE: Final = "信息资源代码"
PROVIDER: Final = "信息资源提供方"
ITEM: Final = "信息项名称"
#: Rows that explain the template itself.
_EXAMPLES: Final = ("示例", "例：", "例:", "填写说明", "（必填", "(必填", "必填", "选填")
_SEARCHED_ROWS: Final = 30
_HEADER_ROWS: Final = 3
#: A row with fewer known columns is no header of this table.
_LEAST_COLUMNS: Final = 3
_BRACKETS: Final = re.compile(r"[（(【\[][^）)】\]]*[）)】\]]|[\s*＊:：]")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where which column stands. ``entry`` and ``items``: place → name; ``header``: its last row, from 1; ``known``:
    how many of them the guide knows."""

    header: int
    entry: Mapping[int, str]
    items: Mapping[int, str]
    known: int

    @property
    def has(self) -> set[str]:
        return {*self.entry.values(), *self.items.values()}


@dataclass(slots=True)
class Entry:
    """What a sheet says of one resource. ``rows``: its first and last."""

    values: dict[str, Any]
    rows: tuple[int, int]
    items: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The department's own code; or provider and name. Empty for a row with none of them."""
        if code := text_of(self.values.get(CODE)):
            return code
        name = normalise_title(text_of(self.values.get(NAME)))
        return f"{normalise_title(text_of(self.values.get(PROVIDER)))}/{name}" if name else ""


def find_columns(sheet: Sheet) -> Columns | None:
    """The header of the table among the first rows: where most columns are known by name. None: there is none."""
    best: Columns | None = None
    for start in range(min(len(sheet.filled), _SEARCHED_ROWS)):
        for height in range(1, _HEADER_ROWS + 1):
            columns = _columns_at(sheet, start, height)
            if columns is not None and (best is None or columns.known > best.known):
                best = columns
    if best is None or best.known < _LEAST_COLUMNS or not best.has & {NAME, CODE}:
        return None
    return best


def _columns_at(sheet: Sheet, start: int, height: int) -> Columns | None:
    rows = sheet.filled[start : start + height]
    if len(rows) < height:
        return None
    width = max(len(row) for row in rows)
    heads = [_head([row[place] if place < len(row) else "" for row in rows]) for place in range(width)]
    known = _known()
    entry: dict[int, str] = {}
    items: dict[int, str] = {}
    taken: set[str] = set()
    others: list[tuple[int, str]] = []
    for place, parts in enumerate(heads):
        part, name = next((known[one] for one in _forms(parts) if one in known), ("", ""))
        if name and name not in taken:
            taken.add(name)
            (items if part == "item" else entry)[place] = name
        elif parts:
            others.append((place, "_".join(parts)))
    if not taken:
        return None
    # what the guide does not know stays, under its own name: its extended metadata is free
    names = unique([*taken, *(name for _place, name in others)])[len(taken) :]
    entry |= {place: name for (place, _name), name in zip(others, names, strict=True)}
    return Columns(start + height, dict(sorted(entry.items())), items, len(taken))


def _head(cells: Iterable[Any]) -> list[str]:
    """The words of a header from above to below, each once."""
    parts: list[str] = []
    for cell in cells:
        word = _BRACKETS.sub("", str(cell or ""))
        if word and (not parts or parts[-1] != word):
            parts.append(word)
    return parts


def _forms(parts: Sequence[str]) -> Iterator[str]:
    """By what a header may be known, the surest first."""
    if len(parts) >= 2:
        yield f"{parts[-2]}/{parts[-1]}"
        yield f"{parts[0]}/{parts[-1]}"
    if parts:
        yield parts[-1]


@cache
def _known() -> Mapping[str, tuple[str, str]]:
    """Header → (entry or item, the name that a mapping uses)."""
    found: dict[str, tuple[str, str]] = {}
    for part, columns in read_yaml(Path(__file__).with_name("catalogue_columns.yaml")).items():
        for name, others in columns.items():
            for one in (name, *others):
                found.setdefault(one, (part, name))
    return found


@cache
def _fixed() -> frozenset[str]:
    """What is said of an entry once."""
    return frozenset(name for part, name in _known().values() if part == "entry") - {"备注"}


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    values: dict[str, Any]
    item: dict[str, Any]


def entries(rows: Iterable[list[Any]], merged: Sequence[Range], columns: Columns) -> Iterator[Entry]:
    """The entries of a sheet, one at a time; ``rows`` are all of the sheet.

    What stands under the notes and looks like an entry is one without key, with its finding.
    """
    current: Entry | None = None
    for line in _lines(rows, merged, columns):
        if isinstance(line, Finding):
            if current is not None:
                yield current
                current = None
            yield Entry({}, (line.row or 0, line.row or 0), findings=[line])
            continue
        if current is None or _begins(line, current):
            if current is not None:
                yield current
            current = Entry(dict(line.values), (line.number, line.number))
        else:
            _continue(current, line)
        if line.item:
            current.items.append(line.item | {"行": line.number})
    if current is not None:
        yield current


def _lines(rows: Iterable[list[Any]], merged: Sequence[Range], columns: Columns) -> Iterator[_Line | Finding]:
    in_table = True
    enough = max(3, columns.known // 2)
    for number, (bare, full) in enumerate(fill(rows, merged), 1):
        if number <= columns.header:
            continue
        first = next((text for text in map(text_of, bare) if text), "")
        values, item = _cells(full, columns.entry), _cells(full, columns.items)
        if first.startswith(NOTE_STARTS) or (_is_alone(bare) and not item and not {NAME, CODE} & values.keys()):
            in_table = False
        if not in_table:
            if sum(bool(text_of(cell)) for cell in bare) >= enough:
                yield Finding("rows-after-notes", row=number)
            continue
        name = text_of(values.get(NAME))
        if first.startswith((*SUM_STARTS, *_EXAMPLES)) or name.startswith((*SUM_STARTS, *_EXAMPLES)):
            continue
        if values or item:
            yield _Line(number, values, item)


def _is_alone(row: Sequence[Any]) -> bool:
    """One text alone in a row is a remark."""
    return sum(bool(text_of(cell)) for cell in row) == 1


def _cells(row: Sequence[Any], places: Mapping[int, str]) -> dict[str, Any]:
    values = {name: row[place] for place, name in places.items() if place < len(row)}
    return {name: value for name, value in values.items() if text_of(value)}


def _begins(line: _Line, current: Entry) -> bool:
    """Whether a row is of another entry than the one before: it says another code, or another name or provider."""
    code, before = text_of(line.values.get(CODE)), text_of(current.values.get(CODE))
    if code and before:
        return code != before
    for name in (NAME, PROVIDER):
        here, there = (normalise_title(text_of(values.get(name))) for values in (line.values, current.values))
        if here and here != there:
            return True
    return bool(code) and not text_of(line.values.get(NAME))


def _continue(current: Entry, line: _Line) -> None:
    current.rows = (current.rows[0], line.number)
    for name, value in line.values.items():
        before = current.values.setdefault(name, value)
        # a number of the row and remarks may differ from row to row
        if text_of(before) != text_of(value) and name in _fixed():
            current.findings.append(Finding("template-differs", field=name, row=line.number, value=text_of(value)[:60]))


def items_by_entry(
    rows: Iterable[list[Any]], merged: Sequence[Range], columns: Columns
) -> dict[str, list[dict[str, Any]]]:
    """Of a sheet of items alone: code, and normalised name, of an entry → its items, in one list for both."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in entries(rows, merged, columns):
        items = items_of(entry, found)
        items += entry.items
        found |= dict.fromkeys(_names_of(entry), items)
    return found


def items_of(entry: Entry, found: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The items that another sheet has for this entry; an empty list when it has none."""
    return next((found[name] for name in _names_of(entry) if name in found), [])


def _names_of(entry: Entry) -> list[str]:
    names = text_of(entry.values.get(CODE)), normalise_title(text_of(entry.values.get(NAME)))
    return [name for name in names if name]


def text_of(value: Any) -> str:
    """A cell as a person reads it: numbers without ``.0``, days without a time."""
    if value is None or value == "":
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()
    return str(value).strip()
