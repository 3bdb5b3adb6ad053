"""The download box: in which formats a table can be had, and how large the files are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.data import datastore_tables
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.exports import store
from ckanext.openhuizhou.exports.formats import FORMATS

__all__ = ["openhuizhou_export_zip", "openhuizhou_exports"]


def openhuizhou_exports(entry: Mapping[str, Any], resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Formats of a resource's table for this reader: ``name, label, url, size, rows, sha256``; the last three are None
    of a file that is not made yet. Empty without a table, or without the right to it."""
    if not _readable(resource):
        return []
    try:
        columns = columns_of(resource["id"])
    except LookupError:
        return []
    mark = datastore_tables.live_mark(resource["id"])
    made = store.wholes(resource["id"], mark) if mark else {}
    return [
        {
            "name": format_.name,
            "label": format_.label,
            "url": tk.h.url_for(
                "openhuizhou_exports.export", id=entry["name"], resource_id=resource["id"], format=format_.name
            ),
            "size": made[format_.name].size_bytes if format_.name in made else None,
            "rows": made[format_.name].rows if format_.name in made else None,
            "sha256": made[format_.name].sha256 if format_.name in made else None,
        }
        for format_ in FORMATS.values()
        if format_.fits(columns)
    ]


def openhuizhou_export_zip(entry: Mapping[str, Any]) -> str:
    """The address of the entry's ZIP; empty when this reader sees no table of it."""
    if entry.get("type") != "dataset" or not any(map(_readable, entry.get("resources") or ())):
        return ""
    return tk.h.url_for("openhuizhou_exports.archive", id=entry["name"])


def _readable(resource: Mapping[str, Any]) -> bool:
    if not resource.get("datastore_active"):
        return False
    return tk.h.check_access("openhuizhou_resource_data_show", {"id": resource["id"]})
