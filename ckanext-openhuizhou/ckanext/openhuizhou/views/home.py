"""The front page, the page for developers, the terms of use."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.targets import most_first

blueprint = Blueprint("openhuizhou_home", __name__)

NEWEST_ENTRIES = 6
HOT_TAGS = 6
#: What everybody finds: the front page is the same for each reader.
PUBLISHED = "dataset_type:dataset entry_state:published capacity:public"


@blueprint.route("/", endpoint="index")
def index() -> str:
    found = tk.get_action("package_search")(
        {},
        {
            "fq": PUBLISHED,
            "rows": NEWEST_ENTRIES,
            "sort": "issued desc, metadata_created desc",
            "facet.field": ["organization", "theme", "tags", "row_count"],
            "facet.limit": -1,
            "facet.mincount": 1,
        },
    )
    facets = {name: facet["items"] for name, facet in found["search_facets"].items()}
    targets = tk.get_action("openhuizhou_target_list")({}, {})
    return tk.render(
        "home/index.html",
        {
            "newest": found["results"],
            "departments": most_first(facets.get("organization", [])),
            "theme_counts": {item["name"]: item["count"] for item in facets.get("theme", [])},
            "hot_tags": [item["name"] for item in most_first(facets.get("tags", []))[:HOT_TAGS]],
            "targets": targets,
            "figures": {
                "datasets": found["count"],
                "departments": len(facets.get("organization", [])),
                "rows": _total(facets.get("row_count", [])),
                "applications": next((target["count"] for target in targets if target["unit"] == "application"), 0),
            },
        },
    )


@blueprint.route("/developers", endpoint="developers")
def developers() -> str:
    """Examples made of an entry that is really there."""
    found = tk.get_action("package_search")(
        {}, {"fq": f"{PUBLISHED} openhuizhou_data_ok:true", "rows": 1, "sort": "issued asc, name asc"}
    )
    return tk.render("openhuizhou/developers.html", {"example": next(iter(found["results"]), None)})


@blueprint.route("/licence", endpoint="licence")
def licence() -> str:
    """The platform's own terms, and the other licences that entries can name."""
    return tk.render("openhuizhou/licence.html", {"licences": config.licences()})


def _total(counted: list[dict[str, Any]]) -> int:
    """The sum over all entries, from how often each number of rows occurs."""
    return sum(int(item["name"]) * item["count"] for item in counted)
