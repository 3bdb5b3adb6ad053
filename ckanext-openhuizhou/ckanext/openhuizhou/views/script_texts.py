"""Texts of CKAN's scripts for languages with a script in their name.

CKAN's ``client.js`` makes a locale of the page's ``lang`` by replacing its first ``-`` only: for ``zh-Hans-CN`` it asks
``/api/i18n/zh_Hans-CN``, which CKAN does not know (2.12.0). Without this page its buttons would stay English.
"""

from __future__ import annotations

from ckan.types import Response
from ckan.views.api import i18n_js_translations
from flask import Blueprint

blueprint = Blueprint("openhuizhou_script_texts", __name__)


@blueprint.route("/api/i18n/<language>_<script>-<territory>")
def show(language: str, script: str, territory: str) -> str | Response:
    """CKAN's own answer for the locale that was meant."""
    return i18n_js_translations(f"{language}_{script}_{territory}")
