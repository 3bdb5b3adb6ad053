"""How much memory a workbook would take, told before it is read.

A workbook of five kilobytes can have a cell in its farthest corner. The reader makes room for everything up to there
at once, and where there is none the process ends: no handler can stop that, and the next worker would end likewise.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import BinaryIO, Final

#: Cells of one sheet, 32 bytes each while it is read and more for long texts; and bytes of all parts once unpacked.
MOST_CELLS: Final = 10_000_000
MOST_BYTES: Final = 1 << 29
_CHUNK: Final = 1 << 20
#: A place that begins at the end of a chunk goes on in the next one; none is longer.
_OVERLAP: Final = 64

#: Where a cell (``r="AB12"``) or a row (``r="12"``) stands.
_PLACE: Final = re.compile(rb"""r(?<=\sr)\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,7})["']""")


#: What a sheet has to have for ``workbook_marks`` to find anything on it: a formula, or an error.
_MARKED: Final = re.compile(rb"""<(?:\w+:)?f[\s/>]|\st\s*=\s*["']e["']""")


@dataclass(slots=True)
class Examined:
    """``too_large``: reading it would take too much memory. ``marked``: a sheet has formulas or errors."""

    too_large: bool = False
    marked: bool = False


def examined(stream: BinaryIO) -> Examined:
    """What one look at all parts of a workbook tells; ``stream`` is left at its start.

    Only ``.xlsx`` can: ``.xls`` ends at row 65,536 and column 256, and of an ``.ods`` that is too large the reader
    raises an error.
    """
    found = Examined()
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            found.too_large = sum(part.file_size for part in parts) > MOST_BYTES
            for part in parts if not found.too_large else ():
                found.too_large = found.too_large or _cells(archive, part, found) > MOST_CELLS
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError):
        # no archive, or a damaged or an encrypted one: the reader says so
        return Examined()
    finally:
        stream.seek(0)
    return found


def _cells(archive: zipfile.ZipFile, part: zipfile.ZipInfo, found: Examined) -> int:
    """The area down to the farthest row and column that a part names. Any part: a sheet may have any file name."""
    rows = columns = 0
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            piece = tail + chunk
            found.marked = found.marked or _has_marks(piece)
            places = _PLACE.findall(piece)
            rows = max(rows, *map(int, {row for _column, row in places}), 0)
            columns = max(columns, *(_number(column) for column in {column for column, _row in places}), 0)
            tail = chunk[-_OVERLAP:]
    return rows * columns


def _has_marks(piece: bytes) -> bool:
    # a search for letters is several times quicker than one for a pattern, and most sheets have none of these
    may = b"<f" in piece or b":f" in piece or b'"e"' in piece or b"'e'" in piece
    return may and _MARKED.search(piece) is not None


def _number(column: bytes) -> int:
    """A → 1, Z → 26, AA → 27; 0 for no letters."""
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - 64
    return number
