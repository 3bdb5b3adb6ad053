"""Who starts, steers and decides runs: editors theirs, platform officers all; a held run is for the officers alone."""

from __future__ import annotations

from typing import Any

from ckan.types import AuthResult, Context

from ckanext.openhuizhou.logic.auth.harvest_source import officials
from ckanext.openhuizhou.logic.harvest_access import (
    edits,
    is_platform_officer,
    organization_of_run,
    organization_of_source,
    sees,
)

__all__ = [
    "openhuizhou_harvest_run",
    "openhuizhou_harvest_run_control",
    "openhuizhou_harvest_run_decide",
    "openhuizhou_harvest_run_differences",
    "openhuizhou_harvest_run_list",
    "openhuizhou_harvest_run_show",
]


def openhuizhou_harvest_run(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Editors of the source's department, platform officers."""
    return {"success": edits(context, organization_of_source(data_dict.get("source_id")))}


def openhuizhou_harvest_run_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Officials, each what is theirs; of one source, who sees it."""
    if data_dict.get("source_id"):
        return {"success": sees(context, organization_of_source(data_dict["source_id"]))}
    return officials(context)


def openhuizhou_harvest_run_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Members of the source's department, and who sees all."""
    return {"success": sees(context, organization_of_run(data_dict.get("id")))}


def openhuizhou_harvest_run_differences(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """As :py:func:`openhuizhou_harvest_run_show`."""
    return openhuizhou_harvest_run_show(context, data_dict)


def openhuizhou_harvest_run_control(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Editors of the source's department, platform officers."""
    return {"success": edits(context, organization_of_run(data_dict.get("id")))}


def openhuizhou_harvest_run_decide(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Platform officers."""
    return {"success": is_platform_officer(context)}
