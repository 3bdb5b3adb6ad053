"""A text file of rows, read forward: many rows at once where they are plain, one by one where they are not.

``plain_rows`` gives the next megabyte of rows as bytes of UTF-8, when every quotation mark in it stands where RFC 4180
puts it, and nothing else in it has two meanings: then any reader of CSV reads the same. ``rows`` reads with the module
``csv``, whose strict mode decides what is a row of all the rest. Both end between two rows, so that a file can be read
in turns.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from typing import BinaryIO, Final

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import TableRefused
from ckanext.openhuizhou.transport import decoding

#: Bytes that are read at a time. More make nothing faster, and the memory of a load larger.
CHUNK: Final = 1 << 20
#: A cell of more characters is a quotation mark that was never closed.
LONGEST_CELL: Final = 1 << 20
#: Bytes of one row.
LONGEST_ROW: Final = 4 << 20
# the module csv has one limit for the whole process
csv.field_size_limit(LONGEST_CELL)


class CsvFile:
    """The rows of ``stream``, which is decoded and has no byte order mark from here on."""

    def __init__(self, stream: BinaryIO, encoding: str, delimiter: str) -> None:
        self.delimiter = delimiter
        self._stream = stream
        # every accepted encoding but UTF-8 is made UTF-8 as it is read; detect() has seen that it is valid
        self._decoder = None if encoding.startswith("utf-8") else codecs.getincrementaldecoder(encoding)("strict")
        self._gb18030 = encoding == "gb18030"
        self._first = True
        self._buffer = b""
        self._at = 0
        self._ended = False

    def rows(self) -> Iterator[list[str]]:
        """The rows that follow, blank lines as empty lists.

        Raises:
            TableRefused: a quotation mark is not closed or not at its place, or a row is too long.
        """
        lines = _Lines(self)
        try:
            for row in csv.reader(lines, delimiter=self.delimiter, strict=True):
                lines.left = LONGEST_ROW
                yield row
        except csv.Error as error:
            raise TableRefused([Finding("record-unreadable", params={"reason": str(error)})]) from error

    def plain_rows(self) -> bytes | None:
        """The rows that follow, about ``CHUNK`` bytes; None when they are not plain, or there are none. They are read
        again until they are ``taken``."""
        self._fill()
        end = len(self._buffer) if self._ended else self._buffer.rfind(b"\n") + 1
        block = self._buffer[self._at : end]
        if not block or not self.delimiter.isascii() or b"\0" in block:
            return None
        block = _until_last_row(block, self._ended)
        if block.count(b"\r") != block.count(b"\r\n") or not _is_regular(block, self.delimiter.encode()):
            return None
        return block or None

    def taken(self, block: bytes) -> None:
        self._at += len(block)

    def _fill(self) -> None:
        """Have a chunk in the buffer, if there is still one."""
        if self._ended or len(self._buffer) - self._at >= CHUNK:
            return
        parts = [self._buffer[self._at :]]
        length = len(parts[0])
        while length < CHUNK and not self._ended:
            parts.append(self._read())
            length += len(parts[-1])
        self._buffer, self._at = b"".join(parts), 0

    def _read(self) -> bytes:
        chunk = self._stream.read(CHUNK)
        self._ended = not chunk
        if self._decoder is not None:
            text = self._decoder.decode(chunk, self._ended)
            chunk = (decoding.mended(text) if self._gb18030 else text).encode()
        if self._first and chunk:
            self._first = False
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
        return chunk

    def line(self) -> bytes:
        """The next line with its end, which is LF, CR or CR LF."""
        while True:
            feed = self._buffer.find(b"\n", self._at)
            turn = self._buffer.find(b"\r", self._at, feed if feed >= 0 else len(self._buffer))
            if turn >= 0 and (turn + 1 < len(self._buffer) or self._ended):
                end = turn + 2 if self._buffer[turn + 1 : turn + 2] == b"\n" else turn + 1
                break
            if feed >= 0 and turn < 0:
                end = feed + 1
                break
            if self._ended:
                end = len(self._buffer)
                break
            if len(self._buffer) - self._at > LONGEST_ROW:
                raise TableRefused([Finding("row-too-long", params={"most": LONGEST_ROW})])
            self._buffer, self._at = self._buffer[self._at :] + self._read(), 0
        line = self._buffer[self._at : end]
        self._at = end
        return line


class _Lines(Iterator[str]):
    """The lines of a file, as many at once as make a row that is not too long; ``csv`` would take any number of lines
    into memory for a quotation mark that is never closed."""

    def __init__(self, file: CsvFile) -> None:
        self.left = LONGEST_ROW
        self._file = file

    def __next__(self) -> str:
        line = self._file.line()
        if not line:
            raise StopIteration
        self.left -= len(line)
        if self.left < 0:
            raise TableRefused([Finding("row-too-long", params={"most": LONGEST_ROW})])
        return line.decode()


def _until_last_row(block: bytes, ended: bool) -> bytes:
    """Without the begin of a row at its end: of one that goes on behind the block, in a quoted cell over lines."""
    if block.count(b'"') % 2 == 0:
        return block
    last_quote = block.rfind(b'"')
    return b"" if ended else block[: block.rfind(b"\n", 0, last_quote) + 1]


def _is_regular(block: bytes, delimiter: bytes) -> bool:
    """Whether quotation marks open and close whole cells and are doubled within them, and nothing else."""
    if b'"' not in block:
        return True
    parts = block.split(b'"')
    if len(parts) % 2 == 0:
        return False
    before, after = (delimiter, b"\n"), (delimiter, b"\n", b"\r\n")
    first, last = parts[0], parts[-1]
    if (first and not first.endswith(before)) or (last and not last.startswith(after)):
        return False
    # what stands outside of quotation marks; nothing, where they are doubled
    between = set(parts[2:-1:2])
    return all(not part or (part.startswith(after) and part.endswith(before)) for part in between)
