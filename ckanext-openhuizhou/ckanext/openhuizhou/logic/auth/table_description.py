"""Who sees what a table is, and what it holds: who sees its data."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context

__all__ = ["openhuizhou_table_dictionary", "openhuizhou_table_profile"]


@tk.auth_allow_anonymous_access
def openhuizhou_table_dictionary(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Who may see the table's data: the dictionary has examples of it."""
    return _as_data(context, data_dict)


@tk.auth_allow_anonymous_access
def openhuizhou_table_profile(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Who may see the table's data."""
    return _as_data(context, data_dict)


def _as_data(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    asked = {"id": tk.get_or_bust(data_dict, "resource_id")}
    try:
        tk.check_access("openhuizhou_resource_data_show", tk.fresh_context(context), asked)
    except tk.NotAuthorized as error:
        return {"success": False, "msg": str(error)}
    return {"success": True}
