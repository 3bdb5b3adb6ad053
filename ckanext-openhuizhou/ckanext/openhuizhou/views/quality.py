"""How good the city's data is to use: the score of the city, of each department, and how it is made."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from flask import Blueprint

blueprint = Blueprint("openhuizhou_quality", __name__)


@blueprint.route("/quality", endpoint="index")
def index() -> str:
    """Scores of the city and of its departments."""
    return tk.render("openhuizhou/quality.html", tk.get_action("openhuizhou_quality_list")({}, {}))
