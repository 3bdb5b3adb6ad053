"""What the checks of a table found, in plain words; rules for its department, decisions for officers."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, stream_with_context
from werkzeug.wrappers import Response as Redirect

from ckanext.openhuizhou.helpers.data_checks import bad_rows_csv

from .actions import call, done
from .data_access import table_of
from .download import attachment

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_data_checks", __name__, url_prefix="/dataset/<id>/resource/<resource_id>/checks")


@blueprint.route("", endpoint="show")
def show(id: str, resource_id: str) -> str:  # noqa: A002 - CKAN's name of the parameter
    """Verdict, findings, rules; the decision for those who may decide."""
    entry, resource = table_of(id, resource_id)
    rules = call("openhuizhou_data_check_rules", {"package_id": entry["id"]})
    check = _found(resource_id)
    return tk.render(
        "openhuizhou/table/checks.html",
        {
            "entry": entry,
            "resource": resource,
            "check": check,
            "rules": rules,
            "lines": tk.h.openhuizhou_check_lines(check["results"] if check else [], rules, entry),
            "may_decide": tk.h.check_access("openhuizhou_data_check_decide", {"resource_id": resource_id}),
            "may_edit": tk.h.check_access("openhuizhou_data_check_rules_update", {"package_id": entry["id"]}),
        },
    )


@blueprint.route("/bad-rows.csv", endpoint="bad_rows")
def bad_rows(id: str, resource_id: str) -> Response:  # noqa: A002
    """The bad rows of the last check, for the department to mend."""
    entry, resource = table_of(id, resource_id)
    check = _found(resource_id)
    if check is None:
        tk.abort(404, tk._("The data of this resource has not been checked yet"))
    if check["rows_hidden"]:
        tk.abort(403, tk._("Rows that are not published are for the department"))
    parts = stream_with_context(bad_rows_csv(resource_id))
    response = Response(parts, content_type="text/csv; charset=utf-8")
    title = f"{resource.get('name') or entry['title']} {tk._('rows to be mended')}"
    response.headers["Content-Disposition"] = attachment(f"{entry['name']}-checks", title, ".csv")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.route("/decide", methods=["POST"], endpoint="decide")
def decide(id: str, resource_id: str) -> Redirect:  # noqa: A002
    """Publish or discard the table that waits."""
    table_of(id, resource_id)
    decision = tk.request.form.get("decision", "")
    told = tk._("The rows are published") if decision == "publish" else tk._("The rows were discarded")
    done("openhuizhou_data_check_decide", {"resource_id": resource_id, "decision": decision}, told)
    return _back(id, resource_id)


@blueprint.route("/rules", methods=["POST"], endpoint="rules")
def rules(id: str, resource_id: str) -> Redirect:  # noqa: A002
    """Change how strict the checks are."""
    entry, _resource = table_of(id, resource_id)
    form = tk.request.form
    given = [] if form.get("default") else [_rule(key) for key in form if key.startswith("level-")]
    told = tk._("From the next load on the data is checked by these rules")
    done("openhuizhou_data_check_rules_update", {"package_id": entry["id"], "rules": given}, told)
    return _back(id, resource_id)


def _rule(name: str) -> dict[str, Any]:
    """What the form says of one check; a share is typed in per cent."""
    form, check = tk.request.form, name.removeprefix("level-")
    threshold = form.get(f"threshold-{check}", "").strip()
    if threshold and form.get(f"unit-{check}") == "percent":
        try:
            share = Decimal(threshold) / 100
        except InvalidOperation:
            share = Decimal(-1)  # said by the action
        threshold = str(share if share < 1 else Decimal(-1))
    return {"check": check, "level": form[name], "threshold": threshold}


def _found(resource_id: str) -> dict[str, Any] | None:
    try:
        return tk.get_action("openhuizhou_data_check_show")({}, {"resource_id": resource_id})
    except tk.ObjectNotFound:
        return None


def _back(id: str, resource_id: str) -> Redirect:  # noqa: A002
    return tk.redirect_to("openhuizhou_data_checks.show", id=id, resource_id=resource_id)
