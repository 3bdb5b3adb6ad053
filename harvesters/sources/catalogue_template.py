"""Kind ``catalogue-template``: the resource catalogue as departments fill it in, the guide's table in Excel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from ckanext.openhuizhou.data.spreadsheet import HEAD_ROWS, Sheet
from ckanext.openhuizhou.data.workbook import open_sheet
from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.errors import SourceMalformed
from ckanext.openhuizhou.harvesters import catalogue_sheet
from ckanext.openhuizhou.harvesters.catalogue_sheet import ITEM, NAME, Columns, Entry, text_of
from ckanext.openhuizhou.harvesters.document_folder import DocumentFolder, document
from ckanext.openhuizhou.harvesters.folder_source import ACCESS_OPTIONS, folder_at
from ckanext.openhuizhou.harvesters.kinds import Option, SourceKind, authorized, source_kind
from ckanext.openhuizhou.harvesters.records import Link, SourceRecord
from ckanext.openhuizhou.schemas.yaml_file import read_yaml

_MOST_SHEETS: Final = 30
#: A condition that says that there is none.
_NONE: Final = ("无", "无条件", "/", "-", "—", "——", "N/A")
_YES: Final = ("是", "1", "√", "开放")
#: The template's words for a column of the table, by what the mapping calls them.
_ITEM_FIELDS: Final = {
    "type": "数据类型",
    "length": "数据长度",
    "scale": "小数位",
    "unit": "计量单位",
    "is_key": "是否主键",
    "share_type": "信息项共享类型",
    "open_type": "信息项开放类型",
    "sensitivity": "敏感级别",
    "description": "信息项说明",
    "required": "是否必填",
    "values": "代码表",
    "minimum": "最小值",
    "maximum": "最大值",
    "pattern": "格式规则",
}

Items = dict[str, list[dict[str, Any]]]


@source_kind
class CatalogueTemplate(SourceKind):
    """One workbook has many records; they describe data and bring none."""

    name = "catalogue-template"
    title = N_("Resource catalogue in Excel")
    description = N_("The catalogue table of the national guide, one row for each information item; needs no mapping")
    options = (
        Option(
            "url",
            required=True,
            label=N_("Address of the folder"),
            help=N_("https://… a page that lists files; sftp://host/path; or a folder of this machine that is allowed"),
        ),
        *ACCESS_OPTIONS,
        Option("pattern", default="*.xls*", label=N_("Files"), help=N_("Which workbooks are catalogues")),
        Option("sheet", label=N_("Sheet of the entries"), help=N_("Found by its header by default")),
        Option(
            "items_sheet",
            label=N_("Sheet of the information items"),
            help=N_("Only when they are on a sheet of their own; found by its header by default"),
        ),
    )
    default_mapping = read_yaml(Path(__file__).with_suffix(".yaml"))["mapping"]

    def open(self) -> bool:
        self._client = authorized(self.reading.client, self.config)
        self._documents = DocumentFolder(folder_at(self.config, self._client), self.config["pattern"])
        return self._documents.open(self.reading)

    def records(self) -> Iterator[SourceRecord]:
        for name, stream in self._documents.streams():
            with document(name):
                yield from self._in_workbook(name, stream)

    def close(self) -> None:
        if (documents := getattr(self, "_documents", None)) is not None:
            documents.close()
        if (client := getattr(self, "_client", None)) is not None:
            client.close()

    def _in_workbook(self, name: str, stream: BinaryIO) -> Iterator[SourceRecord]:
        found = list(self._sheets(stream))
        main = self._chosen(found, "sheet", without_items=False)
        if main is None:
            raise SourceMalformed("The workbook {name} has no sheet with the catalogue's table", name=name)
        sheet, columns = main
        items: Items = {}
        if ITEM not in columns.has and (other := self._chosen(found, "items_sheet", without_items=True)):
            items = self._items(stream, *other)
        used: set[int] = set()
        with open_sheet(stream, sheet) as opened:
            for entry in catalogue_sheet.entries(opened.rows, opened.merged, columns):
                theirs = catalogue_sheet.items_of(entry, items)
                used.add(id(theirs))
                entry.items += theirs
                yield self._record(name, sheet, entry)
        orphans = {id(one): key for key, one in items.items() if id(one) not in used}
        for key in orphans.values():
            yield SourceRecord("", findings=(Finding("template-items-alone", value=key[:80]),))

    def _sheets(self, stream: BinaryIO) -> Iterator[tuple[str, Columns]]:
        """The sheets with a table that is known, in their order."""
        with open_sheet(stream, None) as first:
            names = first.sheets[:_MOST_SHEETS]
        for name in names:
            with open_sheet(stream, name) as sheet:
                head = Sheet(name, list(islice(sheet.rows, HEAD_ROWS)), sheet.merged)
            if columns := catalogue_sheet.find_columns(head):
                yield name, columns

    def _chosen(
        self, found: list[tuple[str, Columns]], option: str, *, without_items: bool
    ) -> tuple[str, Columns] | None:
        """The sheet that the configuration names; or of those that fit the one that says most."""
        if wanted := self.config[option]:
            return next((one for one in found if one[0] == wanted), None)
        if without_items:
            return next((one for one in found if ITEM in one[1].has), None)
        with_names = [one for one in found if NAME in one[1].has]
        return max(with_names, key=lambda one: one[1].known, default=None)

    @staticmethod
    def _items(stream: BinaryIO, sheet: str, columns: Columns) -> Items:
        with open_sheet(stream, sheet) as opened:
            return catalogue_sheet.items_by_entry(opened.rows, opened.merged, columns)

    @staticmethod
    def _record(file: str, sheet: str, entry: Entry) -> SourceRecord:
        values = {name: text_of(value) for name, value in entry.values.items()}
        payload = {
            **_plain(values),
            "文件": file,
            "工作表": sheet,
            "行": entry.rows[0],
            "columns": [_column(place, item) for place, item in enumerate(entry.items, 1)],
        }
        findings = entry.findings
        if not entry.key and not findings:
            findings = [Finding("template-name-missing", row=entry.rows[0], params={"sheet": sheet})]
        return SourceRecord(
            key=entry.key,
            payload=payload,
            data_rule="payload",
            findings=tuple(_with_sheet(finding, sheet) for finding in findings),
            links=tuple(Link(url) for url in values.get("资源链接", "").split()),
        )


def _plain(values: Mapping[str, str]) -> dict[str, str]:
    """The entry's own words, conditions that say nothing left out, and 开放类型 where the template has yes and no."""
    plain = {name: value for name, value in values.items() if not (name.endswith("条件") and value in _NONE)}
    if "开放类型" not in plain and "是否向社会开放" in plain:
        is_open = plain["是否向社会开放"] in _YES
        plain["开放类型"] = ("有条件开放" if plain.get("开放条件") else "无条件开放") if is_open else "不予开放"
    return plain


def _column(place: int, item: Mapping[str, Any]) -> dict[str, Any]:
    """A column as the mapping takes it. One without an English name is called by its place: no table hangs on it."""
    label = text_of(item.get(ITEM))
    column = text_of(item.get("英文列名")) or f"c{place}"
    others = {name: text_of(item.get(word)) for name, word in _ITEM_FIELDS.items()}
    return {"name": label or column, "label": label or column, "column": column} | {
        name: value for name, value in others.items() if value or name == "type"
    }


def _with_sheet(finding: Finding, sheet: str) -> Finding:
    params = {**finding.params, "sheet": sheet}
    return Finding(finding.kind, field=finding.field, row=finding.row, value=finding.value, params=params)
