"""A drop folder on this machine, below an allowed root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import AddressRefused, RecordRefused, SourceUnreachable

from .folders import MOST_DEPTH, Copied, Folder, bounded, copy_stream, safe_name, same_marks, walk
from .guard import Guard
from .spool import SpooledFile


class LocalFolder(Folder):
    """Size and time of a file decide whether it is read again; its bytes decide whether it has changed."""

    def __init__(self, guard: Guard, path: str, *, subfolders: bool) -> None:
        super().__init__()
        self._depth = MOST_DEPTH if subfolders else 1
        self._guard = guard
        self._root = guard.folder(path)
        self._files = LocalFileSystem()

    def names(self) -> list[str]:
        if not self._root.is_dir():
            raise SourceUnreachable("The folder {path} is not there", path=str(self._root))
        return bounded(self._walk(), str(self._root))

    def _walk(self) -> Iterator[str]:
        for below, folders, files in walk(self._files, str(self._root), self._depth):
            for name in [name for name, info in folders.items() if info["islink"]]:
                del folders[name]  # a link to a folder may lead out, or in circles
            for name in files:
                full = f"{below}/{name}" if below else name
                if self._path(full) is not None:
                    yield full

    def _copy(self, name: str, file: SpooledFile, known: Mapping[str, Any]) -> Copied:
        path = self._path(name)
        if path is None:
            raise FileNotFoundError(name)
        marks = self._marks(path)
        if same_marks(known, marks):
            return Copied("listing", unchanged=True)
        with self._files.open(str(path), "rb") as stream:
            copy_stream(stream, file, marks["size"])
        if self._marks(path) != marks or file.size != marks["size"]:
            # somebody writes to it just now; half of it is no data
            raise RecordRefused([Finding("file-changed", value=name)])
        return Copied(marks=marks)

    @staticmethod
    def _marks(path: Path) -> dict[str, Any]:
        stat = path.stat()
        return {"size": stat.st_size, "time": stat.st_mtime_ns}

    def _path(self, name: str) -> Path | None:
        # a manifest names files; one that leads out of the folder, or that no file can have, is not in it
        if safe_name(name) is None:
            return None
        try:
            path = self._guard.folder(self._root / name)
            return path if self._root in path.parents and path.is_file() else None
        except (AddressRefused, OSError, ValueError):
            return None
