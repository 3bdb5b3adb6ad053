"""Whole tables as files, made once per load and format, by one process at a time.

A file is written beside its place and moved in by a rename; its row in the database tells size and SHA-256. Whoever
reads an old file reads it to its end.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ckan.plugins.toolkit as tk
from ckan.lib import jobs
from redis.exceptions import RedisError

from ckanext.openhuizhou.data import datastore_tables, export_files, files
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.data.table_query import parse_query
from ckanext.openhuizhou.errors import OpenHuizhouError
from ckanext.openhuizhou.model import table_export
from ckanext.openhuizhou.model.database import exclusive

from .formats import FORMATS, Format
from .rows import rows_of

log = logging.getLogger(__name__)

#: A table of so many cells is made into a file while its reader waits (about a second); of more, in the background.
AT_ONCE_CELLS: Final = 500_000
#: Files of other loads are kept this long: somebody may be resuming a download.
_OLD_AFTER: Final = 24 * 3600
_JOB_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole table as a file. ``sha256`` in hexadecimal."""

    format: Format
    path: Path
    rows: int
    size_bytes: int
    sha256: str


def whole(resource_id: str, mark: dict[str, Any], format_: Format) -> Whole | None:
    """The file of the table with this mark; None when it is not made yet."""
    return wholes(resource_id, mark, [format_]).get(format_.name)


def wholes(resource_id: str, mark: dict[str, Any], formats: Iterable[Format] = FORMATS.values()) -> dict[str, Whole]:
    """Those that are there, by format. CSV is the published file itself."""
    key = export_files.table_key(mark)
    made = table_export.exports_of(resource_id)
    found = {}
    for format_ in formats:
        if format_.name == "csv":
            one = Whole(format_, files.published_file(resource_id), mark["rows"], mark["size_bytes"], mark["digest"])
        elif (known := made.get(format_.name)) is not None and known.digest == key:
            path = export_files.file_of(resource_id, key, format_.suffix)
            one = Whole(format_, path, known.rows, known.size_bytes, known.sha256)
        else:
            continue
        if one.path.exists():
            found[format_.name] = one
    return found


def make(resource_id: str, format_name: str) -> Whole | None:
    """Make the file, unless it is there. None when there is no table, or the format does not fit it.

    Raises:
        ReadTimedOut: the table is too large to be read.
    """
    format_ = FORMATS[format_name]
    with exclusive(f"export {resource_id} {format_name}"):
        try:
            columns = columns_of(resource_id)
            mark = datastore_tables.live_mark(resource_id)
            if mark is None or not format_.fits(columns):
                return None
            return whole(resource_id, mark, format_) or _write(resource_id, format_)
        except LookupError:
            log.info("Table %s was changed while it was made into %s", resource_id, format_name)
            return None


def _write(resource_id: str, format_: Format) -> Whole | None:
    folder = export_files.folder_of(resource_id)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{uuid.uuid4().hex}.part"
    digest, size = hashlib.sha256(), 0
    try:
        with rows_of(parse_query(resource_id, columns_of(resource_id), {})) as rows, partial.open("wb") as file:
            if rows.mark is None:
                return None
            for chunk in format_.write(rows):
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        key = export_files.table_key(rows.mark)
        path = export_files.file_of(resource_id, key, format_.suffix)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    made = Whole(format_, path, rows.mark["rows"], size, digest.hexdigest())
    table_export.record(resource_id, format_.name, digest=key, rows=made.rows, size_bytes=size, sha256=made.sha256)
    return made


def ask_for(resource_id: str, format_name: str) -> None:
    """A worker is to make the file when it has time. Asking again is harmless; a lost request is asked again."""
    job_id = f"openhuizhou-export-{resource_id}-{format_name}"
    try:
        queue = jobs.get_queue()
        if job_id in queue.get_job_ids():
            return
        tk.enqueue_job(
            make, [resource_id, format_name], title=f"export {format_name}",
            rq_kwargs={"timeout": _JOB_SECONDS, "job_id": job_id},
        )  # fmt: skip
    except (RedisError, OSError) as error:
        log.warning("No worker could be asked for an export: %s", type(error).__name__)


def refresh(resource_id: str) -> None:
    """After a load: formats that were asked for before are made of the new table, in place of their old files."""
    for format_name in table_export.exports_of(resource_id):
        if format_name not in FORMATS or make(resource_id, format_name) is None:
            table_export.forget(resource_id, format_name)
    remove_old(resource_id)


def remove_old(resource_id: str, older_than: float = _OLD_AFTER) -> int:
    """Delete files that are not of the live table, once nobody reads them any more. Returns how many."""
    mark = datastore_tables.live_mark(resource_id)
    if mark is None:
        export_files.forget(resource_id)
        return 0
    key, now, removed = export_files.table_key(mark), time.time(), 0
    for path in export_files.files_of(resource_id):
        if not path.name.startswith(key) and now - path.stat().st_mtime > older_than:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def prune() -> int:
    """``remove_old`` for every resource; the daily clean-up calls it. Returns how many files went."""
    removed = 0
    for resource_id in list(export_files.resources()):
        try:
            removed += remove_old(resource_id)
        except (OSError, OpenHuizhouError) as error:
            log.warning("Old exports of %s could not be deleted: %s", resource_id, type(error).__name__)
    return removed
