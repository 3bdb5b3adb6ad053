"""Kind ``excel``: a folder of Excel workbooks as offices make them, with titles above and notes under the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any, BinaryIO

from ckanext.openhuizhou.data.spreadsheet import HEAD_ROWS, NOTE_STARTS, SUM_STARTS, Layout, Sheet, find_layout
from ckanext.openhuizhou.data.workbook import OpenSheet, open_sheet
from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.errors import RecordRefused
from ckanext.openhuizhou.harvesters.folder_source import FOLDER_OPTIONS, MOST_COLUMNS, FolderKind
from ckanext.openhuizhou.harvesters.kinds import Option, source_kind
from ckanext.openhuizhou.harvesters.records import Row
from ckanext.openhuizhou.harvesters.rules import lookup


@source_kind
class ExcelDrop(FolderKind):
    """``.xlsx``, ``.xls``, ``.xlsm``, ``.ods``."""

    name = "excel"
    title = N_("Folder of Excel workbooks")
    description = N_("Workbooks as offices make them: titles above the table, merged headers, sums and notes below")
    options = (
        *FOLDER_OPTIONS,
        Option("pattern", default="*.xls*", label=N_("Files"), help=N_("Without a list: which files are data sets")),
        Option("sheet", (str, int), label=N_("Sheet"), help=N_("Name or number; the first one by default")),
        Option("sheet_field", label=N_("Field with the sheet"), help=N_("A column of the list"), rare=True),
        Option(
            "header",
            (int, list),
            label=N_("Header rows"),
            help=N_("Numbers as Excel counts rows; found out by default"),
        ),
        Option("header_field", label=N_("Field with the header rows"), help=N_("A column of the list"), rare=True),
        Option(
            "join",
            default="_",
            label=N_("Between two header rows"),
            help=N_("What stands between the words of an upper and a lower header"),
            rare=True,
        ),
        Option(
            "end",
            (list,),
            default=list(NOTE_STARTS),
            label=N_("Beginnings of notes"),
            help=N_("The table ends where a first cell begins with one of these"),
            rare=True,
        ),
        Option(
            "skip",
            (list,),
            default=list(SUM_STARTS),
            label=N_("Beginnings of sums"),
            help=N_("Rows whose first cell begins with one of these are left out"),
            rare=True,
        ),
    )

    def describe(self, stream: BinaryIO, entry: Mapping[str, Any]) -> dict[str, Any]:
        ends = self.config["end"]
        with open_sheet(stream, self._sheet_of(entry)) as sheet:
            rows, layout = self._laid_out(sheet, self._header_of(entry))
            notes = layout.notes(rows, sheet.merged, ends)
        return {
            "sheet": sheet.name,
            "title": layout.title,
            "note": " ".join(notes),
            "header": list(layout.header_rows),
            "columns": [{"name": name, "label": name, "type": ""} for name in layout.columns if name],
        }

    def rows(self, stream: BinaryIO, description: Mapping[str, Any]) -> Iterator[Row]:
        with stream, open_sheet(stream, description["sheet"]) as sheet:
            rows, layout = self._laid_out(sheet, description["header"])
            yield from layout.rows(rows, sheet.merged, self.config["end"], self.config["skip"])

    def _laid_out(self, sheet: OpenSheet, header: list[int] | None) -> tuple[Iterator[list[Any]], Layout]:
        """All rows of the sheet, and how it is laid out."""
        head = list(islice(sheet.rows, HEAD_ROWS))
        layout = find_layout(Sheet(sheet.name, head, sheet.merged), header, self.config["join"])
        if layout.width > MOST_COLUMNS:
            raise RecordRefused([Finding("columns-too-many", params={"count": layout.width, "most": MOST_COLUMNS})])
        return chain(head, sheet.rows), layout

    def _sheet_of(self, entry: Mapping[str, Any]) -> str | int | None:
        named = lookup(entry, self.config["sheet_field"]) if self.config["sheet_field"] else None
        return named if named not in (None, "") else self.config["sheet"]

    def _header_of(self, entry: Mapping[str, Any]) -> list[int] | None:
        declared = lookup(entry, self.config["header_field"]) if self.config["header_field"] else None
        declared = declared if declared not in (None, "") else self.config["header"]
        if declared is None:
            return None
        if isinstance(declared, str):
            declared = declared.replace("，", ",").replace("-", ",").split(",")
        rows = declared if isinstance(declared, list) else [declared]
        try:
            return [int(float(row)) for row in rows]
        except (TypeError, ValueError) as error:
            params = {"form": "integer"}
            raise RecordRefused([Finding("value-form", field="header", value=str(declared), params=params)]) from error
