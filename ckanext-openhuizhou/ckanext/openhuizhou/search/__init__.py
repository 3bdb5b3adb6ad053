"""Search: the two places where CKAN asks us. ``plugin.py`` registers them as ``IPackageController``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from flask import has_request_context

from .documents import complete_document
from .queries import search_parameters
from .surroundings import surroundings_of

__all__ = ["before_dataset_index", "before_dataset_search"]


def before_dataset_index(document: dict[str, Any]) -> dict[str, Any]:
    """The Solr document of a dataset, completed (``documents.py``)."""
    return complete_document(document, surroundings_of(document))


def before_dataset_search(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a search, completed and, on pages, disarmed (``queries.py``).

    A page that lists private entries (CKAN's search and department pages do) lists drafts too: the permission labels
    decide who sees which. A visitor without an account has none of those labels.
    """
    typed = _typed()
    if typed is not None and params.get("include_private") and tk.current_user.is_authenticated:
        params["include_drafts"] = True
    return search_parameters(params, typed)


def _typed() -> Mapping[str, list[str]] | None:
    """The address parameters of the page that is being made; None in the API and outside of a request."""
    if not has_request_context() or tk.get_endpoint()[0] == "api":
        return None
    return {name: tk.request.args.getlist(name) for name in tk.request.args}
