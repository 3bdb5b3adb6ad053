"""Who sees scores: of an entry, who sees the entry; of the city, everybody."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context

__all__ = ["openhuizhou_quality_list", "openhuizhou_quality_show"]


@tk.auth_allow_anonymous_access
def openhuizhou_quality_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Who may see the entry."""
    try:
        tk.check_access("package_show", tk.fresh_context(context), {"id": tk.get_or_bust(data_dict, "id")})
    except tk.NotAuthorized as error:
        return {"success": False, "msg": str(error)}
    return {"success": True}


@tk.auth_allow_anonymous_access
def openhuizhou_quality_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Everybody: what is counted is public."""
    return {"success": True}
