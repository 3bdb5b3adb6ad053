"""Downloads: who may have the file, under which name, and in whose cache.

CKAN's own views send the bytes (with ETag, 304 and ranges). They check the right to the metadata only, and name
every file after its URL; this blueprint puts a check before them and headers after them, for every package type.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import quote

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context
from flask import Blueprint, Response

from .data_access import refusal

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_download", __name__)

#: Characters that no file system or header takes.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f"*/:<>?\\|]+')
#: The end of a file's name as a header of ASCII letters can hold it.
_SUFFIX = re.compile(r"\.[a-z0-9]{1,10}")
_CONTENT_TYPES = {".csv": "text/csv; charset=utf-8"}


@blueprint.before_app_request
def keep_out_of_shared_caches() -> None:
    """CKAN calls whatever it does not render ``public``, also when the answer depends on who asked."""
    of_somebody = (tk.request.endpoint or "").startswith("api.") or _data_request() is not None
    if of_somebody and tk.current_user.is_authenticated:
        tk.request.environ["__no_cache__"] = True


@blueprint.before_app_request
def check_data_access() -> tuple[str, int] | None:
    """404 for what the visitor may not know of, 403 with the reason for data behind a visible entry."""
    resource_id = _data_request()
    if resource_id is None:
        return None
    try:
        tk.check_access("openhuizhou_resource_data_show", _context(), {"id": resource_id})
    except tk.ObjectNotFound:
        tk.abort(404, tk._("Resource not found"))
    except tk.NotAuthorized as error:
        try:
            tk.check_access("resource_show", _context(), {"id": resource_id})
        except tk.NotAuthorized:
            tk.abort(404, tk._("Resource not found"))
        return refusal(resource_id, str(error))
    return None


@blueprint.after_app_request
def name_file(response: Response) -> Response:
    """An attachment with the entry's Chinese title, as RFC 6266 writes it, and a type that no browser guesses."""
    if not _is_download() or response.status_code not in (200, 206):
        return response
    resource = model.Resource.get((tk.request.view_args or {})["resource_id"])
    if resource is None or resource.url_type != "upload":
        return response
    suffix = suffix_of(resource.url or "", resource.format or "")
    response.headers["Content-Disposition"] = attachment(resource.package.name, _title(resource), suffix)
    response.headers["X-Content-Type-Options"] = "nosniff"
    if suffix in _CONTENT_TYPES:
        response.headers["Content-Type"] = _CONTENT_TYPES[suffix]
    return response


def suffix_of(url: str, format_: str) -> str:
    """The suffix of the file, else its format as one, else ``.bin``: whatever an officer typed there is no header."""
    candidates = (PurePosixPath(url).suffix.lower(), f".{format_.lower()}")
    return next((suffix for suffix in candidates if _SUFFIX.fullmatch(suffix)), ".bin")


def attachment(name: str, title: str, suffix: str) -> str:
    """``Content-Disposition`` with a name for every client and the title for those that read RFC 6266."""
    full = _FORBIDDEN.sub(" ", f"{title}{suffix}").strip()
    return f"attachment; filename=\"{name}{suffix}\"; filename*=UTF-8''{quote(full)}"


def _title(resource: model.Resource) -> str:
    """The entry's title, with the resource's name where the entry has several files."""
    package = resource.package
    title = package.title or package.name
    several = sum(other.state == model.State.ACTIVE for other in package.resources_all) > 1
    return f"{title}-{resource.name}" if several and resource.name else title


def _is_download() -> bool:
    return (tk.request.endpoint or "").endswith("resource.download")


def _data_request() -> str | None:
    """The resource id when the request is for data: a download or a DataStore dump."""
    if _is_download() or tk.request.endpoint == "datastore.dump":
        return (tk.request.view_args or {}).get("resource_id")
    return None


def _context() -> Context:
    return {"user": tk.current_user.name, "auth_user_obj": tk.current_user}
