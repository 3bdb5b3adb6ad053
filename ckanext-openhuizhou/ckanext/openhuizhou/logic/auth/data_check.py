"""Who sees what the checks found, who decides how strict they are, and who decides about a table that waits."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context

__all__ = [
    "openhuizhou_data_check_decide",
    "openhuizhou_data_check_rules",
    "openhuizhou_data_check_rules_update",
    "openhuizhou_data_check_show",
]


@tk.auth_allow_anonymous_access
def openhuizhou_data_check_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Whoever may see the data; its values are among the findings."""
    return _as("openhuizhou_resource_data_show", context, tk.get_or_bust(data_dict, "resource_id"))


@tk.auth_allow_anonymous_access
def openhuizhou_data_check_rules(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Whoever may see the entry: what its data was checked for is no secret."""
    return _as("package_show", context, tk.get_or_bust(data_dict, "package_id"))


def openhuizhou_data_check_rules_update(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Whoever may change the entry."""
    return _as("package_update", context, tk.get_or_bust(data_dict, "package_id"))


def openhuizhou_data_check_decide(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Whoever may publish: rows that the rules hold back become public by this."""
    answer = _as("openhuizhou_entry_publish", context, "")
    return answer if answer.get("success") else {"success": False, "msg": tk._("Whoever may publish entries decides")}


def _as(action: str, context: Context, id_: str) -> AuthResult:
    try:
        tk.check_access(action, tk.fresh_context(context), {"id": id_})
    except tk.NotAuthorized as error:
        return {"success": False, "msg": str(error)}
    return {"success": True}
