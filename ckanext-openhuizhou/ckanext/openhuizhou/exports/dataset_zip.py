"""The ZIP of an entry: its tables as published, what their columns are, and texts that say what all of it is.

The archive is made while it is sent. Sizes and SHA-256 of its files are known before the first byte, so that the
README can name them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Final
from urllib.parse import quote

from ckanext.openhuizhou.data import datastore_tables, files, table_description
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.model import load

from .rows import CHUNK
from .zip_stream import NO_DATE, Part, zipped

#: Characters that no file system takes.
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f"*/:<>?\\|]+')
_LONGEST_NAME: Final = 80
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file of the archive; ``source`` is its bytes, or the open file that they are read from."""

    name: str
    size: int
    sha256: str
    source: bytes | BinaryIO


@dataclass(frozen=True, slots=True)
class PackedTable:
    """A table as it was published; ``loaded`` in UTC. ``files``: the CSV first."""

    title: str
    columns: tuple[Item, ...]
    rows: int
    loaded: datetime | None
    files: tuple[PackedFile, ...]


def packed_table(resource_id: str, title: str, stem: str, about: Mapping[str, Any]) -> PackedTable:
    """The published file of a table, held open, and what describes it; ``about``: see ``domain.csvw``.

    Raises:
        LookupError: the resource has no published table.
    """
    for _attempt in range(_ATTEMPTS):
        mark = datastore_tables.live_mark(resource_id)
        if mark is None:
            break
        columns = columns_of(resource_id)
        try:
            source = files.published_file(resource_id).open("rb")
        except FileNotFoundError as error:
            raise LookupError(resource_id) from error
        if datastore_tables.live_mark(resource_id) == mark:  # nothing was published in between
            known = load.load_of(resource_id)
            csv_file = PackedFile(f"{stem}.csv", mark["size_bytes"], mark["digest"], source)
            described = _described(resource_id, title, stem, about)
            loaded = known.loaded_at if known else None
            return PackedTable(title, columns, mark["rows"], loaded, (csv_file, *described))
        source.close()
    raise LookupError(resource_id)


def _described(resource_id: str, title: str, stem: str, about: Mapping[str, Any]) -> tuple[PackedFile, ...]:
    """Dictionary, Table Schema and CSVW, under the names that readers of CSV on the Web look for."""
    csvw = table_description.csvw_json(resource_id, quote(f"{stem}.csv"), about)
    return (
        packed(f"{stem}.dictionary.csv", table_description.dictionary_csv(resource_id)),
        packed(f"{stem}.tableschema.json", _json(table_description.schema_json(resource_id, title))),
        packed(f"{stem}.csv-metadata.json", _json(csvw)),
    )


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def text_file(name: str, text: str) -> PackedFile:
    """A text for people: lines as Windows' editors want them, with the mark that they look for."""
    return packed(name, ("\ufeff" + text.replace("\r\n", "\n").replace("\n", "\r\n")).encode())


def packed(name: str, content: bytes) -> PackedFile:
    return PackedFile(name, len(content), hashlib.sha256(content).hexdigest(), content)


def stems(titles: Sequence[str]) -> list[str]:
    """Names for files, of titles: without what file systems refuse, and each another."""
    found: list[str] = []
    for title in titles:
        stem = _FORBIDDEN.sub(" ", title).strip(" .")[:_LONGEST_NAME] or "data"
        number = 1
        while (name := stem if number == 1 else f"{stem} ({number})") in found:
            number += 1
        found.append(name)
    return found


def digest_of(files_: Iterable[PackedFile]) -> str:
    """Of everything in the archive; archives of equal digests hold the same."""
    lines = "\n".join(f"{file.sha256} {file.name}" for file in files_)
    return hashlib.sha256(lines.encode()).hexdigest()


def archive(files_: Sequence[PackedFile], date: datetime | None) -> Iterator[bytes]:
    """The ZIP. ``date`` (the city's time) is that of each file in it. Closes the open files at its end."""
    stamp = date.timetuple()[:6] if date and date.year >= NO_DATE[0] else NO_DATE
    try:
        yield from zipped(Part(file.name, _content(file), stamp) for file in files_)
    finally:
        close(files_)


def close(files_: Iterable[PackedFile]) -> None:
    for file in files_:
        if not isinstance(file.source, bytes):
            file.source.close()


def _content(file: PackedFile) -> Iterator[bytes]:
    if isinstance(file.source, bytes):
        yield file.source
    else:
        yield from iter(lambda: file.source.read(CHUNK), b"")  # type: ignore[union-attr]
