"""What follows from an entry's state and is never typed: CKAN's own flags, the dates of publication and withdrawal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from .entry_state import EntryState, ckan_state

#: What CKAN keeps of an application: outside of any organization nothing can be private, so that one that is not
#: published is a draft.
_OPEN = "unconditional"


@dataclass(frozen=True, slots=True)
class Derived:
    """``state`` and ``private`` are CKAN's. ``fields``: fields of the entry; None takes one away."""

    state: str
    private: bool
    fields: Mapping[str, str | None]


def derive(state: EntryState, open_type: str | None, stored: Mapping[str, str], today: date) -> Derived:
    """What goes with ``state``. ``stored``: the fields that the entry has so far, as text; empty for a new one."""
    flags = ckan_state(state, open_type)
    return Derived(flags.state, flags.private, _dates(state, stored, today))


def derive_application(state: EntryState, stored: Mapping[str, str], today: date) -> Derived:
    """The same for an application, which belongs to no organization."""
    shown = state if state == EntryState.PUBLISHED else EntryState.DRAFT
    return Derived(ckan_state(shown, _OPEN).state, False, _dates(state, stored, today))


def _dates(state: EntryState, stored: Mapping[str, str], today: date) -> dict[str, str | None]:
    issued = stored.get("issued")
    if state == EntryState.PUBLISHED and not issued:
        issued = today.isoformat()
    fields: dict[str, str | None] = {"entry_state": str(state), "issued": issued}
    if state == EntryState.WITHDRAWN:
        # the reason is whoever withdraws it to say
        return fields | {"withdrawn_on": stored.get("withdrawn_on") or today.isoformat()}
    return fields | {"withdrawn_on": None, "withdraw_reason": None}
