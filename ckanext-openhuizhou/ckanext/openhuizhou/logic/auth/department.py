"""The providers are public; their counts are what the caller can see."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context

__all__ = ["openhuizhou_department_list"]


@tk.auth_allow_anonymous_access
def openhuizhou_department_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    return {"success": True}
