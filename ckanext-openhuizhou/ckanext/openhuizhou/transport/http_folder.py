"""A drop folder behind a web server: the listing page that apache, nginx, IIS or Python's server makes of a folder.

The listing says which files there are, and nothing else is taken from it: its times have minutes and its sizes are
rounded. Whether a file has changed, the server says (ETag, Last-Modified), or else the file's bytes.
"""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import lxml.etree
import lxml.html
from fsspec import AbstractFileSystem

from ckanext.openhuizhou.errors import DecodingError, SourceDenied, SourceError, SourceMalformed

from . import decoding
from .folders import MOST_DEPTH, Copied, Folder, bounded, safe_name, walk
from .http import Answer, HttpClient, shown
from .spool import SpooledFile

_MOST_LISTING_BYTES: Final = 16 << 20
_MOST_LISTINGS: Final = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """A link of a listing page: ``name`` as people read it, ``url`` as the server wrote it."""

    name: str
    url: str
    is_folder: bool


class ListedFileSystem(AbstractFileSystem):
    """The folders of a web server as a file system of fsspec. Every request goes through the guarded client."""

    protocol = ("http", "https")
    cachable = False

    def __init__(self, client: HttpClient) -> None:
        super().__init__()
        self._client = client
        self._listings = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.rstrip("/")

    def ls(self, path: str, detail: bool = True, **_options: Any) -> list[Any]:
        self._listings += 1
        if self._listings > _MOST_LISTINGS:
            raise SourceMalformed("{url} has folders without end", url=shown(path))
        url = path.rstrip("/") + "/"
        answer = self._client.get(url, size=_MOST_LISTING_BYTES)
        listed = [
            {
                "name": f"{path.rstrip('/')}/{link.name}",
                "type": "directory" if link.is_folder else "file",
                "size": None,
                "url": link.url,
            }
            for link in read_listing(answer)
        ]
        return listed if detail else [one["name"] for one in listed]

    def copy_into(self, url: str, file: SpooledFile, known: Mapping[str, Any]) -> Answer:
        """Write a file into the spool, or say that it has not changed (``Answer.not_modified``)."""
        return self._client.get(url, known=known, into=file)


class HttpFolder(Folder):
    """Only links to what lies below the listing count; sub-folders only when they are asked for."""

    def __init__(self, client: HttpClient, url: str, *, subfolders: bool) -> None:
        super().__init__()
        self._files = ListedFileSystem(client)
        self._depth = MOST_DEPTH if subfolders else 1
        self._url = url.rstrip("/")
        self._addresses: dict[str, str] = {}

    def names(self) -> list[str]:
        if not self._addresses:
            names = bounded(self._walk(), shown(self._url))
            self._addresses = {name: self._addresses[name] for name in names}
        return list(self._addresses)

    def _walk(self) -> Iterator[str]:
        for below, _folders, files in walk(self._files, self._url, self._depth):
            for name, info in files.items():
                full = f"{below}/{name}" if below else name
                self._addresses[full] = info["url"]
                yield full

    def _copy(self, name: str, file: SpooledFile, known: Mapping[str, Any]) -> Copied:
        if name not in self.names():
            raise FileNotFoundError(name)
        try:
            answer = self._files.copy_into(self._addresses[name], file, known)
        except SourceError as error:
            raise _of_the_file(name, error) from error
        if answer.not_modified:
            # a server that was asked with both decides by the ETag (RFC 9110, 13.2.2)
            return Copied("etag" if known.get("etag") else "last-modified", unchanged=True)
        return Copied(marks=answer.validators)


def _of_the_file(name: str, error: SourceError) -> Exception:
    """One file that went away, or that the server keeps to itself, is no reason to give up the others."""
    status = error.params.get("status")
    if status in (404, 410):
        return FileNotFoundError(name)
    if isinstance(error, SourceDenied) and status == 403:
        return PermissionError(name)
    if isinstance(error, SourceMalformed):
        return OSError(errno.EIO, str(error))
    return error


def read_listing(answer: Answer) -> Iterator[Listed]:
    """The files and folders directly below a listing page, as it links to them.

    Raises:
        SourceMalformed: the page is no HTML.
    """
    base = urlsplit(answer.url)
    below = unquote_to_bytes(base.path)
    for link in _page_of(answer).iterfind(".//a[@href]"):
        try:
            address = urljoin(answer.url, link.get("href", "").strip())
            target = urlsplit(address)
        except ValueError:
            continue
        path = unquote_to_bytes(target.path)
        if (target.scheme, target.netloc) != (base.scheme, base.netloc) or target.query or not path.startswith(below):
            continue
        name = _text_of(path[len(below) :].removesuffix(b"/"))
        if "/" not in name and safe_name(name) is not None:
            yield Listed(name, address.split("#")[0], path.endswith(b"/"))


def _page_of(answer: Answer) -> Any:
    try:
        encoding = decoding.detect(io.BytesIO(answer.content)).removesuffix("-sig")
        parser = lxml.html.HTMLParser(encoding=encoding)
        return lxml.html.document_fromstring(answer.content, parser=parser, base_url=answer.url)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError, ValueError, DecodingError) as error:
        raise SourceMalformed("{url} is no listing of files", url=shown(answer.url)) from error


def _text_of(name: bytes) -> str:
    """A name out of an address. Servers write the bytes of their own file system: UTF-8, or GBK on old Windows."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""
