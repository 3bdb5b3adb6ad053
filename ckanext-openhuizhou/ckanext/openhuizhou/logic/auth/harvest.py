"""Who sees and starts harvesting: a department its own sources, platform officer and auditor those of all."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from ckan import model
from ckan.types import AuthResult, Context

from ckanext.openhuizhou.logic.harvest_access import all_departments, departments_of, is_platform_officer
from ckanext.openhuizhou.model.harvest import Run, Source

__all__ = [
    "openhuizhou_harvest_run",
    "openhuizhou_harvest_run_list",
    "openhuizhou_harvest_run_show",
    "openhuizhou_source_list",
    "openhuizhou_source_show",
]


def openhuizhou_source_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Officials; each sees what is theirs."""
    return _officials(context)


def openhuizhou_harvest_run_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:  # noqa: ARG001
    """Officials; each sees what is theirs."""
    return _officials(context)


def openhuizhou_source_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Members of the source's department, and who sees all."""
    return _sees(context, _organization_of_source(data_dict.get("id")))


def openhuizhou_harvest_run_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Members of the source's department, and who sees all."""
    query = sa.select(Source.organization_id).join(Run, Run.source_id == Source.id)
    return _sees(context, model.Session.scalar(query.where(Run.id == str(data_dict.get("id") or ""))))


def openhuizhou_harvest_run(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Editors of the source's department and the platform officer."""
    if is_platform_officer(context):
        return {"success": True}
    organization_id = _organization_of_source(data_dict.get("source_id"))
    return {"success": organization_id in departments_of(context, "editor")}


def _officials(context: Context) -> AuthResult:
    return {"success": all_departments(context) or bool(departments_of(context))}


def _sees(context: Context, organization_id: str | None) -> AuthResult:
    return {"success": all_departments(context) or organization_id in departments_of(context)}


def _organization_of_source(id_or_name: object) -> str | None:
    wanted = str(id_or_name or "")
    query = sa.select(Source.organization_id).where(sa.or_(Source.id == wanted, Source.name == wanted))
    return model.Session.scalar(query)
