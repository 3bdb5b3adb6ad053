"""The rows of a table's versions: as they were loaded until somebody has time, then as Parquet, until they are too old.

Before a table's new file is moved in, it gets a second name here (a hard link), so that no later load can take the
rows of a version away. ``derive`` makes Parquet of what waits, says what changed by key, and lets the oldest go.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import logging
import os
import shutil
import uuid
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou import config
from ckanext.openhuizhou.data import version_changes
from ckanext.openhuizhou.data.parquet import write_parquet
from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.model import table_version
from ckanext.openhuizhou.model.database import exclusive
from ckanext.openhuizhou.model.table_version import TableVersion

log = logging.getLogger(__name__)

_BATCH: Final = 5000
_CHUNK: Final = 1 << 20


def folder_of(resource_id: str) -> Path:
    """Where the files of a resource's versions lie; beside the storage, so that a hard link suffices."""
    path = tk.config["ckan.storage_path"]
    if not path:
        raise ConfigurationError("Option {option} is not set", option="ckan.storage_path")
    return Path(path) / "openhuizhou" / "versions" / resource_id[:2] / resource_id


def keep_csv(resource_id: str, digest: str, csv_path: Path) -> None:
    """Give the file that is about to be published a second name, under which it outlives the next load."""
    kept = _csv(resource_id, digest)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.unlink(missing_ok=True)
    try:
        kept.hardlink_to(csv_path)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copyfile(csv_path, kept)


def parquet_of(version: TableVersion) -> Path | None:
    """The file of a version; None while it is being made, and after it was let go."""
    path = _parquet(version.resource_id, version.number)
    return path if version.state == "kept" and path.exists() else None


def derive(resource_id: str) -> None:
    """Make Parquet of the versions that wait, from the oldest on; then let go of what is older than the last N.

    Idempotent; a killed process leaves the version waiting.
    """
    with exclusive(f"versions {resource_id}"):
        known = table_version.versions(resource_id)
        for one in reversed([one for one in known if one.state == "waiting"]):
            _make(one)
        _let_go(table_version.versions(resource_id))


def forget(resource_id: str) -> None:
    """The resource has no table any more: neither versions nor their files. Idempotent."""
    table_version.forget(resource_id)
    shutil.rmtree(folder_of(resource_id), ignore_errors=True)


def _make(version: TableVersion) -> None:
    resource_id, number = version.resource_id, version.number
    source = _csv(resource_id, version.digest)
    if not source.exists():
        log.error("The rows of version %s of %s are not there", number, resource_id)
        table_version.update(resource_id, number, state="dropped")
        return
    target = _parquet(resource_id, number)
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    try:
        write_parquet(partial, version.items, _batches(source))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    before = next((one for one in table_version.versions(resource_id) if one.number < number), None)
    earlier = parquet_of(before) if before is not None else None
    changes = version_changes.summary(earlier, before.items, target, version.items) if before and earlier else None
    table_version.update(
        resource_id, number, state="kept", file_size=target.stat().st_size, file_digest=_digest(target), changes=changes
    )
    if version.digest not in table_version.digests_in_use(resource_id, ["waiting"]):
        source.unlink(missing_ok=True)


def _let_go(newest_first: Sequence[TableVersion]) -> None:
    for one in newest_first[config.keep_versions() :]:
        if one.state == "kept":
            table_version.update(one.resource_id, one.number, state="dropped", file_size=None, file_digest=None)
            _parquet(one.resource_id, one.number).unlink(missing_ok=True)


def _batches(path: Path) -> Iterator[list[list[str | None]]]:
    """Rows of a published CSV file; nothing between two commas is NULL."""
    csv.field_size_limit(_CHUNK * 1024)
    with path.open(encoding="utf-8-sig", newline="") as source:
        reader = csv.reader(source)
        next(reader)
        while batch := list(islice(reader, _BATCH)):
            yield [[cell or None for cell in row] for row in batch]


def _csv(resource_id: str, digest: str) -> Path:
    return folder_of(resource_id) / f"{digest}.csv"


def _parquet(resource_id: str, number: int) -> Path:
    return folder_of(resource_id) / f"{number}.parquet"


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def files_of(resource_id: str) -> list[Path]:
    """Whatever lies in the resource's folder."""
    folder = folder_of(resource_id)
    return [Path(entry.path) for entry in os.scandir(folder)] if folder.is_dir() else []


def all_open(version: TableVersion, open_columns: Collection[str]) -> bool:
    """Whether every column of the version is open today: what was closed since then is closed in the past, too."""
    return all(item.column in open_columns for item in version.items)
