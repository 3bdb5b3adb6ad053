"""A sheet of a workbook as a stream of rows; the workbook itself is in the memory of a process of its own.

Rows are lists of cells as the reader gives them: text, float, bool, date, datetime, time, timedelta, "" for none.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Final

import orjson

from ckanext.openhuizhou.data.workbook_size import MOST_CELLS
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import RecordRefused

_CHILD: Final = "ckanext.openhuizhou.data.workbook_child"
_MOST_SECONDS: Final = 600
_MERGED = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class OpenSheet:
    """``merged``: ranges as ``((row, column), (row, column))``, counted from 0. ``rows`` can be read once.
    ``from_1904``: numbers that are days count from 1904."""

    name: str
    sheets: list[str]
    visible: list[str]
    merged: Sequence[_MERGED]
    from_1904: bool
    rows: Iterator[list[Any]]


@contextlib.contextmanager
def open_sheet(stream: BinaryIO, wanted: str | int | list[str] | None) -> Iterator[OpenSheet]:
    """The sheet of that name or number (from 1), the first one whose name holds one of the words, or the first.

    Raises:
        RecordRefused: it is no workbook, too large a one, or it has no such sheet; also while rows are read.
    """
    with _with_descriptor(stream) as file:
        command = [sys.executable, "-I", "-m", _CHILD, orjson.dumps(wanted).decode()]
        child = subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
        watch = threading.Timer(_MOST_SECONDS, child.kill)
        watch.daemon = True
        watch.start()
        try:
            assert child.stdout is not None, "a pipe was asked for"
            lines = child.stdout
            about = _line(lines)
            merged = [((top, left), (bottom, right)) for (top, left), (bottom, right) in about["merged"]]
            yield OpenSheet(about["name"], about["sheets"], about["visible"], merged, about["from_1904"], _rows(lines))
        finally:
            watch.cancel()
            child.kill()
            child.wait()
            assert child.stdout is not None, "a pipe was asked for"
            child.stdout.close()


def _rows(lines: IO[bytes]) -> Iterator[list[Any]]:
    count = 0
    while True:
        line = _line(lines)
        if isinstance(line, dict):
            assert line["rows"] == count, "each row is one line"
            return
        count += 1
        yield [_moment(cell) if isinstance(cell, dict) else cell for cell in line]


def _line(lines: IO[bytes]) -> Any:
    text = lines.readline()
    if not text.endswith(b"\n"):
        # out of memory, or out of time
        raise RecordRefused([Finding("workbook-too-large", params={"most": MOST_CELLS})])
    line = orjson.loads(text)
    if isinstance(line, dict) and "error" in line:
        raise RecordRefused([_finding(line)])
    return line


def _finding(line: dict[str, Any]) -> Finding:
    if line["error"] == "missing":
        return Finding("sheet-missing", value=line["reason"][:80])
    if line["error"] == "unreadable":
        return Finding("record-unreadable", params={"reason": line["reason"]})
    if line["error"] == "valueless":
        params = {"sheet": line["name"], "count": line["count"], "place": line["place"]}
        return Finding("formula-without-value", params=params)
    return Finding("workbook-too-large", params={"most": MOST_CELLS})


def _moment(cell: dict[str, Any]) -> Any:
    ((kind, value),) = cell.items()
    if kind == "t":
        return dt.datetime.fromisoformat(value)
    if kind == "d":
        return dt.date.fromisoformat(value)
    return dt.time.fromisoformat(value) if kind == "h" else dt.timedelta(seconds=value)


@contextlib.contextmanager
def _with_descriptor(stream: BinaryIO) -> Iterator[IO[bytes]]:
    """A file that can be handed to a process; what is only in memory is written to one."""
    try:
        stream.fileno()
    except OSError:
        with tempfile.TemporaryFile() as file:
            shutil.copyfileobj(stream, file)
            file.flush()
            yield file
    else:
        yield stream
