"""A run's findings and differences as CSV, written while they are read: the same memory for ten and for a million."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, stream_with_context

from ckanext.openhuizhou.helpers.harvest_csv import differences_csv, findings_csv

from .actions import call
from .download import attachment

blueprint = Blueprint("openhuizhou_harvest_exports", __name__, url_prefix="/harvest/run")


@blueprint.route("/<id>/findings.csv", endpoint="findings")
def findings(id: str) -> Response:  # noqa: A002 - CKAN's name of the parameter
    """Everything that the run found, one row each."""
    run = call("openhuizhou_harvest_run_show", {"id": id, "limit": 0})
    return _sent(run, tk._("findings"), findings_csv(id))


@blueprint.route("/<id>/differences.csv", endpoint="differences")
def differences(id: str) -> Response:  # noqa: A002
    """Everything that the run would change, one row for each field."""
    run = call("openhuizhou_harvest_run_show", {"id": id, "limit": 0})
    return _sent(run, tk._("differences"), differences_csv(id))


def _sent(run: dict[str, Any], what: str, parts: Iterator[bytes]) -> Response:
    started = tk.h.openhuizhou_datetime(run["started"] or run["created"])
    title = f"{run['source_title']} {started} {what}"
    response = Response(stream_with_context(parts), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = attachment(f"{run['source']}-{run['id'][:8]}", title, ".csv")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response
