"""Files on their way in: hashed while they arrive, kept on the disk and not in memory, gone with the process.

The files have no name, so that nothing is left behind by a process that was killed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import tempfile
from collections import OrderedDict
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO, Final

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import RecordRefused, StorageFull

_MIB: Final = 1 << 20
#: Most bytes of one file, by the end of its name. A workbook is unpacked and an RDF file becomes a graph: both take
#: many times their size in memory, a CSV file none.
MOST_BYTES: Final = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), 1024 * _MIB),
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods"), 64 * _MIB),
    **dict.fromkeys((".rdf", ".xml", ".ttl", ".nt", ".jsonld", ".json"), 32 * _MIB),
}
MOST_BYTES_OTHERWISE: Final = 256 * _MIB
#: So much is kept at once; what was read longest ago goes first and is fetched again when it is needed.
KEPT_BYTES: Final = 2048 * _MIB
KEPT_FILES: Final = 200
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def most_bytes(name: str) -> int:
    """How large a file of this name may be."""
    return MOST_BYTES.get(PurePosixPath(name).suffix.lower(), MOST_BYTES_OTHERWISE)


class SpooledFile:
    """One file that arrives. ``write`` it once, ``open`` it as often as needed; each reader has a place of its own.

    Raises:
        RecordRefused: the file is larger than its kind may be.
        StorageFull: no room on the disk.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.most = most_bytes(name)
        self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by close()
        self.restart()

    def restart(self) -> None:
        """Begin anew: what arrived so far was broken off."""
        self._file.seek(0)
        self._file.truncate()
        self.size = 0
        self._sha256 = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self.most:
            raise RecordRefused([Finding("file-too-large", value=self.name, params={"most": self.most // _MIB})])
        self._sha256.update(chunk)
        view = memoryview(chunk)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull("No room for {name}", name=self.name) from error
            raise

    @property
    def digest(self) -> str:
        """SHA-256 of what arrived, in hexadecimal."""
        return self._sha256.hexdigest()

    def open(self) -> BinaryIO:
        """A seekable reader; it stays readable after ``close``."""
        return io.BufferedReader(_Reader(os.dup(self._file.fileno())), buffer_size=1 << 16)

    def close(self) -> None:
        self._file.close()


class _Reader(io.RawIOBase):
    """Reads a file from a place of its own: copies of a descriptor share theirs."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def readinto(self, buffer: Any) -> int:
        count = os.preadv(self._descriptor, [buffer], self._place)
        self._place += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: os.fstat(self._descriptor).st_size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._place = base + offset
        return self._place

    def close(self) -> None:
        if not self.closed:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        super().close()


class Spool:
    """The files that one reading keeps; within bounds."""

    def __init__(self, kept_bytes: int = KEPT_BYTES, kept_files: int = KEPT_FILES) -> None:
        self._files: OrderedDict[str, SpooledFile] = OrderedDict()
        self._kept_bytes = kept_bytes
        self._kept_files = kept_files

    def keep(self, file: SpooledFile) -> None:
        """Keep a file that has arrived whole, under its name."""
        self.drop(file.name)
        self._files[file.name] = file
        while len(self._files) > 1 and (
            len(self._files) > self._kept_files or sum(one.size for one in self._files.values()) > self._kept_bytes
        ):
            self.drop(next(iter(self._files)))

    def get(self, name: str) -> SpooledFile | None:
        file = self._files.get(name)
        if file is not None:
            self._files.move_to_end(name)
        return file

    def drop(self, name: str) -> None:
        if (file := self._files.pop(name, None)) is not None:
            file.close()

    def close(self) -> None:
        for name in list(self._files):
            self.drop(name)
