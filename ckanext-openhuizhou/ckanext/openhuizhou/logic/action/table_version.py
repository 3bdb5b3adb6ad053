"""What a table was at each load, and what changed from one to the next."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.data import version_changes, versions
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.harvesters.report import iso
from ckanext.openhuizhou.logic import visibility
from ckanext.openhuizhou.logic.schema import table_version as schema
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.model import table_version
from ckanext.openhuizhou.model.table_version import TableVersion

__all__ = ["openhuizhou_table_version_changes", "openhuizhou_table_version_list", "openhuizhou_table_version_show"]


@tk.side_effect_free
def openhuizhou_table_version_list(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """The versions of a table: one per load that changed it, the newest first.

    :param resource_id: id of the resource
    :param limit: 20 when not given
    :param offset: 0 when not given
    :returns: ``count`` and ``results``, each as ``openhuizhou_table_version_show`` gives it
    """
    tk.check_access("openhuizhou_table_version_list", context, data_dict)
    data = validated(data_dict, schema.version_list_schema(), context)
    resource_id = data["resource_id"]
    found = table_version.versions(resource_id, data["limit"], data["offset"])
    open_columns = _open_columns(context, resource_id)
    return {
        "count": table_version.count(resource_id),
        "results": [_described(one, open_columns) for one in found],
    }


@tk.side_effect_free
def openhuizhou_table_version_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """One version of a table.

    :param resource_id: id of the resource
    :param number: its number; the first load is 1
    :returns: ``{resource_id, number, created, rows, digest, size_bytes, columns, state, file_size, file_digest,
        changes, run_id, job_id, open, readable}``. ``digest``: SHA-256 of its CSV file; ``file_digest``: of its Parquet
        file. ``state``: waiting (the file is being made), kept, dropped. ``changes`` against the version before:
        ``{added, removed, changed, columns: {column: cells}, key, columns_added, columns_removed}`` or null. ``open``:
        all its columns are open today. ``readable``: there is a file, and this viewer may have it
    """
    tk.check_access("openhuizhou_table_version_show", context, data_dict)
    data = validated(data_dict, schema.version_show_schema(), context)
    return _described(_version(data["resource_id"], data["number"]), _open_columns(context, data["resource_id"]))


@tk.side_effect_free
def openhuizhou_table_version_changes(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Rows that came, went or changed with a version, by the columns that are the table's key.

    :param resource_id: id of the resource
    :param number: number of the version; it is compared with the last one before it whose rows are kept
    :param kind: added, removed or changed
    :param limit: 50 when not given
    :param offset: 0 when not given
    :returns: ``{count, against, columns, results: [{before, after, columns}]}``; ``before`` and ``after`` are texts by
        column, ``columns`` those that differ; ``against`` is the number of the version before
    """
    tk.check_access("openhuizhou_table_version_changes", context, data_dict)
    data = validated(data_dict, schema.version_changes_schema(), context)
    after = _version(data["resource_id"], data["number"])
    before = _version(data["resource_id"], data["number"] - 1) if data["number"] > 1 else None
    open_columns = _open_columns(context, after.resource_id)
    for one in (after, before):
        if one is not None and not _readable(one, open_columns):
            raise tk.NotAuthorized(tk._("This version has columns that are not open any more"))
    files = versions.parquet_of(after), versions.parquet_of(before) if before else None
    if before is None or files[0] is None or files[1] is None or after.changes is None:
        raise tk.ObjectNotFound(tk._("There are no two versions to compare: their rows are not kept"))
    page = (data["kind"], data["limit"], data["offset"])
    found = version_changes.rows(files[1], before.items, files[0], after.items, *page)
    return {
        "count": after.changes[data["kind"]],
        "against": before.number,
        "columns": after.columns,
        "results": [
            {name: values for name, values in asdict(row).items() if name != "kind"} | {"columns": list(row.columns)}
            for row in found
        ],
    }


def _version(resource_id: str, number: int) -> TableVersion:
    found = table_version.version(resource_id, number)
    if found is None:
        raise tk.ObjectNotFound(tk._("The table has no such version"))
    return found


def _open_columns(context: Context, resource_id: str) -> Collection[str] | None:
    """Those of the table as it is now; None for a viewer who may see what has not been checked."""
    resource = model.Resource.get(resource_id)
    assert resource is not None, "its rights were just checked"
    if context.get("ignore_auth") or visibility.may_see_unchecked(resource.package, context.get("auth_user_obj")):
        return None
    return {item.column for item in columns_of(resource_id)}


def _all_open(version: TableVersion, open_columns: Collection[str] | None) -> bool:
    return open_columns is None or versions.all_open(version, open_columns)


def _readable(version: TableVersion, open_columns: Collection[str] | None) -> bool:
    return _all_open(version, open_columns) and versions.parquet_of(version) is not None


def _described(version: TableVersion, open_columns: Collection[str] | None) -> dict[str, Any]:
    shown = (
        "resource_id", "number", "rows", "digest", "size_bytes", "columns", "state", "file_size", "file_digest",
        "changes", "run_id", "job_id",
    )  # fmt: skip
    return {name: getattr(version, name) for name in shown} | {
        "created": iso(version.created),
        "open": _all_open(version, open_columns),
        "readable": _readable(version, open_columns),
    }
