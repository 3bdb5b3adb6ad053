"""For officials: one run while it moves and afterwards, what it found or would change, and the decision on it."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, make_response
from werkzeug.wrappers import Response as Redirect

from ckanext.openhuizhou.model.harvest import ACTIVE_STATES

from .actions import call, done, need, page_numbers, page_of

blueprint = Blueprint("openhuizhou_harvest_runs", __name__, url_prefix="/harvest/run")

FINDINGS_PER_PAGE: Final = 100
DIFFERENCES_PER_PAGE: Final = 50
#: What a person is asked to read before he decides.
LISTED_WITHDRAWALS: Final = 100
ACTIONS: Final = ("added", "changed", "withdrawn", "refused")


@blueprint.route("/<id>", endpoint="run")
def run(id: str) -> str:  # noqa: A002 - CKAN's name of the parameter
    """The report of one run: how far it is, what it did, what it found."""
    asked = {name: tk.request.args.get(name, "") for name in ("kind", "severity", "record")}
    chosen = {name: value for name, value in asked.items() if value}
    shown = call("openhuizhou_harvest_run_show", {"id": id, **chosen, **page_of(FINDINGS_PER_PAGE)})
    extra = {
        "run": shown,
        "moves": shown["state"] in ACTIVE_STATES,
        "groups": _by_record(shown["findings"]),
        "asked": asked,
        "page": page_numbers(shown["findings_count"], FINDINGS_PER_PAGE),
        "differences": _differences(shown, 5),
    }
    return tk.render("openhuizhou/harvest/run.html", extra)


@blueprint.route("/<id>/progress", endpoint="progress")
def progress(id: str) -> Response:  # noqa: A002
    """The part of the page that moves. ``told``: what the page has already said to its reader.

    When the run has ended the page is asked for anew, because all of it is different then.
    """
    shown = call("openhuizhou_harvest_run_show", {"id": id, "limit": 0})
    moves = shown["state"] in ACTIVE_STATES
    extra = {"run": shown, "moves": moves, "told": tk.request.args.get("told", "")}
    response = make_response(tk.render("openhuizhou/harvest/_progress.html", extra))
    response.headers["Cache-Control"] = "no-store"
    if not moves:
        response.headers["HX-Refresh"] = "true"
    return response


@blueprint.route("/<id>/control", methods=["POST"], endpoint="control")
def control(id: str) -> Redirect:  # noqa: A002
    """Pause it, go on, or cancel it. A worker looks for this between batches."""
    action = tk.request.form.get("action", "")
    messages = {
        "pause": tk._("The run pauses after the records that are being written"),
        "resume": tk._("The run goes on where it stopped"),
        "cancel": tk._("The run ends after the records that are being written; these stay"),
    }
    done("openhuizhou_harvest_run_control", {"id": id, "action": action}, messages.get(action, ""))
    return tk.redirect_to("openhuizhou_harvest_runs.run", id=id)


@blueprint.route("/<id>/differences", endpoint="differences")
def differences(id: str) -> str:  # noqa: A002
    """What a dry run would change, or what a held run would withdraw, field by field."""
    shown = call("openhuizhou_harvest_run_show", {"id": id, "limit": 0})
    action = tk.request.args.get("action", "")
    chosen = {"action": action} if action in ACTIONS else {}
    found = call("openhuizhou_harvest_run_differences", {"id": id, **chosen, **page_of(DIFFERENCES_PER_PAGE)})
    extra = {
        "run": shown,
        "differences": found,
        "actions": ACTIONS,
        "action": action,
        "page": page_numbers(found["count"], DIFFERENCES_PER_PAGE),
    }
    return tk.render("openhuizhou/harvest/differences.html", extra)


@blueprint.route("/<id>/decide", methods=["GET", "POST"], endpoint="decide")
def decide(id: str) -> Redirect | str:  # noqa: A002
    """A platform officer reads what would go, then lets it go or keeps it."""
    refusal = tk._("A platform officer decides on runs that were held back")
    need("openhuizhou_harvest_run_decide", {"id": id}, refusal)
    if tk.request.method == "POST":
        decision = tk.request.form.get("decision", "")
        approved = tk._("Approved: the entries are being withdrawn")
        message = approved if decision == "approved" else tk._("Refused: every entry stays as it is")
        done("openhuizhou_harvest_run_decide", {"id": id, "decision": decision}, message)
        return tk.redirect_to("openhuizhou_harvest_runs.run", id=id)
    shown = call("openhuizhou_harvest_run_show", {"id": id, "limit": 1000})
    if shown["state"] != "held":
        tk.h.flash_error(tk._("This run does not wait for a decision any more"))
        return tk.redirect_to("openhuizhou_harvest_runs.run", id=id)
    extra = {
        "run": shown,
        "source": call("openhuizhou_source_show", {"id": shown["source_id"]}),
        "differences": _differences(shown, LISTED_WITHDRAWALS),
        "reasons": [finding for finding in shown["findings"] if finding["kind"].startswith("run-held")],
    }
    return tk.render("openhuizhou/harvest/decide.html", extra)


def _differences(shown: dict[str, Any], limit: int) -> dict[str, Any] | None:
    """The first differences of a dry or held run; None for the others."""
    if shown["mode"] != "dry" and shown["state"] != "held" and not shown.get("decision"):
        return None
    return call("openhuizhou_harvest_run_differences", {"id": shown["id"], "limit": limit, "offset": 0})


def _by_record(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Findings that follow each other and are about one record, together."""
    groups = groupby(findings, key=lambda finding: (finding["record"], finding["title"]))
    return [{"record": record, "title": title, "findings": list(found)} for (record, title), found in groups]
