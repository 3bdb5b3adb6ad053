"""XLSX (ECMA-376, SpreadsheetML) as a stream: sheets of data with typed cells, and one that explains the columns.

A sheet holds 1,048,576 rows; what is more goes on in further sheets with the same header. What a cell cannot hold:

- figures with more than 15 significant digits, days before March 1900 and parts of milliseconds are texts, exact;
- moments are the city's wall time, for cells have no zone;
- control characters become � (U+FFFD); a text of more than 32,767 UTF-16 units is cut and ends with “…”. The sheet that
  explains the columns says how often.

Texts are inline strings: no program takes them for formulas, and no table of all strings has to be kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache, partial
from itertools import count
from typing import Final

from ckanext.openhuizhou.domain.items import Item

from .rows import Batch, Rows
from .xml_file import REPLACEMENT, UNHELD, attribute, escaped
from .zip_stream import Part, zipped

SHEET_ROWS: Final = 1_048_576
MOST_UNITS: Final = 32_767
DATA_SHEET, DICTIONARY_SHEET = "数据", "数据项说明"
_PLAIN, _HEAD, _DATE, _MOMENT = range(4)
_FIRST_DAY: Final = date(1900, 3, 1)
_EPOCH: Final = date(1899, 12, 30)
_DIGITS: Final = 15
_LONGEST_NUMBER: Final = 300
_EMPTY: Final = "/>"
#: What a reader takes for an escaped character (ECMA-376 part 1, 22.9.2.19).
_ESCAPE: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass(slots=True)
class _Told:
    """What was changed on the way into cells."""

    replaced: int = 0
    cut: int = 0


@dataclass(slots=True)
class _Source:
    """Batches, with a way to give back what did not fit on a sheet."""

    batches: Iterator[Batch]
    left: Batch = field(default_factory=list)

    def next(self) -> Batch:
        left, self.left = self.left, []
        return left or next(self.batches, [])


def write(rows: Rows, sheet_rows: int = SHEET_ROWS) -> Iterator[bytes]:
    yield from zipped(_parts(rows, sheet_rows))


def _parts(rows: Rows, sheet_rows: int) -> Iterator[Part]:
    yield _part("[Content_Types].xml", _CONTENT_TYPES)
    yield _part("_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")]))
    yield _part("xl/styles.xml", _STYLES)
    told, source, names = _Told(), _Source(rows.batches()), []
    while not names or source.left:
        names.append(f"{DATA_SHEET} ({len(names) + 1})" if names else DATA_SHEET)
        yield Part(f"xl/worksheets/sheet{len(names)}.xml", _sheet(rows.columns, source, told, sheet_rows))
    names.append(DICTIONARY_SHEET)
    yield _part(f"xl/worksheets/sheet{len(names)}.xml", _dictionary(rows.columns, told))
    files = [("worksheet", f"worksheets/sheet{number}.xml") for number in range(1, len(names) + 1)]
    yield _part("xl/_rels/workbook.xml.rels", _relations([*files, ("styles", "styles.xml")]))
    yield _part("xl/workbook.xml", _workbook(names))


def _part(name: str, text: str) -> Part:
    return Part(name, [text.encode()])


def _sheet(columns: Sequence[Item], source: _Source, told: _Told, sheet_rows: int) -> Iterator[bytes]:
    """Takes rows until the sheet is full; the rest stays in ``source.left``."""
    cells = [_CELLS.get(item.data_type) or partial(_text, told=told) for item in columns]
    letters = [letter(number) for number in range(len(columns))]
    template = '<row r="%d">' + "".join(f'<c r="{one}%d"%s' for one in letters) + "</row>"
    yield (_SHEET_HEAD % len(columns) + _row(1, [item.name for item in columns], _HEAD)).encode()
    number = 2
    while number <= sheet_rows and (batch := source.next()):
        room = sheet_rows + 1 - number
        batch, source.left = batch[:room], batch[room:]
        typed = [
            [_EMPTY if cell is None else typed_cell(cell) for cell in column]
            for typed_cell, column in zip(cells, zip(*batch, strict=True), strict=True)
        ]
        interleaved = (part for column in typed for part in (count(number), column))
        yield "".join([template % row for row in zip(count(number), *interleaved)]).encode()
        number += len(batch)
    if not source.left:
        source.left = source.next()
    yield b"</sheetData></worksheet>"


def letter(number: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


# cells: what stands between the reference of a cell and the next cell


def _text(text: str, told: _Told, style: int = _PLAIN) -> str:
    if len(text) > MOST_UNITS // 2 and len(text.encode("utf-16-le")) > 2 * MOST_UNITS:
        told.cut += 1
        units = text.encode("utf-16-le")[: 2 * (MOST_UNITS - 1)]
        text = units.decode("utf-16-le", "ignore") + "…"
    if not text.isprintable() and UNHELD.search(text):
        told.replaced += 1
        text = UNHELD.sub(REPLACEMENT, text)
    if "_x" in text:
        text = _ESCAPE.sub("_x005F_", text)
    return _inline(text, style)


def _inline(text: str, style: int = _PLAIN) -> str:
    space = ' xml:space="preserve"' if text[:1].isspace() or text[-1:].isspace() else ""
    styled = f' s="{style}"' if style else ""
    return f'{styled} t="inlineStr"><is><t{space}>{escaped(text)}</t></is></c>'


def _number(text: str) -> str:
    """A cell's number is a double; programs show 15 digits of it."""
    if len(text) <= _DIGITS or (len(text) <= _LONGEST_NUMBER and _significant(text) <= _DIGITS):
        return f"><v>{text}</v></c>" if text[-1].isdigit() else _inline(text)
    return _inline(text)


