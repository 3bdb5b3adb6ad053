"""The files of published tables, in CKAN's own storage of resource uploads.

CKAN's download route then serves them, with its auth. A new file is written elsewhere and moved in by a rename, which
is atomic on one file system; readers who have the old file open read it to its end.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import ckan.plugins.toolkit as tk
import file_keeper as fk
from ckan.lib import uploader

from ckanext.openhuizhou.errors import ConfigurationError


def staging_dir() -> Path:
    """Folder of files that wait to be published; beside the storage, so that a rename suffices."""
    path = tk.config["ckan.storage_path"]
    if not path:
        raise ConfigurationError("Option {option} is not set", option="ckan.storage_path")
    folder = Path(path) / "openhuizhou" / "staging"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def writing_file(resource_id: str) -> Path:
    """A name that nobody else writes to, for a file whose digest is not known yet."""
    return staging_dir() / f"{resource_id}.{uuid.uuid4().hex}.part"


def staged_file(resource_id: str, digest: str) -> Path:
    """Where a finished file waits to be published."""
    return staging_dir() / f"{resource_id}.{digest}.csv"


def published_file(resource_id: str) -> Path:
    """Where CKAN looks for the resource's upload."""
    upload = uploader.get_resource_uploader({"id": resource_id})
    location = upload.get_path(resource_id)
    storage = getattr(upload, "storage", None)
    if storage is None:
        return Path(location)
    if not isinstance(storage, fk.Storage) or not hasattr(storage, "full_path"):
        raise ConfigurationError(
            "Storage {storage} is not a folder; tables are published to folders", storage=type(storage).__name__
        )
    return Path(storage.full_path(fk.Location(location)))


def move_in(resource_id: str, source: Path) -> None:
    """Replace the published file by ``source``, which is gone afterwards."""
    target = published_file(resource_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as staged:
        os.fsync(staged.fileno())
    source.replace(target)


def remove_waiting(*resource_ids: str) -> None:
    """Delete every file of these resources that was never published."""
    with os.scandir(staging_dir()) as waiting:
        left = [entry.path for entry in waiting if entry.name.partition(".")[0] in resource_ids]
    for path in left:
        Path(path).unlink(missing_ok=True)


def remove(resource_id: str) -> None:
    """Delete the published file, if there is one."""
    published_file(resource_id).unlink(missing_ok=True)
