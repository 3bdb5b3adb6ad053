"""Drop folders: a local folder, the listing page of a web server, an SFTP server. All are read, never written.

Known marks are handed in and out, so that a file that has not changed is neither read nor sent again. Below each of
them is a file system of fsspec; what is here is what fsspec does not promise: names that cannot lead out of the folder,
rows that are the bytes that were hashed, bounds on everything.
"""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, TypeVar, cast

from fsspec import AbstractFileSystem

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import RecordRefused, SourceMalformed, SourceUnreachable

from .spool import Spool, SpooledFile

Result = TypeVar("Result")

#: A folder of more files, or deeper ones, is not a drop folder.
MOST_NAMES: Final = 20_000
MOST_DEPTH: Final = 5
_CHUNK: Final = 1 << 18
#: So many files in a row that the server does not answer for: the server is down.
_GIVE_UP_AFTER: Final = 3


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as it is now. ``digest`` is the SHA-256 of its bytes; ``state`` goes back in at the next run.

    ``unchanged``: the digest was taken over because the folder says that the file is the one of before; ``open``
    reads it when it is needed all the same. ``rule``: what said so (``domain.change_rules``).
    """

    name: str
    digest: str
    state: Mapping[str, Any]
    unchanged: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Copied:
    """What a folder did when it was asked for a file: ``unchanged`` by ``rule``, or written into the spool.

    ``marks`` tell at the next run whether the file is still the same.
    """

    rule: str = "content"
    unchanged: bool = False
    marks: Mapping[str, Any] = field(default_factory=dict)


class Folder(ABC):
    """Files by name; sub-folders are names with slashes. Close it after use.

    Errors of one file are a ``FileNotFoundError`` or a ``RecordRefused`` with its finding; errors of the folder as a
    whole are a ``SourceError``.
    """

    def __init__(self) -> None:
        self._spool = Spool()
        self._digests: dict[str, str] = {}
        self._silent = 0

    @abstractmethod
    def names(self) -> list[str]:
        """Names of the files, in order.

        Raises:
            SourceUnreachable: the folder is not there.
            SourceMalformed: it has too many files.
        """

    def fetch(self, name: str, known: Mapping[str, Any]) -> Fetched:
        """Find out whether a file has changed; ``known`` is the ``state`` of before."""
        digest = known.get("digest")
        usable = known if isinstance(digest, str) else {}
        file = SpooledFile(name)
        try:
            copied = self._asked(name, lambda: self._copy(name, file, usable))
        except BaseException:
            file.close()
            raise
        if copied.unchanged:
            file.close()
            self._digests[name] = str(digest)
            return Fetched(name, str(digest), known, unchanged=True, rule=copied.rule)
        self._spool.keep(file)
        self._digests[name] = file.digest
        return Fetched(name, file.digest, {**copied.marks, "digest": file.digest}, unchanged=False, rule=copied.rule)

    def open(self, name: str) -> BinaryIO:
        """The bytes of a file, seekable. After ``fetch`` they are the bytes of its digest, or the file is refused."""
        file = self._spool.get(name)
        if file is not None:
            return file.open()
        expected = self._digests.get(name)
        if self.fetch(name, {}).digest != expected and expected is not None:
            self._digests[name] = expected
            self._spool.drop(name)
            raise RecordRefused([Finding("file-changed", value=name)])
        file = self._spool.get(name)
        assert file is not None, "what was fetched without marks is in the spool"
        return file.open()

    def close(self) -> None:
        """Let go of connections and of what was kept."""
        self._spool.close()

    @abstractmethod
    def _copy(self, name: str, file: SpooledFile, known: Mapping[str, Any]) -> Copied:
        """Write the bytes of a file into ``file``, unless ``known`` marks say that it is the one of before."""

    def _asked(self, name: str, ask: Callable[[], Result]) -> Result:
        """What the folder says of one file; errors of the file alone become its finding.

        A server that does not answer for one file may answer for the next one; after a few in a row it is down.
        """
        try:
            result = ask()
        except SourceUnreachable as error:
            self._silent += 1
            if self._silent >= _GIVE_UP_AFTER:
                raise
            raise _refused(name, str(error)) from error
        except FileNotFoundError:
            raise
        except PermissionError as error:
            raise RecordRefused([Finding("file-denied", value=name)]) from error
        except OSError as error:
            raise _refused(name, error.strerror or type(error).__name__) from error
        self._silent = 0
        return result


def _refused(name: str, reason: str) -> RecordRefused:
    return RecordRefused([Finding("record-unreadable", value=name, params={"reason": reason})])


def safe_name(name: str) -> str | None:
    """``name`` when it is that of a file below the folder; None when it leads out of it or no file can have it."""
    if not name or "\\" in name or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return None
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or len(parts) > MOST_DEPTH:
        return None
    return name


def bounded(names: Iterable[str], folder: str) -> list[str]:
    """The safe ones of ``names``, each once, in order.

    Raises:
        SourceMalformed: there are more than anybody drops into a folder.
    """
    found: set[str] = set()
    for name in names:
        if safe_name(name) is not None:
            found.add(name)
        if len(found) > MOST_NAMES:
            raise SourceMalformed("{folder} has more than {most} files", folder=folder, most=MOST_NAMES)
    return sorted(found)


def walk(files: AbstractFileSystem, root: str, depth: int) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Folders from the top: where each stands below ``root``, the folders in it (take out what is not to be walked),
    and its files, by name."""
    for path, folders, found in files.walk(root, maxdepth=depth, topdown=True, detail=True, on_error="raise"):
        yield str(path)[len(root) :].strip("/"), cast("dict[str, Any]", folders), cast("dict[str, Any]", found)


def same_marks(known: Mapping[str, Any], marks: Mapping[str, Any]) -> bool:
    """Whether a file has the size and time of before."""
    return bool(known.get("digest")) and all(known.get(key) == value for key, value in marks.items())


def copy_stream(stream: Any, file: SpooledFile, size: int) -> None:
    """Copy a stream into the spool; not much more than ``size`` bytes, when somebody goes on writing to it."""
    while file.size <= size and (piece := stream.read(_CHUNK)):
        file.write(piece)
