"""Writes tables as office workers keep them: title, filling line, merged headers, total row, notes underneath."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from common.datasets import Dataset
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

CENTRE = Alignment(horizontal="center", vertical="center")
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
TITLE = Font(name="方正小标宋简体", size=16, bold=True)


def write_table(path: Path, dataset: Dataset, rows: Iterable[Sequence[object]], modified: datetime) -> None:
    """One dataset as a workbook; ``layout`` says which habits it shows."""
    layout: dict[str, Any] = dataset.extra["layout"]
    book = Workbook()
    sheet = book.active
    if layout.get("cover"):
        sheet.title = "封面"
        sheet["B4"] = layout["title"]
        sheet["B6"] = "二〇一八年三月"
        sheet = book.create_sheet()
    sheet.title = dataset.extra["sheet"]
    _titles(sheet, layout, len(dataset.columns))
    _headers(sheet, dataset.columns)
    listed = list(rows)
    for row in listed:
        sheet.append(list(row))
    if layout.get("total"):
        figures = zip(*listed, strict=True)
        sheet.append([_total(index, list(cells)) for index, cells in enumerate(figures)])
    for note in layout.get("notes", ()):
        sheet.append([note])
        sheet.merge_cells(f"A{sheet.max_row}:{get_column_letter(len(dataset.columns))}{sheet.max_row}")
    save(book, path, modified)


def write_list(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], modified: datetime) -> None:
    """A plain list with its header in the first row."""
    book = Workbook()
    sheet = book.active
    sheet.title = "目录"
    for row in [header, *rows]:
        sheet.append(list(row))
    save(book, path, modified)


def save(book: Workbook, path: Path, modified: datetime) -> None:
    """Save with fixed times inside, so that the same data always give the same bytes."""
    book.properties.created = modified
    book.properties.creator = "演示"
    written = io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename == "docProps/core.xml":  # openpyxl writes the time of saving here
                content = _MODIFIED.sub(rb"\g<1>" + modified.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), content)
            target.writestr(zipfile.ZipInfo(member.filename, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def _titles(sheet: Worksheet, layout: dict[str, Any], width: int) -> None:
    for text in (layout["title"], layout.get("filled")):
        if text is None:
            continue
        sheet.append([text])
        sheet.merge_cells(f"A{sheet.max_row}:{get_column_letter(width)}{sheet.max_row}")
    sheet["A1"].font, sheet["A1"].alignment = TITLE, CENTRE


def _headers(sheet: Worksheet, columns: Sequence[dict[str, Any]]) -> None:
    """One row, or two when a column has an upper header (组): equal neighbours above and single columns are merged."""
    names = [column["字段名"] for column in columns]
    groups = [column.get("组") for column in columns]
    if not any(groups):
        sheet.append(names)
        return
    sheet.append([group or name for group, name in zip(groups, names, strict=True)])
    upper = sheet.max_row
    sheet.append([name if group else None for group, name in zip(groups, names, strict=True)])
    start = 0
    while start < len(columns):
        end = start
        if groups[start] is None:
            sheet.merge_cells(start_row=upper, end_row=upper + 1, start_column=start + 1, end_column=start + 1)
        else:
            while end + 1 < len(columns) and groups[end + 1] == groups[start]:
                end += 1
            # values of the upper row beside the first cell of a merge are dropped by merge_cells
            sheet.merge_cells(start_row=upper, end_row=upper, start_column=start + 1, end_column=end + 1)
        start = end + 1


def _total(index: int, cells: list[object]) -> object:
    if index == 0:
        return "合计"
    return sum(cells) if all(isinstance(cell, int) for cell in cells) else None
