"""Workbooks out of their parts: what no library writes, and the same bytes each time."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from tests.data.tables.make_text import FIXED_TIME

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_WHEN = re.compile(r"(<dcterms:(created|modified)[^>]*>)[^<]*")


def package(parts: Mapping[str, bytes | str], stored: Sequence[str] = ()) -> bytes:
    """A ZIP archive of these parts, in this order; ``stored`` are not compressed."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            kind = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, kind, 9)
    return target.getvalue()


def settled(workbook: bytes) -> bytes:
    """The same workbook without the moment at which it was written."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    core = _WHEN.sub(r"\g<1>2026-01-01T00:00:00Z", parts["docProps/core.xml"].decode())
    return package({**parts, "docProps/core.xml": core})


def text(place: str, value: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def number(place: str, value: str, style: int = 0) -> str:
    return f'<c r="{place}" s="{style}"><v>{value}</v></c>'


def header(*names: str) -> str:
    cells = "".join(text(f"{chr(65 + column)}1", name) for column, name in enumerate(names))
    return row(1, cells)


def row(place: int, cells: str) -> str:
    return f'<row r="{place}">{cells}</row>'


def book(rows: Sequence[str], *, dimension: str = "", shared: Sequence[str] = (), properties: str = "") -> bytes:
    """A workbook of one sheet. ``shared``: the XML of its shared texts; ``properties``: attributes of the workbook."""
    types = {"/xl/workbook.xml": "sheet.main", "/xl/worksheets/sheet1.xml": "worksheet"}
    types |= {"/xl/sharedStrings.xml": "sharedStrings"} if shared else {}
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{_TYPE}.{kind}+xml"/>' for name, kind in types.items()
    )
    defaults = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    sheet = f'<worksheet xmlns="{_MAIN}">{dimension}<sheetData>{"".join(rows)}</sheetData></worksheet>'
    links = {"rId1": ("worksheet", "worksheets/sheet1.xml")}
    links |= {"rId2": ("sharedStrings", "sharedStrings.xml")} if shared else {}
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{defaults}{overrides}</Types>',
        "_rels/.rels": _relations({"rId1": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><workbookPr{properties}/>'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(links),
        "xl/worksheets/sheet1.xml": sheet,
    }
    if shared:
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{_MAIN}" count="{len(shared)}">{"".join(shared)}</sst>'
    return package({name: _HEAD + content for name, content in parts.items()})


def _relations(links: Mapping[str, tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="{name}" Type="{_RELATION}/{kind}" Target="{target}"/>'
        for name, (kind, target) in links.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def open_document(rows: Sequence[Sequence[str]]) -> bytes:
    """An OpenDocument table; each cell is ``type=value=text`` or only a text."""
    office = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{name}="{office}:{name}:1.0"' for name in ("office", "table", "text"))
    table = "".join(f"<table:table-row>{''.join(map(_ods_cell, cells))}</table:table-row>" for cells in rows)
    content = f'<office:document-content {spaces} office:version="1.2"><office:body><office:spreadsheet>'
    content += f'<table:table table:name="台账">{table}</table:table>'
    content += "</office:spreadsheet></office:body></office:document-content>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{media}"/>'
        for path, media in (("/", kind), ("content.xml", "text/xml"))
    )
    manifest = f'<manifest:manifest xmlns:manifest="{office}:manifest:1.0" manifest:version="1.2">{entries}'
    parts = {
        "mimetype": kind,
        "content.xml": _HEAD + content,
        "META-INF/manifest.xml": f"{_HEAD}{manifest}</manifest:manifest>",
    }
    return package(parts, stored=["mimetype"])


def _ods_cell(cell: str) -> str:
    kind, _, rest = cell.rpartition("=")[0].partition("=")
    shown = escape(cell.rpartition("=")[2])
    if not kind:
        return f'<table:table-cell office:value-type="string"><text:p>{shown}</text:p></table:table-cell>'
    name = {"date": "date-value", "boolean": "boolean-value"}.get(kind, "value")
    value = f'office:value-type="{kind}" office:{name}="{rest}"'
    return f"<table:table-cell {value}><text:p>{shown}</text:p></table:table-cell>"
