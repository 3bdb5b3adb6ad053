"""A folder of documents that hold several records each (DCAT files, catalogue workbooks).

A document that cannot be read fails the source: nobody knows what was in it, and what is not seen would be withdrawn.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import BinaryIO

from ckanext.openhuizhou.errors import RecordRefused, SourceMalformed
from ckanext.openhuizhou.harvesters.kinds import Reading
from ckanext.openhuizhou.transport.folders import Folder


class DocumentFolder:
    """The files of a folder that fit ``pattern``, in the order of their names."""

    def __init__(self, folder: Folder, pattern: str) -> None:
        self._folder = folder
        self._pattern = pattern

    def open(self, reading: Reading) -> bool:
        """Look at each file; False when all are those of the last complete reading. Puts what they are into
        ``reading.new_state``."""
        names = self._folder.names()
        self._names = [name for name in names if fnmatch(PurePosixPath(name).name, self._pattern)]
        known = {} if reading.full else reading.state.get("files") or {}
        changed = set(known) != set(self._names) or not known
        states = {}
        for name in self._names:
            before = known.get(name) or {}
            with document(name):
                fetched = self._folder.fetch(name, before)
            states[name] = dict(fetched.state)
            changed = changed or fetched.digest != before.get("digest")
        reading.new_state["files"] = states
        return changed

    def streams(self) -> Iterator[tuple[str, BinaryIO]]:
        """Name and bytes of each file, one open at a time."""
        for name in self._names:
            with document(name):
                stream = self._folder.open(name)
            with stream:
                yield name, stream

    def close(self) -> None:
        self._folder.close()


@contextlib.contextmanager
def document(name: str) -> Iterator[None]:
    """What is wrong with a document is wrong with the source."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceMalformed("The file {name} cannot be read any more", name=name) from error
    except RecordRefused as error:
        reason = str(error.findings[0].params.get("reason") or error.findings[0].kind)
        raise SourceMalformed("The file {name} cannot be read ({reason})", name=name, reason=reason) from error
