"""For officials: the sources, their last runs, and what a run found and how to mend it."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response

blueprint = Blueprint("openhuizhou_harvests", __name__, url_prefix="/harvest")

RUNS_PER_PAGE = 20
FINDINGS_PER_PAGE = 200


@blueprint.route("/", endpoint="index")
def index() -> str:
    """Each source that the reader may see with its last run, then the latest runs of all."""
    page = tk.h.get_page_number(tk.request.args)
    try:
        sources = tk.get_action("openhuizhou_source_list")({}, {})
        runs = tk.get_action("openhuizhou_harvest_run_list")(
            {}, {"limit": RUNS_PER_PAGE, "offset": (page - 1) * RUNS_PER_PAGE}
        )
    except tk.NotAuthorized:
        return tk.abort(403, tk._("Harvests are for officials"))
    numbers = {"page": page, "page_count": -(-runs["count"] // RUNS_PER_PAGE)}
    return tk.render("openhuizhou/harvests.html", {"sources": sources, "runs": runs["results"], "page": numbers})


@blueprint.route("/run/<id>", endpoint="run")
def run(id: str) -> str:  # noqa: A002 - CKAN's name of the parameter
    """The report of one run."""
    page = tk.h.get_page_number(tk.request.args)
    asked = {"id": id, "limit": FINDINGS_PER_PAGE, "offset": (page - 1) * FINDINGS_PER_PAGE}
    shown = _or_abort("openhuizhou_harvest_run_show", asked)
    numbers = {"page": page, "page_count": -(-shown["findings_count"] // FINDINGS_PER_PAGE)}
    return tk.render("openhuizhou/harvest_run.html", {"run": shown, "page": numbers})


@blueprint.route("/start/<source_id>", methods=["POST"], endpoint="start")
def start(source_id: str) -> Response:
    """Start a run in the background and show it."""
    started = _or_abort("openhuizhou_harvest_run", {"source_id": source_id})
    return tk.redirect_to("openhuizhou_harvests.run", id=started["id"])


def _or_abort(action: str, data_dict: dict[str, Any]) -> dict[str, Any]:
    try:
        return tk.get_action(action)({}, data_dict)
    except tk.NotAuthorized:
        return tk.abort(403, tk._("Harvests are for officials"))
    except tk.ObjectNotFound:
        return tk.abort(404, tk._("There is no such run"))
