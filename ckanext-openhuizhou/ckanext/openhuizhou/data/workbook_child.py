"""Reads one sheet of a workbook in a process of its own: ``python -m …workbook_child``, the workbook as standard input.

The reader makes room for a whole sheet at once, and a text that stands in a million cells stands a million times in
memory; where there is no room, the process ends and no handler can stop that. So it is not the worker that ends.
Writes lines of JSON: what the sheet is, its rows, and how many there were; or why there are none.
"""

from __future__ import annotations

import datetime as dt
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import python_calamine

from ckanext.openhuizhou.data.workbook_marks import SheetMarks, counts_from_1904, sheet_marks
from ckanext.openhuizhou.data.workbook_size import examined

MOST_MEMORY: Final = 1 << 30
MOST_SECONDS: Final = 300
#: Bytes of one row as JSON; more are no table.
_LONGEST_ROW: Final = 8 << 20
_MOST_MERGED: Final = 200_000


def main(wanted: str) -> None:
    """``wanted``: JSON; the name of a sheet, its number from 1, or a list of words of which a name holds one."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    # opened anew: a descriptor that was handed over shares its place with its other owners
    with Path("/dev/fd/0").open("rb") as stream:
        look = examined(stream)
        if look.too_large:
            _say({"error": "too-large"})
            return
        try:
            with python_calamine.CalamineWorkbook.from_filelike(stream) as workbook:
                _read(workbook, orjson.loads(wanted), marked=look.marked)
        except python_calamine.CalamineError as error:
            _say({"error": "unreadable", "reason": str(error)[:300]})


def _read(workbook: python_calamine.CalamineWorkbook, wanted: Any, *, marked: bool) -> None:
    names = workbook.sheet_names
    shown = [
        about.name for about in workbook.sheets_metadata if about.visible is python_calamine.SheetVisibleEnum.Visible
    ]
    name = _chosen(names, wanted) if wanted is not None else next(iter(shown or names), None)
    if name is None:
        _say({"error": "missing", "reason": str(wanted), "sheets": names})
        return
    sheet = workbook.get_sheet_by_name(name)
    merged = sheet.merged_cell_ranges or []
    if len(merged) > _MOST_MERGED:
        _say({"error": "too-large"})
        return
    with Path("/dev/fd/0").open("rb") as stream:
        marks = sheet_marks(stream, name) if marked else SheetMarks()
        from_1904 = counts_from_1904(stream)
    _say({"name": name, "sheets": names, "visible": shown, "merged": merged, "from_1904": from_1904})
    rows = 0
    for row in _rows(sheet, marks):
        line = orjson.dumps(row, default=_cell, option=orjson.OPT_PASSTHROUGH_DATETIME)
        if len(line) > _LONGEST_ROW:
            _say({"error": "too-large"})
            return
        sys.stdout.buffer.write(line + b"\n")
        rows += 1
    # said at the end, so that whoever only looks at the first rows is not stopped by it
    if marks.valueless:
        _say({"error": "valueless", "name": name, "count": marks.valueless, "place": marks.first_valueless})
    else:
        _say({"rows": rows})


def _rows(sheet: python_calamine.CalamineSheet, marks: SheetMarks) -> Iterator[list[Any]]:
    """Rows from row 1, though the reader begins with the first column that has a cell; errors as their texts, which
    the reader gives as empty cells."""
    errors: dict[int, list[tuple[int, str]]] = {}
    for (number, column), text in marks.errors.items():
        errors.setdefault(number, []).append((column, text))
    left = [""] * (sheet.start[1] if sheet.start else 0)
    for number, cells in enumerate(sheet.iter_rows()):
        row = left + cells
        for column, text in errors.get(number, ()):
            if column < len(row):
                row[column] = text
        yield row


def _chosen(names: list[str], wanted: Any) -> str | None:
    if isinstance(wanted, str):
        return wanted if wanted in names else None
    if isinstance(wanted, list):
        return next((name for word in wanted for name in names if word in name), None)
    place = wanted - 1
    return names[place] if 0 <= place < len(names) else None


def _cell(value: Any) -> Any:
    """Moments, marked by their type."""
    if isinstance(value, dt.datetime):
        return {"t": value.isoformat()}
    if isinstance(value, dt.date):
        return {"d": value.isoformat()}
    if isinstance(value, dt.time):
        return {"h": value.isoformat()}
    if isinstance(value, dt.timedelta):
        return {"s": value.total_seconds()}
    return str(value)


def _say(values: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(values) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
