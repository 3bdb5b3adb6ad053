"""Targets are public: everybody may see how far the city is."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context

__all__ = ["openhuizhou_target_list", "openhuizhou_target_show"]


@tk.auth_allow_anonymous_access
def openhuizhou_target_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    return {"success": True}


@tk.auth_allow_anonymous_access
def openhuizhou_target_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    return {"success": True}
