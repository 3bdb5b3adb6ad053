"""Drop folders: a local folder, or the listing page of a web server. Both are read, never written.

Known validators are handed in and out, so that a file that has not changed is neither read nor sent again.
"""

from __future__ import annotations

import hashlib
import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urljoin, urlsplit

import lxml.etree
import lxml.html

from ckanext.openhuizhou.errors import AddressRefused, SourceMalformed, SourceUnreachable

from .guard import Guard
from .http import Answer, HttpClient

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as it is now. ``digest`` is the SHA-256 of its bytes; ``state`` goes back in at the next run.

    ``unchanged``: the digest was taken over because the folder says that the file is the one of before; ``open``
    reads it when it is needed all the same.
    """

    name: str
    digest: str
    state: Mapping[str, Any]
    unchanged: bool


class Folder(ABC):
    """Files by name; sub-folders are names with slashes."""

    @abstractmethod
    def names(self) -> list[str]:
        """Names of the files, in order.

        Raises:
            SourceUnreachable: the folder is not there.
        """

    @abstractmethod
    def fetch(self, name: str, known: Mapping[str, Any]) -> Fetched:
        """Find out whether a file has changed; ``known`` is the ``state`` of before.

        Raises:
            FileNotFoundError: there is no such file.
        """

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """The bytes of a file, seekable."""


class LocalFolder(Folder):
    """Size and time of a file decide whether it is read again; its bytes decide whether it has changed."""

    def __init__(self, guard: Guard, path: str) -> None:
        self._guard = guard
        self._root = guard.folder(path)

    def names(self) -> list[str]:
        if not self._root.is_dir():
            raise SourceUnreachable("The folder {path} is not there", path=str(self._root))
        return sorted(p.relative_to(self._root).as_posix() for p in self._root.rglob("*") if p.is_file())

    def fetch(self, name: str, known: Mapping[str, Any]) -> Fetched:
        path = self._path(name)
        stat = path.stat()
        mark = {"size": stat.st_size, "time": stat.st_mtime_ns}
        if known.get("digest") and all(known.get(key) == value for key, value in mark.items()):
            return Fetched(name, known["digest"], known, unchanged=True)
        sha256 = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                sha256.update(chunk)
        return Fetched(name, sha256.hexdigest(), {**mark, "digest": sha256.hexdigest()}, unchanged=False)

    def open(self, name: str) -> BinaryIO:
        return self._path(name).open("rb")

    def _path(self, name: str) -> Path:
        # a manifest names files; one that leads out of the folder, or that no file can have, is not in it
        try:
            path = self._guard.folder(self._root / PurePosixPath(name))
            found = self._root in path.parents and path.is_file()
        except (AddressRefused, OSError, ValueError) as error:
            raise FileNotFoundError(name) from error
        if not found:
            raise FileNotFoundError(name)
        return path


class HttpFolder(Folder):
    """A listing page as web servers make them. Only links to files directly below it count."""

    def __init__(self, client: HttpClient, url: str) -> None:
        self._client = client
        self._url = url if url.endswith("/") else url + "/"
        self._names: list[str] | None = None
        self._content: tuple[str, bytes] | None = None

    def names(self) -> list[str]:
        if self._names is None:
            self._names = self._list()
        return self._names

    def fetch(self, name: str, known: Mapping[str, Any]) -> Fetched:
        if name not in self.names():
            raise FileNotFoundError(name)
        usable = known if known.get("digest") else {}
        answer = self._get(name, usable)
        if answer.not_modified:
            return Fetched(name, known["digest"], known, unchanged=True)
        self._content = (name, answer.content)
        digest = hashlib.sha256(answer.content).hexdigest()
        return Fetched(name, digest, {**answer.validators, "digest": digest}, unchanged=False)

    def open(self, name: str) -> BinaryIO:
        if self._content is not None and self._content[0] == name:
            return io.BytesIO(self._content[1])
        return io.BytesIO(self._get(name).content)

    def _get(self, name: str, known: Mapping[str, Any] | None = None) -> Answer:
        try:
            return self._client.get(self._address(name), known=known)
        except SourceMalformed as error:
            # one file that went away since the listing was made is no reason to give up the others
            if error.params.get("status") in (404, 410):
                raise FileNotFoundError(name) from error
            raise

    def _address(self, name: str) -> str:
        return urljoin(self._url, quote(name, safe=""))

    def _list(self) -> list[str]:
        answer = self._client.get(self._url)
        try:
            page = lxml.html.document_fromstring(answer.content, base_url=answer.url)
        except (lxml.etree.ParserError, ValueError) as error:
            raise SourceMalformed("{url} is no listing of files", url=self._url) from error
        base = urlsplit(answer.url)
        names = []
        for link in page.iterfind(".//a[@href]"):
            target = urlsplit(urljoin(answer.url, link.get("href", "")))
            if target.netloc != base.netloc or target.query or not target.path.startswith(base.path):
                continue
            name = unquote(target.path[len(base.path) :])
            if name and "/" not in name:
                names.append(name)
        return sorted(dict.fromkeys(names))


def open_folder(url: str, client: HttpClient) -> Folder:
    """The folder at an address: ``http(s)://…`` a listing, anything else a local path below an allowed root."""
    if url.startswith(("http://", "https://")):
        return HttpFolder(client, url)
    return LocalFolder(client.guard, url.removeprefix("file://"))
