"""Entries of the catalogue: what CKAN's package actions do here beyond CKAN, and the two steps that make them public.

Validation (``logic.validators.entry``) derives what nobody types: code, name, state, dates. These actions only bring
a form's items into shape, so that the API and the form are checked by the same rules.
"""

from __future__ import annotations

import re
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.domain.text_rules import is_empty
from ckanext.openhuizhou.logic import uploads
from ckanext.openhuizhou.logic.schema.entry import publish_schema, withdraw_schema
from ckanext.openhuizhou.logic.validation import validated

__all__ = ["openhuizhou_entry_publish", "openhuizhou_entry_withdraw", "package_create", "package_update"]

#: What the form calls the entry's ``metadata_modified`` (UTC, ISO 8601) at the time when it was opened.
SEEN_VERSION = "seen_version"
_FORM_ITEM = re.compile(r"items-(\d{1,4})-(\w+)", re.ASCII)


@tk.chained_action
def package_create(next_: Any, context: Context, data_dict: dict[str, Any]) -> Any:
    """Create an entry or an application. The platform gives an entry its code and its name.

    ``entry_state`` may be ``published`` for a platform officer. Parameters and answer are CKAN's.
    """
    if data_dict.get("type", "dataset") == "dataset":
        items_from_form(data_dict)
    return next_(context, data_dict)


@tk.chained_action
def package_update(next_: Any, context: Context, data_dict: dict[str, Any]) -> Any:
    """Change an entry or an application; its code and name stay. Parameters and answer are CKAN's.

    A table's file that comes as ``upload`` of a resource is loaded in the background, ``load_mode`` beside it says how
    (:py:func:`openhuizhou_load_start`).
    """
    items_from_form(data_dict)
    _refuse_stale_form(data_dict)
    package = model.Package.get(data_dict.get("id") or data_dict.get("name"))
    taken = uploads.take(package.type if package is not None else None, data_dict.get("resources"))
    try:
        saved = next_(context, data_dict)
    except BaseException:
        uploads.give_up(taken)
        raise
    uploads.queue(context, saved["id"] if isinstance(saved, dict) else saved, taken)
    return saved


def openhuizhou_entry_publish(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Publish a draft, or an entry that was withdrawn.

    :param id: id or name of the entry or application
    :returns: the entry as ``package_show`` gives it
    :raises ValidationError: for what is still missing or wrong, by field
    """
    tk.check_access("openhuizhou_entry_publish", context, data_dict)
    data = validated(data_dict, publish_schema(), context)
    return tk.get_action("package_patch")(tk.fresh_context(context), {"id": data["id"], "entry_state": "published"})


def openhuizhou_entry_withdraw(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Take a published entry out of sight. Name and code are kept, and it can be published again.

    :param id: id or name of the entry or application
    :param reason: why, for the record
    :returns: the entry as ``package_show`` gives it
    """
    tk.check_access("openhuizhou_entry_withdraw", context, data_dict)
    data = validated(data_dict, withdraw_schema(), context)
    return tk.get_action("package_patch")(
        tk.fresh_context(context),
        {"id": data["id"], "entry_state": "withdrawn", "withdraw_reason": data["reason"]},
    )


def items_from_form(data_dict: dict[str, Any]) -> None:
    """Turn a form's ``items-3-column`` into the list ``items``, in the order of the form, without its blank rows.

    scheming does the same, but orders rows by text, so that row 10 comes before row 2.
    """
    rows: dict[int, dict[str, Any]] = {}
    for key in list(data_dict):
        match = _FORM_ITEM.fullmatch(key) if isinstance(key, str) else None
        if match:
            rows.setdefault(int(match[1]), {})[match[2]] = data_dict.pop(key)
    if rows:
        data_dict["items"] = [rows[row] for row in sorted(rows) if not all(map(is_empty, rows[row].values()))]
    items = data_dict.get("items")
    if items is not None and not (isinstance(items, list) and all(isinstance(item, dict) for item in items)):
        raise tk.ValidationError({"items": [tk._("The information items are not a list of items")]})


def _refuse_stale_form(data_dict: dict[str, Any]) -> None:
    """A form says which version of the entry it was filled with: what somebody saved since then is not overwritten
    unseen. The API sends no version, and patches single fields."""
    seen = data_dict.get(SEEN_VERSION)
    package = model.Package.get(data_dict.get("id")) if seen else None
    if package is not None and package.metadata_modified and package.metadata_modified.isoformat() != seen:
        message = tk._(
            "Somebody else has saved this entry since you opened the form. What you typed is still here: compare it"
            " with the entry, then save again to put yours in its place"
        )
        raise tk.ValidationError({SEEN_VERSION: [message]})
