"""For officials: the records of a source, what was found in each, and columns that nobody has reviewed yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response

from ckanext.openhuizhou.model.harvest import RECORD_STATES

from .actions import call, done, page_numbers, page_of

blueprint = Blueprint("openhuizhou_harvest_records", __name__, url_prefix="/harvest/source")

PER_PAGE: Final = 50


@blueprint.route("/<id>/records", endpoint="index")
def index(id: str) -> str:  # noqa: A002 - CKAN's name of the parameter
    """The records, filtered by state or by words of their title or key."""
    source = call("openhuizhou_source_show", {"id": id})
    asked = {name: tk.request.args.get(name, "") for name in ("state", "q", "only")}
    query: dict[str, Any] = {"source_id": source["id"], **page_of(PER_PAGE)}
    if asked["state"] in RECORD_STATES:
        query["state"] = asked["state"]
    if asked["q"]:
        query["q"] = asked["q"]
    if asked["only"] == "columns":
        query["held_columns"] = True
    found = call("openhuizhou_record_list", query)
    extra = {
        "source": source,
        "records": [record | {"drift": changed_columns(record)} for record in found["results"]],
        "count": found["count"],
        "asked": asked,
        "page": page_numbers(found["count"], PER_PAGE),
    }
    return tk.render("openhuizhou/harvest/records.html", extra)


@blueprint.route("/<id>/columns", methods=["POST"], endpoint="accept")
def accept(id: str) -> Response:  # noqa: A002
    """Columns that were reviewed: the next run loads the table with them."""
    key = tk.request.form.get("key", "")
    message = tk._("The columns are accepted; the next run loads the table")
    done("openhuizhou_record_accept_columns", {"source_id": id, "key": key}, message)
    return tk.redirect_to("openhuizhou_harvest_records.index", id=id, only="columns")


def changed_columns(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Columns that are not as they were published, with the types of before and after; None where there is none."""
    if not record.get("held_columns"):
        return []
    before, after = _by_name(record.get("columns") or ()), _by_name(record["held_columns"])
    return [
        {"name": name, "before": before.get(name), "after": after.get(name)}
        for name in [*before, *(name for name in after if name not in before)]
        if before.get(name) != after.get(name)
    ]


def _by_name(columns: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What tells one state of a column from another, by its name at the source."""
    kept = ("column", "data_type", "source_type", "published")
    return {each["name"] or each["column"]: {name: each.get(name) for name in kept} for each in columns}
