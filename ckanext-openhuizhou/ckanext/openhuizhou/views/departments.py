"""All departments on one page, by level. Replaces CKAN's list of organizations at the same address."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response

from ckanext.openhuizhou.domain.departments import LEVELS

blueprint = Blueprint("openhuizhou_departments", __name__)


@blueprint.route("/organization/", endpoint="index")
@blueprint.route("/organization", endpoint="index", strict_slashes=False)
def index() -> str:
    """Groups by level; a body that says no level is a city body."""
    departments = tk.get_action("openhuizhou_department_list")({}, {})
    groups: dict[str, list[dict[str, Any]]] = {level: [] for level in LEVELS}
    for department in departments:
        groups[department["level"] if department["level"] in groups else "city"].append(department)
    counts = [department["count"] for department in departments]
    return tk.render(
        "openhuizhou/departments.html",
        {
            "groups": {level: listed for level, listed in groups.items() if listed},
            "total": sum(counts),
            "providers": sum(map(bool, counts)),
        },
    )


@blueprint.route("/organization/about/<id>", endpoint="about")
def about(id: str) -> Response:  # noqa: A002 - CKAN's name of the parameter
    """What CKAN puts on a page of its own stands on the department's page here."""
    return tk.redirect_to("organization.read", id=id)
