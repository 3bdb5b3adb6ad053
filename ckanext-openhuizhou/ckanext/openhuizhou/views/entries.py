"""Buttons of the officials on an entry's page: publish and withdraw."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.views.dataset import EditView
from flask import Blueprint
from werkzeug.wrappers import Response

blueprint = Blueprint("openhuizhou_entries", __name__, url_prefix="/dataset")


@blueprint.route("/<id>/publish", methods=["POST"], endpoint="publish")
def publish(id: str) -> Response | str:  # noqa: A002 - CKAN's name of the parameter
    """Make the entry public, or open its form with what it lacks beside each field."""
    try:
        return _act("openhuizhou_entry_publish", {"id": id}, tk._("The entry is published"))
    except tk.ValidationError as error:
        return EditView().get("dataset", id, None, error.error_dict, error.error_summary)


@blueprint.route("/<id>/withdraw", methods=["POST"], endpoint="withdraw")
def withdraw(id: str) -> Response:  # noqa: A002
    """Take the entry back; its code and name are kept."""
    reason = tk.request.form.get("reason", "")
    try:
        return _act("openhuizhou_entry_withdraw", {"id": id, "reason": reason}, tk._("The entry is withdrawn"))
    except tk.ValidationError as error:
        for message in error.error_summary.values():
            tk.h.flash_error(message)
        return tk.redirect_to("dataset.read", id=id)


def _act(action: str, data_dict: dict[str, Any], done: str) -> Response:
    try:
        tk.get_action(action)({}, data_dict)
        tk.h.flash_success(done)
    except tk.NotAuthorized:
        return tk.abort(403, tk._("You may not do that with this entry"))
    except tk.ObjectNotFound:
        return tk.abort(404, tk._("There is no such entry"))
    return tk.redirect_to("dataset.read", id=data_dict["id"])
