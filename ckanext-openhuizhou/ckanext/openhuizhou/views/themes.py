"""The 23 fields in their two lists."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response

from ckanext.openhuizhou import config

blueprint = Blueprint("openhuizhou_themes", __name__)


@blueprint.route("/theme", endpoint="index")
def index() -> str:
    return tk.render("openhuizhou/themes.html", {"lists": tk.get_action("openhuizhou_theme_list")({}, {})})


@blueprint.route("/theme/<key>", endpoint="read")
def read(key: str) -> Response | str:
    """A field's own address leads to its list."""
    if key not in config.reference().themes:
        return tk.abort(404, tk._("There is no field “{key}”").format(key=key))
    return tk.redirect_to("dataset.search", theme=key)


@blueprint.route("/group/", endpoint="groups")
@blueprint.route("/group", endpoint="groups", strict_slashes=False)
def groups() -> Response:
    """CKAN's list of groups: the fields are what groups datasets here."""
    return tk.redirect_to("openhuizhou_themes.index")
