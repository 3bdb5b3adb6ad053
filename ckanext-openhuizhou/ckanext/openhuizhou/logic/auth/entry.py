"""Who may create, change, publish and withdraw entries.

A department's editors work on drafts; what is published is changed by the platform officer, so that nothing that
citizens rely on changes without somebody outside the department having seen it.
"""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import AuthResult, Context

from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.entry_access import department_may_edit, is_platform_officer

__all__ = [
    "bulk_update_delete",
    "bulk_update_private",
    "bulk_update_public",
    "openhuizhou_entry_publish",
    "openhuizhou_entry_withdraw",
    "package_create",
    "package_update",
]


@tk.chained_auth_function
def package_create(next_: Any, context: Context, data_dict: dict[str, Any] | None = None) -> AuthResult:
    """Officers create entries for any department; whoever is logged in submits an application."""
    data_dict = data_dict or {}
    if data_dict.get("type") == "application" and context.get("user"):
        return {"success": True}
    if data_dict.get("type", "dataset") == "dataset" and is_platform_officer(context):
        return {"success": True}
    return next_(context, data_dict)


@tk.chained_auth_function
def package_update(next_: Any, context: Context, data_dict: dict[str, Any] | None) -> AuthResult:
    """Officers change any entry; a department changes its own until it is published."""
    package = context.get("package") or model.Package.get((data_dict or {}).get("id"))
    if package is None or package.type not in {"dataset", "application"}:
        return next_(context, data_dict)
    if is_platform_officer(context):
        return {"success": True}
    if package.type == "application" and _submitted_by(context, package):
        allowed: AuthResult = {"success": True}
    else:
        allowed = next_(context, data_dict)
    if allowed.get("success") and not department_may_edit(package):
        return {
            "success": False,
            "msg": tk._("A published entry is changed by the platform officer; ask for it to be withdrawn first"),
        }
    return allowed


def openhuizhou_entry_publish(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """The platform officer."""
    return _officer_only(context, tk._("Only the platform officer publishes entries"))


def openhuizhou_entry_withdraw(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """The platform officer."""
    return _officer_only(context, tk._("Only the platform officer withdraws entries"))


@tk.auth_sysadmins_check
def bulk_update_public(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Nobody: CKAN would set ``private`` past the entry's own state."""
    return _derived()


@tk.auth_sysadmins_check
def bulk_update_private(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Nobody: CKAN would set ``private`` past the entry's own state."""
    return _derived()


@tk.auth_sysadmins_check
def bulk_update_delete(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Nobody: entries are withdrawn one by one, with a reason."""
    return _derived()


def _derived() -> AuthResult:
    return {"success": False, "msg": tk._("Whether an entry is public follows from its state; publish or withdraw it")}


def _officer_only(context: Context, message: str) -> AuthResult:
    if is_platform_officer(context):
        return {"success": True}
    return {"success": False, "msg": message}


def _submitted_by(context: Context, package: model.Package) -> bool:
    user = caller(context)
    return user is not None and user.id == package.creator_user_id
