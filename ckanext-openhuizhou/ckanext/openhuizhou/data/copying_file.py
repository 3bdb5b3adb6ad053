"""The CSV file of a table while it is written; a large one goes into the database meanwhile.

COPY takes about as long as typing, on another core: one after the other a load would take the sum of both. A small file
is copied when it is finished, so that an unchanged table costs the database nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from typing_extensions import Buffer

from ckanext.openhuizhou.data.datastore_tables import MarkWhenRead, Readable

#: Bytes from which on a table is copied while it is written.
LARGE: Final = 4 << 20
#: Fills the staging table from a file, and marks it; returns the number of rows.
Copy = Callable[[Readable, MarkWhenRead], int]


class _GivenUpError(Exception):
    """The load was refused or broke off: what was copied is rolled back."""


class CopyingFile:
    """Written by one thread. ``finish`` or ``give_up`` ends it; nothing of it may be used before ``finish`` returns."""

    def __init__(self, path: Path, copy: Copy) -> None:
        self._path = path
        self._copy = copy
        self._file = path.open("wb", buffering=0)
        self._news = threading.Condition()
        self._written = 0
        self._mark: Mapping[str, Any] | None = None
        self._complete = False
        self._given_up = False
        self._thread: threading.Thread | None = None
        self._rows = 0
        self._error: BaseException | None = None

    def write(self, chunk: Buffer, /) -> int:
        if self._error is not None:  # the database wants no more of it: why read on
            raise self._error
        left = memoryview(chunk).cast("B")
        length = len(left)
        while left:
            left = left[self._file.write(left) :]
        with self._news:
            self._written += length
            self._news.notify_all()
        if self._thread is None and self._written >= LARGE:
            self._thread = threading.Thread(target=self._run, name="copy", daemon=True)
            self._thread.start()
        return length

    def finish(self, mark: Mapping[str, Any]) -> int:
        """The file is complete: copy what is left of it, and mark the table. Returns the number of rows.

        Raises:
            whatever the database says of it.
        """
        self._file.close()
        with self._news:
            self._mark, self._complete = mark, True
            self._news.notify_all()
        if self._thread is None:
            self._run()
        else:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._rows

    def give_up(self) -> None:
        """Roll back what was copied, and wait for that. Idempotent; after ``finish`` it does nothing."""
        with self._news:
            self._given_up = not self._complete
            self._complete = True
            self._news.notify_all()
        self._file.close()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            with self._path.open("rb", buffering=0) as source:
                self._rows = self._copy(_Following(self, source), self._wait_for_mark)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that writes
            self._error = error

    def _wait_for_mark(self) -> Mapping[str, Any]:
        with self._news:
            self._news.wait_for(lambda: self._complete)
        if self._mark is None:
            raise _GivenUpError
        return self._mark

    def more_than(self, place: int) -> int:
        """How many bytes there are behind ``place``; waits for the first of them, or the end."""
        with self._news:
            self._news.wait_for(lambda: self._complete or self._written > place)
            if self._given_up:
                raise _GivenUpError
            return self._written - place


class _Following:
    """Reads a file that is still written, to its end."""

    def __init__(self, file: CopyingFile, source: Readable) -> None:
        self._file = file
        self._source = source
        self._place = 0

    def read(self, size: int, /) -> bytes:
        there = self._file.more_than(self._place)
        chunk = self._source.read(min(size, there)) if there else b""
        self._place += len(chunk)
        return chunk
