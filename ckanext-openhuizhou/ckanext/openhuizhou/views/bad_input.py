"""Requests that CKAN 2.12.0 does not answer as what they are.

With 500: the character U+0000, of which PostgreSQL has no text; a format of a dump that there is not (CKAN fails while
it writes the error). With a page: addresses that only CKAN's own developers need.
"""

from __future__ import annotations

import json

import ckan.plugins.toolkit as tk
from ckanext.datastore.blueprint import DUMP_FORMATS
from flask import Blueprint, Response

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_bad_input", __name__)

NUL = "\x00"

#: CKAN shows its building blocks here, in English, to anybody.
DEVELOPERS_PAGES = frozenset({"util.primer", "util.custom_form_fields"})


@blueprint.before_app_request
def refuse_nul() -> Response | None:
    """A page with such an address does not exist; to a program it is a wrong parameter, as CKAN words those."""
    request = tk.request
    if not (request.endpoint or "").startswith("api."):
        if NUL in request.path:
            tk.abort(404)
        return None
    typed = [request.path, *(text for pair in request.args.items(multi=True) for text in pair)]
    if not any(NUL in text for text in typed) and not _in_body():
        return None
    error = {"__type": "Validation Error", "message": tk._("The character U+0000 is not allowed")}
    return Response(json.dumps({"success": False, "error": error}), 409, content_type="application/json;charset=utf-8")


@blueprint.before_app_request
def refuse_unknown_format() -> None:
    if tk.request.endpoint == "datastore.dump" and tk.request.args.get("format", "csv") not in DUMP_FORMATS:
        tk.abort(400)


@blueprint.before_app_request
def hide_developers_pages() -> None:
    if tk.request.endpoint in DEVELOPERS_PAGES:
        tk.abort(404)


def _in_body() -> bool:
    """CKAN reads the body of a call as JSON whatever its type says; forms with files are left to it."""
    request = tk.request
    if request.method != "POST" or request.mimetype == "multipart/form-data":
        return False
    body = request.get_data(cache=True)
    return b"\\u0000" in body or b"%00" in body or b"\x00" in body
