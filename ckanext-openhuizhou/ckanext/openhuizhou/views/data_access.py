"""What every page about a table asks first: does its reader know of the entry, and may he see its data."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from flask import abort, make_response


def table_of(name: str, resource_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entry and the resource of an address, as ``package_show`` gives them.

    Answers 404 for what the reader may not know of, or what does not belong together, and 403 with the reason for
    data behind a visible entry.
    """
    try:
        package = tk.get_action("package_show")({}, {"id": name})
    except (tk.ObjectNotFound, tk.NotAuthorized):
        tk.abort(404, tk._("Dataset not found"))
    resource = next((one for one in package["resources"] if one["id"] == resource_id), None)
    if resource is None:
        tk.abort(404, tk._("Resource not found"))
    try:
        tk.check_access("openhuizhou_resource_data_show", {}, {"id": resource_id})
    except tk.NotAuthorized as error:
        abort(make_response(refusal(resource_id, str(error))))
    return package, resource


def refusal(resource_id: str, reason: str) -> tuple[str, int]:
    """The page that says why data is not shown, and whom to ask."""
    resource = model.Resource.get(resource_id)
    assert resource is not None, "its rights were just checked"
    return tk.render("openhuizhou/data_refused.html", {"package": resource.package, "reason": reason}), 403
