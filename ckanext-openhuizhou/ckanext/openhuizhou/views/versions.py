"""What a table was: its loads, the file of each, and what changed from one to the next."""

from __future__ import annotations

from typing import Any, Final

import ckan.plugins.toolkit as tk
from flask import Blueprint, abort, make_response, send_file
from werkzeug.wrappers import Response

from ckanext.openhuizhou.data import versions
from ckanext.openhuizhou.data.version_changes import KINDS
from ckanext.openhuizhou.model import table_version

from .actions import call, page_numbers, page_of
from .data_access import refusal, table_of
from .download import attachment

blueprint = Blueprint("openhuizhou_versions", __name__, url_prefix="/dataset/<id>/resource/<resource_id>/versions")

PER_PAGE: Final = 20
CHANGES_PER_PAGE: Final = 50


@blueprint.route("", endpoint="index")
def index(id: str, resource_id: str) -> str:  # noqa: A002 - CKAN's name of the parameter
    """The loads of a table, the newest first."""
    package, resource = table_of(id, resource_id)
    found = call("openhuizhou_table_version_list", {"resource_id": resource_id, **page_of(PER_PAGE)})
    extra = {
        "entry": package,
        "resource": resource,
        "versions": found["results"],
        "count": found["count"],
        "page": page_numbers(found["count"], PER_PAGE),
    }
    return tk.render("openhuizhou/table/versions.html", extra)


@blueprint.route("/<int:number>", endpoint="read")
def read(id: str, resource_id: str, number: int) -> str:  # noqa: A002
    """One load, and what changed with it."""
    package, resource = table_of(id, resource_id)
    version = call("openhuizhou_table_version_show", {"resource_id": resource_id, "number": number})
    kind = tk.request.args.get("kind", "")
    extra = {
        "entry": package,
        "resource": resource,
        "version": version,
        "kinds": KINDS,
        "kind": kind if kind in KINDS else _most_telling(version),
        "found": None,
    }
    if extra["kind"]:
        asked = {"resource_id": resource_id, "number": number, "kind": extra["kind"], **page_of(CHANGES_PER_PAGE)}
        extra["found"] = _changes(asked)
        extra["page"] = page_numbers(extra["found"]["count"] if extra["found"] else 0, CHANGES_PER_PAGE)
    return tk.render("openhuizhou/table/version.html", extra)


@blueprint.route("/<int:number>.parquet", endpoint="parquet")
def parquet(id: str, resource_id: str, number: int) -> Response:  # noqa: A002
    """The rows of one load. The address stays, and so do the bytes behind it."""
    package, resource = table_of(id, resource_id)
    described = call("openhuizhou_table_version_show", {"resource_id": resource_id, "number": number})
    version = table_version.version(resource_id, number)
    path = versions.parquet_of(version) if version is not None else None
    if version is None or path is None:
        return tk.abort(404, tk._("The rows of this version are not kept"))
    if not described["readable"]:
        abort(make_response(refusal(resource_id, tk._("This version has columns that are not open any more"))))
    response = send_file(
        path, mimetype="application/vnd.apache.parquet", conditional=True, etag=version.file_digest or False, max_age=0
    )
    title = f"{package['title']}-{resource['name'] or ''}-{number}"
    response.headers["Content-Disposition"] = attachment(f"{package['name']}-{number}", title, ".parquet")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _most_telling(version: dict[str, Any]) -> str:
    changes = version["changes"] or {}
    return next((kind for kind in ("changed", "added", "removed") if changes.get(kind)), "")


def _changes(asked: dict[str, Any]) -> dict[str, Any] | None:
    """None where the rows of one of the two are not kept, or not open."""
    try:
        return tk.get_action("openhuizhou_table_version_changes")({}, asked)
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return None
