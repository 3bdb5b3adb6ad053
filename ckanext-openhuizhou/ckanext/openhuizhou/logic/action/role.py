"""Platform roles: given and taken by a sysadmin, and never without a trace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.schema.role import role_schema
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.model import role as roles

__all__ = ["openhuizhou_role_grant", "openhuizhou_role_list", "openhuizhou_role_revoke"]

log = logging.getLogger(__name__)


def openhuizhou_role_grant(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Give a user a platform role.

    :param user: id or name
    :param role: ``platform_officer``, ``security_officer`` or ``auditor``
    :returns: ``{user_id, user_name, role, changed}``; ``changed`` is ``False`` when the user had it
    """
    tk.check_access("openhuizhou_role_grant", context, data_dict)
    return _change(context, data_dict, roles.grant, "granted")


def openhuizhou_role_revoke(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Take a platform role away. Parameters and answer as of ``openhuizhou_role_grant``."""
    tk.check_access("openhuizhou_role_revoke", context, data_dict)
    return _change(context, data_dict, roles.revoke, "revoked")


@tk.side_effect_free
def openhuizhou_role_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """Who holds which platform role now.

    :returns: ``[{user_id, user_name, role, granted_at}]`` by user name; times are UTC
    """
    tk.check_access("openhuizhou_role_list", context, data_dict)
    return roles.grants()


def _change(
    context: Context, data_dict: dict[str, Any], change: Callable[[str, str, str | None], bool], done: str
) -> dict[str, Any]:
    data = validated(data_dict, role_schema(), context)
    user = model.User.get(data["user"])
    assert user is not None, "the schema has found the user"
    by = caller(context)
    changed = change(user.id, data["role"], by.id if by else None)
    if not context.get("defer_commit"):
        model.repo.commit()
    if changed:
        log.info("Role %s %s: user %s, by %s", data["role"], done, user.id, by.id if by else "command line")
    return {"user_id": user.id, "user_name": user.name, "role": data["role"], "changed": changed}
