"""For officials: a file is brought to a table, and what came of it."""

from __future__ import annotations

from typing import Any, Final

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, make_response, send_file
from werkzeug.wrappers import Response as Redirect

from ckanext.openhuizhou.data import uploads
from ckanext.openhuizhou.data.load_job import table_items
from ckanext.openhuizhou.model.harvest import record_of_table
from ckanext.openhuizhou.model.load import load_of

from .actions import call, done, need

blueprint = Blueprint("openhuizhou_load", __name__, url_prefix="/dataset/<id>/resource/<resource_id>/load")

LISTED: Final = 20


@blueprint.route("", endpoint="index")
def index(id: str, resource_id: str) -> str:  # noqa: A002 - CKAN's name of the parameter
    """The form, the load that is looked at (``?job=``, else the last one), and the others."""
    need("openhuizhou_load_list", {"resource_id": resource_id}, tk._("Loads are for officials of the department"))
    entry, resource = _resource(id, resource_id)
    jobs = call("openhuizhou_load_list", {"resource_id": resource_id, "limit": LISTED})["results"]
    asked = tk.request.args.get("job") or (jobs[0]["id"] if jobs else "")
    shown, closed = table_items(entry)
    live = load_of(resource_id)
    extra = {
        "entry": entry,
        "resource": resource,
        "job": _job(resource_id, asked) if asked else None,
        "jobs": jobs,
        "items": shown,
        "closed": closed,
        "keys": [item.name for item in shown if item.is_key],
        "live": live if live is not None and live.loaded_at is not None else None,
        "harvested": record_of_table(entry["id"], resource_id) is not None,
        "elsewhere": resource.get("url_type") != "upload" and bool(resource.get("url")),
        "may_load": tk.h.check_access("openhuizhou_load_start", {"resource_id": resource_id}),
    }
    return tk.render("openhuizhou/load/index.html", extra)


@blueprint.route("", methods=["POST"], endpoint="start")
def start(id: str, resource_id: str) -> Redirect:  # noqa: A002
    """Bring a file, or (``again``) load the last one once more."""
    given: dict[str, Any] = {"resource_id": resource_id, "mode": tk.request.form.get("mode") or "replace"}
    upload = tk.request.files.get("file")
    if upload is not None and upload.filename:
        given["file"] = upload
    elif not tk.request.form.get("again"):
        tk.h.flash_error(tk._("Choose a file"))
        return _back(id, resource_id)
    done("openhuizhou_load_start", given, tk._("The file is kept and waits to be checked"))
    return _back(id, resource_id)


@blueprint.route("/<job_id>/cancel", methods=["POST"], endpoint="cancel")
def cancel(id: str, resource_id: str, job_id: str) -> Redirect:  # noqa: A002
    """Stop a load that waits or is being read."""
    done("openhuizhou_load_cancel", {"id": job_id}, tk._("The load is cancelled; what was published before stays"))
    return _back(id, resource_id)


@blueprint.route("/<job_id>/progress", endpoint="progress")
def progress(id: str, resource_id: str, job_id: str) -> Response:  # noqa: A002
    """The part of the page that moves. ``told``: what the page has already said to its reader.

    When the load has ended the page is asked for anew, because all of it is different then.
    """
    job = _job(resource_id, job_id)
    entry, resource = _resource(id, resource_id)
    extra = {"entry": entry, "resource": resource, "job": job, "told": tk.request.args.get("told", "")}
    response = make_response(tk.render("openhuizhou/load/_progress.html", extra))
    response.headers["Cache-Control"] = "no-store"
    if not job["active"]:
        response.headers["HX-Refresh"] = "true"
    return response


@blueprint.route("/<job_id>/file", endpoint="file")
def file(id: str, resource_id: str, job_id: str) -> Response:  # noqa: A002
    """The file as it came, for who may load another one: nothing in it has been checked."""
    need("openhuizhou_load_start", {"resource_id": resource_id}, tk._("Loads are for officials of the department"))
    need("openhuizhou_resource_data_show", {"id": resource_id})
    _resource(id, resource_id)
    job = _job(resource_id, job_id)
    path = uploads.kept_file(job["id"])
    if not path.exists():
        tk.abort(404, tk._("The file is not kept any more"))
    response = send_file(path, "application/octet-stream", as_attachment=True, download_name=job["file_name"])
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _resource(id: str, resource_id: str) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: A002
    entry = call("package_show", {"id": id})
    resource = next((one for one in entry.get("resources") or () if one["id"] == resource_id), None)
    if resource is None:
        tk.abort(404, tk._("Resource not found"))
    return entry, resource


def _job(resource_id: str, job_id: str) -> dict[str, Any]:
    job = call("openhuizhou_load_show", {"id": job_id})
    if job["resource_id"] != resource_id:
        tk.abort(404, tk._("Load not found"))
    return job


def _back(id: str, resource_id: str) -> Redirect:  # noqa: A002
    return tk.redirect_to("openhuizhou_load.index", id=id, resource_id=resource_id)
