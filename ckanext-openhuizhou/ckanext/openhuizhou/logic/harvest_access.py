"""Whose sources a caller may see and change, in one place for auth functions and actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.roles import AUDITOR, PLATFORM_OFFICER
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.entry_access import is_platform_officer
from ckanext.openhuizhou.model.harvest import Run, Source
from ckanext.openhuizhou.model.role import roles_of

__all__ = [
    "all_departments",
    "departments_of",
    "edits",
    "is_platform_officer",
    "organization_id_of",
    "organization_of_run",
    "organization_of_source",
    "runs_the_platform",
    "sees",
    "source_named",
    "visible_organizations",
]

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


def visible_organizations(context: Mapping[str, Any]) -> set[str] | None:
    """Ids of the organizations whose sources the caller sees; None for all."""
    return None if context.get("ignore_auth") or all_departments(context) else departments_of(context)


def runs_the_platform(context: Mapping[str, Any]) -> bool:
    """Whether the caller may decide for every department: platform officer, sysadmin, or code without a user."""
    user = caller(context)
    return bool(context.get("ignore_auth")) or (user is not None and user.sysadmin) or is_platform_officer(context)


def sees(context: Mapping[str, Any], organization_id: str | None) -> bool:
    """Whether the caller sees the sources of this department; None: of one that does not exist."""
    return all_departments(context) or organization_id in departments_of(context)


def edits(context: Mapping[str, Any], organization_id: str | None) -> bool:
    """Whether the caller changes and runs the sources of this department."""
    return is_platform_officer(context) or organization_id in departments_of(context, "editor")


def source_named(id_or_name: object) -> Source | None:
    """The source with this id or name."""
    wanted = id_or_name if isinstance(id_or_name, str) else ""
    return model.Session.scalar(sa.select(Source).where(sa.or_(Source.id == wanted, Source.name == wanted)))


def organization_of_source(id_or_name: object) -> str | None:
    """Id of the department of a source; None when there is no such source."""
    wanted = id_or_name if isinstance(id_or_name, str) else ""
    query = sa.select(Source.organization_id).where(sa.or_(Source.id == wanted, Source.name == wanted))
    return model.Session.scalar(query)


def organization_of_run(run_id: object) -> str | None:
    """Id of the department of a run's source; None when there is no such run."""
    query = sa.select(Source.organization_id).join(Run, Run.source_id == Source.id)
    return model.Session.scalar(query.where(Run.id == (run_id if isinstance(run_id, str) else "")))


def organization_id_of(id_or_name: object) -> str | None:
    """The id of an organization that is named by id or name; None when there is none."""
    found = model.Group.get(id_or_name) if isinstance(id_or_name, str) and id_or_name else None
    return found.id if found is not None and found.is_organization else None
