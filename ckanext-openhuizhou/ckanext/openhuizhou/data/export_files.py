"""Where files of whole tables lie; who makes them is ``exports.store``.

A file's name tells of which table it is: digest of the load, of the dictionary, and the edition of what wrote it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.model import table_export

#: Rises when a format is written in another way, so that files of before are made anew.
EDITION: Final = 1


def folder() -> Path:
    """Folder of all of them; also of files that exist only while they are read."""
    path = tk.config["ckan.storage_path"]
    if not path:
        raise ConfigurationError("Option {option} is not set", option="ckan.storage_path")
    found = Path(path) / "openhuizhou" / "exports"
    found.mkdir(parents=True, exist_ok=True)
    return found


def folder_of(resource_id: str) -> Path:
    return folder() / resource_id[:2] / resource_id


def table_key(mark: Mapping[str, Any]) -> str:
    """What a file was made of, from the mark of a live table."""
    return f"{mark['digest']}-{mark.get('dictionary', '')[:12]}-{EDITION}"


def file_of(resource_id: str, key: str, suffix: str) -> Path:
    return folder_of(resource_id) / f"{key}{suffix}"


def forget(resource_id: str) -> None:
    """The resource has no table any more: neither rows nor files. Idempotent."""
    table_export.forget(resource_id)
    shutil.rmtree(folder_of(resource_id), ignore_errors=True)


def files_of(resource_id: str) -> list[Path]:
    """Whatever lies in the resource's folder."""
    found = folder_of(resource_id)
    return sorted(found.iterdir()) if found.is_dir() else []


def resources() -> Iterator[str]:
    """Ids of resources that have files here."""
    for part in sorted(folder().iterdir()):
        if part.is_dir():
            yield from sorted(path.name for path in part.iterdir())
