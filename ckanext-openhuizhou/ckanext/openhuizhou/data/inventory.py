"""What lies in the DataStore and in the storage folder, whoever put it there; for comparing it with what should be."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import get_write_engine, identifier

from ckanext.openhuizhou.data import datastore_tables, files

PAGE: Final = 500
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STAGED_FILE: Final = re.compile(rf"({_ID.pattern})\.")
_CHUNK: Final = 1 << 20


def tables() -> Iterator[list[str]]:
    """Ids of resources that have a live table, in pages, in their order."""
    query = sa.text(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relname > :after AND NOT starts_with(relname, '_') ORDER BY relname COLLATE \"C\" LIMIT :page"
    )
    after = ""
    while True:
        with get_write_engine().connect() as connection:
            names = list(connection.execute(query, {"after": after, "page": PAGE}).scalars())
        if not names:
            return
        after = names[-1]
        yield [name for name in names if _ID.fullmatch(name)]


def staging_tables() -> list[str]:
    """Ids of resources that have a table which waits to be published."""
    query = sa.text(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND starts_with(relname, :prefix) ORDER BY relname"
    )
    prefix = datastore_tables.staging_name("")
    with get_write_engine().connect() as connection:
        names = connection.execute(query, {"prefix": prefix}).scalars()
        return [name.removeprefix(prefix) for name in names]


def marks_of(resource_ids: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """The mark of each live table of these resources (None: another writer made it); absent without a table."""
    query = sa.text(
        "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'public'::regnamespace AND relname = ANY(:names)"
    )
    with get_write_engine().connect() as connection:
        rows = connection.execute(query, {"names": list(resource_ids)}).all()
    return {name: datastore_tables.parsed_mark(comment) for name, comment in rows}


def count_rows(resource_id: str) -> int:
    """How many rows the live table has."""
    with get_write_engine().connect() as connection:
        query = f"SELECT count(*) FROM {identifier(resource_id)}"  # noqa: S608  quoted by identifier()
        return connection.exec_driver_sql(query).scalar_one()


def forget_mark(resource_id: str) -> None:
    """The live table, if there is one, is no longer known to be what was published: the next load writes it anew."""
    with get_write_engine().begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": resource_id})
        if connection.execute(sa.text("SELECT to_regclass(:name)"), {"name": identifier(resource_id)}).scalar():
            connection.exec_driver_sql(f"COMMENT ON TABLE {identifier(resource_id)} IS NULL")


def size_of(resource_id: str) -> int | None:
    """Bytes of the published file; None when there is none."""
    try:
        return files.published_file(resource_id).stat().st_size
    except FileNotFoundError:
        return None


def digest_of(resource_id: str) -> str:
    """SHA-256 of the published file."""
    summary = hashlib.sha256()
    with files.published_file(resource_id).open("rb") as source:
        while chunk := source.read(_CHUNK):
            summary.update(chunk)
    return summary.hexdigest()


def published_files(older_than: float) -> Iterator[list[str]]:
    """Ids of resources that have a file in the storage folder for at least so many seconds, in pages."""
    # three levels: the first three letters of the id, the next three, the rest
    root = files.published_file("0" * 36).parents[2]
    page: list[str] = []
    for path in _files_below(root, depth=2):
        resource_id = "".join(path.relative_to(root).parts)
        if _ID.fullmatch(resource_id) and _age(path) >= older_than:
            page.append(resource_id)
        if len(page) >= PAGE:
            yield page
            page = []
    if page:
        yield page


def waiting_files(older_than: float) -> list[tuple[str, Path]]:
    """Resource and path of each file that has waited to be published for at least so many seconds."""
    found = []
    for path in sorted(files.staging_dir().iterdir()):
        named = _STAGED_FILE.match(path.name)
        if named and path.is_file() and _age(path) >= older_than:
            found.append((named[1], path))
    return found


def _files_below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if depth and entry.is_dir(follow_symlinks=False):
            yield from _files_below(Path(entry.path), depth - 1)
        elif not depth and entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return -1.0
