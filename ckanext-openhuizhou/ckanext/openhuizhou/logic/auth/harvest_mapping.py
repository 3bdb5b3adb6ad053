"""Who tries sources and mappings: those who could save them. A test asks somebody else's server."""

from __future__ import annotations

from typing import Any

from ckan.types import AuthResult, Context

from ckanext.openhuizhou.logic.auth.harvest_source import makes_in, officials
from ckanext.openhuizhou.logic.harvest_access import edits, organization_id_of, organization_of_source

__all__ = [
    "openhuizhou_mapping_check",
    "openhuizhou_mapping_try",
    "openhuizhou_source_preview",
    "openhuizhou_source_test",
]


def openhuizhou_source_test(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Editors of the source's department, and of the one that is named; platform officers."""
    named, organization = data_dict.get("id"), data_dict.get("organization_id")
    if not named:
        return {"success": makes_in(context, organization)}
    may_name = not organization or edits(context, organization_id_of(organization))
    return {"success": may_name and edits(context, organization_of_source(named))}


def openhuizhou_source_preview(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """As :py:func:`openhuizhou_source_test`."""
    return openhuizhou_source_test(context, data_dict)


def openhuizhou_mapping_check(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Officials."""
    return officials(context)


def openhuizhou_mapping_try(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Who edits in any department, platform officers."""
    return {"success": makes_in(context, None)}
