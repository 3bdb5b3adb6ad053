"""Anonymous pages can be kept and are asked for again: no cookie, an ETag, 304 while nothing changed.

CKAN writes ``Cache-Control`` after this (``public, max-age=0, must-revalidate`` with ``ckan.cache_enabled``, and
``private`` once ``__no_cache__`` stands in the environment).
"""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, current_app, session

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_caching", __name__)


@blueprint.after_app_request
def make_cacheable(response: Response) -> Response:
    """Mark what is for one reader as private, and let everybody's pages be asked for again by their ETag."""
    request = tk.request
    if (request.endpoint or "").startswith("api."):
        response.vary.add("Origin")  # CKAN writes its CORS headers only for requests that name one
    if response.mimetype != "text/html" or response.is_streamed:
        return response
    if tk.current_user.is_authenticated or session or current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        request.environ["__no_cache__"] = True
        return response
    # an error's message was put in and read again by its own page; else the answer would delete a cookie nobody has
    session.modified = False
    if request.method in ("GET", "HEAD") and response.status_code == 200:
        response.add_etag()
        response.make_conditional(request.environ)
    return response
