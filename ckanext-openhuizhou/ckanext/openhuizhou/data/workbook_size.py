"""How much memory a workbook would take, told before it is read.

A workbook of five kilobytes can have a cell in its farthest corner. The reader makes room for everything up to there
at once, and where there is none the process ends: no handler can stop that, and the next worker would end likewise.
"""

from __future__ import annotations

import re
import zipfile
from typing import BinaryIO, Final

#: Cells of one sheet, 32 bytes each while it is read and more for long texts; and bytes of all parts once unpacked.
MOST_CELLS: Final = 10_000_000
MOST_BYTES: Final = 1 << 29
_CHUNK: Final = 1 << 20
#: A place that begins at the end of a chunk goes on in the next one; none is longer.
_OVERLAP: Final = 64

#: Where a cell (``r="AB12"``) or a row (``r="12"``) stands.
_PLACE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Z]{0,3})([0-9]{1,7})["']""", re.IGNORECASE)


def is_too_large(stream: BinaryIO) -> bool:
    """Whether reading the workbook would take too much memory; ``stream`` is left at its start.

    Only ``.xlsx`` can: ``.xls`` ends at row 65,536 and column 256, and of an ``.ods`` that is too large the reader
    raises an error.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > MOST_BYTES:
                return True
            return any(_cells(archive, part) > MOST_CELLS for part in parts)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError):
        # no archive, or a damaged or an encrypted one: the reader says so
        return False
    finally:
        stream.seek(0)


def _cells(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """The area down to the farthest row and column that a part names. Any part: a sheet may have any file name."""
    rows = columns = 0
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            places = _PLACE.findall(tail + chunk)
            rows = max(rows, *(int(row) for _column, row in places), 0)
            columns = max(columns, *(_number(column) for column in {column for column, _row in places}), 0)
            tail = chunk[-_OVERLAP:]
    return rows * columns


def _number(column: bytes) -> int:
    """A → 1, Z → 26, AA → 27; 0 for no letters."""
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - 64
    return number
