"""Whose sources a caller may see, in one place for auth functions and actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckanext.openhuizhou.domain.roles import AUDITOR, PLATFORM_OFFICER
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.entry_access import is_platform_officer
from ckanext.openhuizhou.model.role import roles_of

__all__ = ["all_departments", "departments_of", "is_platform_officer"]

_SEES_ALL = {PLATFORM_OFFICER, AUDITOR}


def all_departments(context: Mapping[str, Any]) -> bool:
    """Whether the caller sees every department's sources."""
    user = caller(context)
    return user is not None and (user.sysadmin or bool(roles_of(user.id) & _SEES_ALL))


def departments_of(context: Mapping[str, Any], capacity: str | None = None) -> set[str]:
    """Ids of the organizations that the caller is in; with ``editor``, of those where he edits."""
    user = caller(context)
    if user is None:
        return set()
    if capacity is None:
        return set(user.get_group_ids("organization"))
    return {id_ for one in {capacity, "admin"} for id_ in user.get_group_ids("organization", one)}
