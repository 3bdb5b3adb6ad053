"""Who may publish, withdraw and edit, in one place for auth functions and validators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckan import model

from ckanext.openhuizhou.domain.entry_state import EDITED_BY_DEPARTMENT, EntryState
from ckanext.openhuizhou.domain.roles import PLATFORM_OFFICER
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.model.role import has_role


def is_platform_officer(context: Mapping[str, Any]) -> bool:
    """Whether the caller holds the platform role; sysadmins are not asked."""
    user = caller(context)
    return user is not None and has_role(user.id, PLATFORM_OFFICER)


def is_publisher(context: Mapping[str, Any]) -> bool:
    """Whether the caller may set an entry's state: platform officer, sysadmin, a source that an officer approved,
    or code of the platform that runs without a user's rights (``ignore_auth``)."""
    if context.get("openhuizhou_approved_source") or context.get("ignore_auth"):
        return True
    user = caller(context)
    return user is not None and (user.sysadmin or has_role(user.id, PLATFORM_OFFICER))


def entry_state_of(package: model.Package) -> EntryState:
    """The stored state; a package from before the schema is a draft."""
    stored = (package.extras or {}).get("entry_state")
    return EntryState(stored) if stored in set(EntryState) else EntryState.DRAFT


def department_may_edit(package: model.Package) -> bool:
    """Whether the entry's own department may still change it."""
    return entry_state_of(package) in EDITED_BY_DEPARTMENT
