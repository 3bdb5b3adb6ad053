"""Codes are public; what they lead to is asked of ``package_show``."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context

__all__ = ["openhuizhou_catalogue_code_show"]


@tk.auth_allow_anonymous_access
def openhuizhou_catalogue_code_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    return {"success": True}
