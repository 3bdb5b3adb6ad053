"""How far the city is with its targets, for everybody to see."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from flask import Blueprint

blueprint = Blueprint("openhuizhou_targets", __name__)


@blueprint.route("/targets", endpoint="index")
def index() -> str:
    """``?date=YYYY-MM-DD`` shows how things were on that day; anything else is today."""
    date = tk.request.args.get("date", "")
    wrong_date = False
    try:
        targets = tk.get_action("openhuizhou_target_list")({}, {"date": date})
    except tk.ValidationError:
        wrong_date = True
        targets = tk.get_action("openhuizhou_target_list")({}, {})
    return tk.render("openhuizhou/targets.html", {"targets": targets, "date": date, "wrong_date": wrong_date})
