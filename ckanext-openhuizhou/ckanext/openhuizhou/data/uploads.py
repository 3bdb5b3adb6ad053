"""Files that people brought for loads: kept as they came, under the id of their job, and shown to nobody who visits.

They lie beside the storage, where CKAN's download route does not look.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.errors import ConfigurationError, UploadTooLarge

#: What the reader of files takes, by the name's end; what a file really is, its content says (``data.table_file``).
SUFFIXES: Final = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods")
_CHUNK: Final = 1 << 20
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_table(file_name: str | None) -> bool:
    """Whether a file of this name is taken for a table."""
    return PurePosixPath((file_name or "").lower()).suffix in SUFFIXES


def folder() -> Path:
    path = tk.config["ckan.storage_path"]
    if not path:
        raise ConfigurationError("Option {option} is not set", option="ckan.storage_path")
    found = Path(path) / "openhuizhou" / "uploads"
    found.mkdir(parents=True, exist_ok=True)
    return found


def kept_file(job_id: str) -> Path:
    """Where the file of a job lies, if it has one."""
    return folder() / job_id


def keep(job_id: str, source: IO[bytes], most: int) -> int:
    """Keep what ``source`` holds as the file of a job; its bytes. It is on the disk when this returns.

    Raises:
        UploadTooLarge: it has more than ``most`` bytes; nothing is kept.
    """
    target, size = kept_file(job_id), 0
    try:
        with target.open("wb") as kept:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise UploadTooLarge("The file is larger than {most} bytes", most=most)
                kept.write(chunk)
            kept.flush()
            os.fsync(kept.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return size


def keep_again(job_id: str, path: Path) -> int:
    """Keep a file that lies in the storage already as the file of a job, without copying it; its bytes."""
    target = kept_file(job_id)
    try:
        target.hardlink_to(path)
    except OSError:
        # a storage without hard links
        shutil.copyfile(path, target)
    return target.stat().st_size


def remove(job_id: str) -> None:
    """Delete the file of a job, if there is one."""
    kept_file(job_id).unlink(missing_ok=True)


def all_kept(older_than: float) -> Iterator[str]:
    """Ids of the jobs whose file has lain here for at least so many seconds."""
    now = time.time()
    with os.scandir(folder()) as entries:
        for entry in entries:
            if _ID.fullmatch(entry.name) and now - entry.stat().st_ctime >= older_than:
                yield entry.name
