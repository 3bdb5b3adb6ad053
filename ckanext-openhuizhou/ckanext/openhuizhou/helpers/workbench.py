"""What an official's own page shows: where the entries of his department stand, and which of them wait for somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.domain.entry_state import EntryState
from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.logic.harvest_access import all_departments, departments_of

from .labels import openhuizhou_label

__all__ = ["openhuizhou_workbench"]

#: Words that CKAN's pages of an account translate as they come (a state, a field with a mistake): no catalogue of
#: CKAN's has their msgids.
ACCOUNT_WORDS = (N_("active"), N_("deleted"), N_("pending"), N_("Password1"), N_("Old password"))
#: Entries that wait; the rest is behind the link of their state.
WAITING_ROWS = 50


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many entries are in a state, and the address of their list."""

    key: str
    label: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class Workbench:
    """``departments``: id → title of the official's own, empty for who works for all; ``waiting``: entries that
    citizens do not see, newest first."""

    departments: Mapping[str, str]
    states: tuple[StateCount, ...]
    waiting: tuple[Mapping[str, Any], ...]


def openhuizhou_workbench() -> Workbench | None:
    """None for who is in no department and has no role."""
    context = {"user": tk.current_user.name}
    every = all_departments(context)
    own = departments_of(context)
    if not every and not own:
        return None
    titles = {} if every else {each["id"]: each["display_name"] for each in tk.h.organizations_available("read")}
    departments = {id_: title for id_, title in titles.items() if id_ in own}
    of_these = "" if every else "owner_org:(" + " OR ".join(f'"{id_}"' for id_ in sorted(own)) + ")"
    found = _search(of_these, **{"facet.field": ["entry_state"], "facet.limit": -1, "rows": 0})
    counts = found["facets"].get("entry_state", {})
    hidden = f'-entry_state:"{EntryState.PUBLISHED}"'
    waiting = _search(f"{of_these} {hidden}", rows=WAITING_ROWS, sort="metadata_modified desc")["results"]
    states = tuple(
        StateCount(state, openhuizhou_label("entry_states", state), counts[state], _list_of(state, own, every=every))
        for state in map(str, EntryState)
        if counts.get(state)
    )
    return Workbench(departments, states, tuple(waiting))


def _search(restriction: str, **params: Any) -> dict[str, Any]:
    asked = {"q": "*:*", "fq": f"+dataset_type:dataset {restriction}", "include_private": True, "include_drafts": True}
    return tk.get_action("package_search")({}, asked | params)


def _list_of(state: str, own: set[str], *, every: bool) -> str:
    """The list of entries in that state; of one's own department when there is only one."""
    filters: dict[str, Any] = {"entry_state": state}
    if not every and len(own) == 1:
        filters["owner_org"] = next(iter(own))
    return tk.url_for("dataset.search", **filters)
