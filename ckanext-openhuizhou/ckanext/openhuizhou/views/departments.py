"""All departments on one page, by level. Replaces CKAN's list of organizations at the same address."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.departments import LEVELS

blueprint = Blueprint("openhuizhou_departments", __name__)


@blueprint.route("/organization/", endpoint="index")
@blueprint.route("/organization", endpoint="index", strict_slashes=False)
def index() -> str:
    """Groups in the order of the city's directory; a body that the directory does not know is a city body."""
    found = tk.get_action("package_search")(
        {}, {"fq": "dataset_type:dataset", "rows": 0, "facet.field": ["organization"], "facet.limit": -1}
    )
    facet = found["search_facets"].get("organization", {}).get("items", [])
    counts = {item["name"]: item["count"] for item in facet}
    titles = {item["name"]: item["display_name"] for item in facet}
    directory = config.reference().directory
    groups: dict[str, list[dict[str, Any]]] = {level: [] for level in LEVELS}
    for department in directory:
        groups[department.level].append(_line(department.slug, department.title, counts))
    for name in sorted(set(counts) - {department.slug for department in directory}):
        groups["city"].append(_line(name, titles[name], counts))
    shown = {level: sorted(lines, key=lambda line: -line["count"]) for level, lines in groups.items() if lines}
    return tk.render(
        "openhuizhou/departments.html", {"groups": shown, "total": found["count"], "providers": len(counts)}
    )


@blueprint.route("/organization/about/<id>", endpoint="about")
def about(id: str) -> Response:  # noqa: A002 - CKAN's name of the parameter
    """What CKAN puts on a page of its own stands on the department's page here."""
    return tk.redirect_to("organization.read", id=id)


def _line(name: str, title: str, counts: dict[str, int]) -> dict[str, Any]:
    return {"name": name, "title": title, "count": counts.get(name, 0)}
