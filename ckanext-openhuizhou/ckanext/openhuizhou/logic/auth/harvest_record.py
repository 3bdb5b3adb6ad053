"""Who sees the records of a source, and accepts their columns."""

from __future__ import annotations

from typing import Any

from ckan.types import AuthResult, Context

from ckanext.openhuizhou.logic.harvest_access import all_departments, is_platform_officer, organization_of_source, sees

__all__ = ["openhuizhou_reconcile_status", "openhuizhou_record_accept_columns", "openhuizhou_record_list"]


def openhuizhou_record_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Members of the source's department, and who sees all."""
    return {"success": sees(context, organization_of_source(data_dict.get("source_id")))}


def openhuizhou_record_accept_columns(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Platform officers."""
    return {"success": is_platform_officer(context)}


def openhuizhou_reconcile_status(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Who sees all."""
    return {"success": all_departments(context)}
