"""What the reader of workbooks does not tell of an ``.xlsx``: from which day it counts, which cells are errors, and
which formulas have no value.

The reader gives an empty cell for an error and for a formula that a program wrote and nobody has calculated. Both would
be published as "no value". So the XML of the sheet is looked through for them, as a stream.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, Final

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT: Final = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_OFFICE: Final = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_CHUNK: Final = 1 << 20
#: Bytes of the parts that are read whole: names of sheets and where they are.
_MOST_BYTES: Final = 4 << 20
#: Errors of one sheet that are remembered; a sheet of more is refused for the first ones.
_MOST_ERRORS: Final = 10_000
#: A cell of nothing, or one with its content.
_CELL: Final = re.compile(rb"<(?:\w+:)?c\s[^>]*/>|<(?:\w+:)?c[\s>].*?</(?:\w+:)?c>", re.DOTALL)
_PLACE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_ERROR: Final = re.compile(rb"""<(?:\w+:)?c\s[^>]*\bt\s*=\s*["']e["'][^>]*>.*?<(?:\w+:)?v[^>]*>([^<]*)<""", re.DOTALL)
_VALUE: Final = re.compile(rb"<(?:\w+:)?(?:v|t)(?:\s[^>]*)?>[^<]")
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s/>]")
#: A text of no letters is a value too: ="" gives t="str" and an empty v.
_EMPTY_TEXT: Final = re.compile(rb"""\bt\s*=\s*["']str["'][^>]*>.*?<(?:\w+:)?v(?:\s[^>]*)?(?:/>|></)""", re.DOTALL)


@dataclass(slots=True)
class SheetMarks:
    """``errors``: the text of an error by (row, column), counted from 0. ``valueless``: formulas without a value, and
    ``first_valueless`` the place of the first one as Excel names it."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    valueless: int = 0
    first_valueless: str = ""


def counts_from_1904(stream: BinaryIO) -> bool:
    """Whether day 0 of the workbook is the first of January 1904; ``stream`` is left at its start."""
    try:
        with zipfile.ZipFile(stream) as archive:
            root = _tree(archive, "xl/workbook.xml")
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError, NotImplementedError, RuntimeError, EOFError):
        return False
    finally:
        stream.seek(0)
    if root is None:
        return False
    found = [one for space in (_MAIN, _STRICT) for one in root.iter(f"{space}workbookPr")]
    return any(one.get("date1904") in ("1", "true", "on") for one in found)


def sheet_marks(stream: BinaryIO, name: str) -> SheetMarks:
    """The marks of the sheet of that name; none when it is no ``.xlsx``. ``stream`` is left at its start."""
    marks = SheetMarks()
    try:
        with zipfile.ZipFile(stream) as archive:
            part = _part_of(archive, name)
            if part is not None:
                with archive.open(part) as sheet:
                    _look_through(sheet, marks)
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError, NotImplementedError, RuntimeError, EOFError):
        return SheetMarks()
    finally:
        stream.seek(0)
    return marks


def _tree(archive: zipfile.ZipFile, name: str) -> Any:
    if archive.getinfo(name).file_size > _MOST_BYTES:
        return None
    return etree.fromstring(archive.read(name), etree.XMLParser(resolve_entities=False, no_network=True))


def _part_of(archive: zipfile.ZipFile, name: str) -> str | None:
    book, links = _tree(archive, "xl/workbook.xml"), _tree(archive, "xl/_rels/workbook.xml.rels")
    if book is None or links is None:
        return None
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for sheet in (one for space in (_MAIN, _STRICT) for one in book.iter(f"{space}sheet")):
        if sheet.get("name") == name:
            target = targets.get(sheet.get(f"{{{_OFFICE}}}id") or sheet.get(f"{{{_STRICT_OFFICE}}}id"))
            if not target:
                return None
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return None


def _look_through(sheet: IO[bytes], marks: SheetMarks) -> None:
    for piece in _pieces(sheet):
        if b't="e"' not in piece and b"t='e'" not in piece and not _FORMULA.search(piece):
            continue
        for match in _CELL.finditer(piece):
            _look_at(match[0], marks)


def _pieces(sheet: IO[bytes]) -> Iterator[bytes]:
    """Whole cells, about a megabyte of them at a time."""
    rest = b""
    while chunk := sheet.read(_CHUNK):
        piece = rest + chunk
        end = piece.rfind(b"c>") + 2
        if end < 2:  # no cell ends here; none is longer than a chunk
            rest = piece[-_CHUNK:]
            continue
        yield piece[:end]
        rest = piece[end:]
    yield rest


def _look_at(cell: bytes, marks: SheetMarks) -> None:
    place = _PLACE.search(cell[: cell.find(b">") + 1])
    if place is None:
        return
    error = _ERROR.match(cell)
    if error is not None:
        if len(marks.errors) < _MOST_ERRORS:
            marks.errors[int(place[2]) - 1, _number(place[1]) - 1] = error[1].decode("utf-8", "replace")
    elif _FORMULA.search(cell) and not _VALUE.search(cell) and not _EMPTY_TEXT.search(cell):
        marks.valueless += 1
        marks.first_valueless = marks.first_valueless or (place[1] + place[2]).decode()


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number