def _significant(text: str) -> int:
    return len(text.replace(".", "").lstrip("-0").rstrip("0"))


@lru_cache(maxsize=50_000)
def _date(text: str) -> str:
    day = date.fromisoformat(text)
    return _inline(text) if day < _FIRST_DAY else f' s="{_DATE}"><v>{(day - _EPOCH).days}</v></c>'


@lru_cache(maxsize=50_000)
def _datetime(text: str) -> str:
    moment = datetime.fromisoformat(text)
    day = moment.date()
    if day < _FIRST_DAY or moment.microsecond % 1000:
        return _inline(text)
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
    return f' s="{_MOMENT}"><v>{(day - _EPOCH).days + seconds / 86400!r}</v></c>'


def _boolean(text: str) -> str:
    return f' t="b"><v>{int(text == "true")}</v></c>'


_CELLS: Final[dict[str, Callable[[str], str]]] = {
    "integer": _number,
    "number": _number,
    "currency": _number,
    "date": _date,
    "datetime": _datetime,
    "boolean": _boolean,
}


# parts that do not grow with the table


def _row(number: int, texts: Sequence[str], style: int = _PLAIN) -> str:
    told = _Told()
    cells = (f'<c r="{letter(index)}{number}"{_text(text, told, style)}' for index, text in enumerate(texts))
    return f'<row r="{number}">' + "".join(cells) + "</row>"


def _dictionary(columns: Sequence[Item], told: _Told) -> str:
    rows = [["数据项", "列名", "类型", "单位", "说明"]]
    rows += [[item.name, item.column, item.data_type, item.unit, item.description] for item in columns]
    if any(item.data_type == "datetime" for item in columns):
        rows += [[], ["时间均为北京时间（UTC+8）。 Times are Beijing time."]]
    if told.replaced:
        rows += [[], [f"{told.replaced} 个单元格含有 XLSX 无法保存的控制字符，已替换为 {REPLACEMENT}；原文见 CSV。"]]
    if told.cut:
        rows += [[], [f"{told.cut} 个单元格超过 32767 个字符，已截断；全文见 CSV。"]]
    body = "".join(_row(number, row, _PLAIN if number > 1 else _HEAD) for number, row in enumerate(rows, 1))
    return _SHEET_HEAD % len(rows[0]) + body + "</sheetData></worksheet>"


def _workbook(names: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name={attribute(name)} sheetId="{number}" r:id="rId{number}"/>' for number, name in enumerate(names, 1)
    )
    return f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets></workbook>'


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'


#: Whatever is XML and not named here is a sheet: how many there will be is not known yet.
_CONTENT_TYPES: Final = (
    f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>'
)
_STYLES: Final = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
#: The header stays when one scrolls; columns are wide enough for a date with its time.
_SHEET_HEAD: Final = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    '<sheetFormatPr defaultRowHeight="15"/><cols><col min="1" max="%d" width="20" customWidth="1"/></cols><sheetData>'
)
