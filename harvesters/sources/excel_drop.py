"""Kind ``excel``: a folder of Excel workbooks as offices make them, with titles above and notes under the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import python_calamine

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import RecordRefused
from ckanext.openhuizhou.harvesters.folder_source import FOLDER_OPTIONS, FolderKind
from ckanext.openhuizhou.harvesters.kinds import Option, source_kind
from ckanext.openhuizhou.harvesters.records import Row
from ckanext.openhuizhou.harvesters.rules import lookup
from ckanext.openhuizhou.harvesters.spreadsheet import NOTE_STARTS, SUM_STARTS, Layout, Sheet, find_layout
from ckanext.openhuizhou.harvesters.workbook_size import MOST_CELLS, is_too_large


@source_kind
class ExcelDrop(FolderKind):
    """``.xlsx``, ``.xls``, ``.xlsm``, ``.ods``."""

    name = "excel"
    options = (
        *FOLDER_OPTIONS,
        Option("pattern", default="*.xls*"),
        Option("sheet", (str, int)),
        Option("sheet_field"),
        Option("header", (int, list)),
        Option("header_field"),
        Option("join", default="_"),
        Option("end", (list,), default=list(NOTE_STARTS)),
        Option("skip", (list,), default=list(SUM_STARTS)),
    )

    def describe(self, stream: BinaryIO, entry: Mapping[str, Any]) -> dict[str, Any]:
        sheet = _read(stream, self._sheet_of(entry))
        layout = find_layout(sheet, self._header_of(entry), self.config["join"])
        return {
            "sheet": sheet.name,
            "title": layout.title,
            "note": " ".join(layout.notes(sheet, self.config["end"])),
            "header": list(layout.header_rows),
            "columns": [{"name": name, "label": name, "type": ""} for name in layout.columns if name],
        }

    def rows(self, stream: BinaryIO, description: Mapping[str, Any]) -> Iterator[Row]:
        with stream:
            sheet = _read(stream, description["sheet"])
        layout: Layout = find_layout(sheet, description["header"], self.config["join"])
        yield from layout.rows(sheet, self.config["end"], self.config["skip"])

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


def _read(stream: BinaryIO, wanted: str | int | None) -> Sheet:
    if is_too_large(stream):
        raise RecordRefused([Finding("workbook-too-large", params={"most": MOST_CELLS})])
    try:
        with python_calamine.CalamineWorkbook.from_filelike(stream) as workbook:
            if isinstance(wanted, str):
                if wanted not in workbook.sheet_names:
                    raise RecordRefused([Finding("sheet-missing", value=wanted)])
                sheet = workbook.get_sheet_by_name(wanted)
            else:
                sheet = workbook.get_sheet_by_index((wanted or 1) - 1)
            return Sheet(sheet.name, sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or [])
    except python_calamine.CalamineError as error:
        raise RecordRefused([Finding("record-unreadable", params={"reason": str(error)})]) from error
