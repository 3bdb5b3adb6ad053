"""Roles reach over all departments, so only a sysadmin gives or takes them; auditors may see who holds them."""

from __future__ import annotations

from typing import Any

from ckan.types import AuthResult, Context

from ckanext.openhuizhou.domain.roles import AUDITOR, SECURITY_OFFICER
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.model.role import roles_of

__all__ = ["openhuizhou_role_grant", "openhuizhou_role_list", "openhuizhou_role_revoke"]


def openhuizhou_role_grant(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Sysadmins."""
    return {"success": False}


def openhuizhou_role_revoke(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Sysadmins."""
    return {"success": False}


def openhuizhou_role_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Sysadmins, security officers and auditors."""
    user = caller(context)
    return {"success": user is not None and bool(roles_of(user.id) & {SECURITY_OFFICER, AUDITOR})}
