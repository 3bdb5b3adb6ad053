"""Who sees and changes sources: a department its own, platform officers and auditors see all; officers alone approve.

Of a source that does not exist, those who see all learn that it does not; the others that they may not.
"""

from __future__ import annotations

from typing import Any

from ckan.types import AuthResult, Context

from ckanext.openhuizhou.logic.harvest_access import (
    all_departments,
    departments_of,
    edits,
    is_platform_officer,
    organization_id_of,
    organization_of_source,
    sees,
)

__all__ = [
    "openhuizhou_source_approve",
    "openhuizhou_source_change_list",
    "openhuizhou_source_create",
    "openhuizhou_source_delete",
    "openhuizhou_source_kinds",
    "openhuizhou_source_list",
    "openhuizhou_source_patch",
    "openhuizhou_source_show",
    "openhuizhou_source_update",
]


def openhuizhou_source_kinds(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Officials."""
    return officials(context)


def openhuizhou_source_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Officials; each sees what is theirs."""
    return officials(context)


def openhuizhou_source_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Members of the source's department, and who sees all."""
    return {"success": sees(context, organization_of_source(data_dict.get("id")))}


def openhuizhou_source_change_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Who sees the source; those of all sources: who sees all."""
    if not data_dict.get("id"):
        return {"success": all_departments(context)}
    return openhuizhou_source_show(context, data_dict)


def openhuizhou_source_create(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Editors of the department, platform officers. Without a department: who edits in any."""
    return {"success": makes_in(context, data_dict.get("organization_id"))}


def openhuizhou_source_update(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Editors of the source's department, and of the one that it is given to; platform officers."""
    given = data_dict.get("organization_id")
    may_give = not given or edits(context, organization_id_of(given))
    return {"success": may_give and edits(context, organization_of_source(data_dict.get("id")))}


def openhuizhou_source_patch(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """As :py:func:`openhuizhou_source_update`."""
    return openhuizhou_source_update(context, data_dict)


def openhuizhou_source_delete(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Editors of the source's department, platform officers."""
    return {"success": edits(context, organization_of_source(data_dict.get("id")))}


def openhuizhou_source_approve(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Platform officers."""
    return {"success": is_platform_officer(context)}


def officials(context: Context) -> AuthResult:
    """Who sees anything of the harvest."""
    return {"success": all_departments(context) or bool(departments_of(context))}


def makes_in(context: Context, organization: object) -> bool:
    """Whether the caller may make a source in this department; without one, in any."""
    if organization:
        return edits(context, organization_id_of(organization))
    return is_platform_officer(context) or bool(departments_of(context, "editor"))
