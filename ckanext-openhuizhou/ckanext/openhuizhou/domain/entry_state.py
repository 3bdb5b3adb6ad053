"""The states of a catalogue entry, who may move it, and what CKAN keeps of each state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class EntryState(StrEnum):
    """Keys of ``schemas/code_lists/entry_states.yaml``."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


#: In the context of a dry run: everything is checked, no number is taken.
DRY_RUN = "openhuizhou_dry_run"
#: department: whoever may edit the entry. publisher: the platform officer, or a source that one approved.
Mover = Literal["department", "publisher"]

#: Every step that exists. Review (in_review, returned) has no step yet: nobody can enter it until reviewers can.
TRANSITIONS: dict[tuple[EntryState, EntryState], Mover] = {
    (EntryState.DRAFT, EntryState.PUBLISHED): "publisher",
    (EntryState.PUBLISHED, EntryState.WITHDRAWN): "publisher",
    (EntryState.WITHDRAWN, EntryState.PUBLISHED): "publisher",
}

#: A department edits its entry only while nobody else relies on it.
EDITED_BY_DEPARTMENT = frozenset({EntryState.DRAFT, EntryState.RETURNED, EntryState.WITHDRAWN})
#: States whose entries must be complete.
COMPLETE = frozenset({EntryState.PUBLISHED, EntryState.IN_REVIEW})


@dataclass(frozen=True, slots=True)
class CkanState:
    """CKAN's own two fields; derived, never typed."""

    state: Literal["active", "draft"]
    private: bool


def may_move(before: EntryState, after: EntryState, *, publisher: bool) -> bool:
    """Whether that step exists and this person may take it. Staying is no step."""
    if before == after:
        return True
    mover = TRANSITIONS.get((before, after))
    return mover is not None and (publisher or mover == "department")


def ckan_state(entry_state: EntryState, open_type: str | None) -> CkanState:
    """What CKAN shows by itself: only a published entry that is not 不予开放 is public.

    ``package_list`` and ``resource_search`` look at ``private`` alone, permission labels do the rest.
    """
    if entry_state == EntryState.DRAFT:
        return CkanState("draft", private=True)
    public = entry_state == EntryState.PUBLISHED and open_type in {"unconditional", "conditional"}
    return CkanState("active", private=not public)
