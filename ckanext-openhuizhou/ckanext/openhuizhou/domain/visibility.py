"""Who sees what of a catalogue entry: one table, two questions (its metadata, its data).

    audience            who
    everyone            any visitor
    government          members of any organization, and holders of a platform role
    platform            platform officers, who check what is published
    department          members of the organization that provides the entry

Audiences become permission labels (CKAN's ``IPermissionLabels``): an entry carries the labels of its audiences, a
viewer the labels of what he is, and one label in common is enough. Search, pages, feeds and counts compare labels of
metadata in the index; files, DataStore and dumps compare labels of data. Sysadmins pass by CKAN's own rule.

A value that is not in the code lists, or missing, gets the narrowest row: nothing is open by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

from ckanext.openhuizhou.domain.entry_state import EntryState
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.roles import PLATFORM_OFFICER


class Audience(StrEnum):
    """A group of people; the value is its label, to which ``DEPARTMENT`` adds the organization's id."""

    EVERYONE = "public"
    GOVERNMENT = "government"
    PLATFORM = "platform-officer"
    DEPARTMENT = "member"


_E, _G, _P, _D = Audience.EVERYONE, Audience.GOVERNMENT, Audience.PLATFORM, Audience.DEPARTMENT


#: From open to closed; the codes of ``open_type`` and ``share_type``.
OPENNESS: Final = ("unconditional", "conditional", "none")

#: (published, open_type) -> who sees the entry's metadata.
METADATA: Final[dict[tuple[bool, str], frozenset[Audience]]] = {
    (True, "unconditional"): frozenset({_E}),
    (True, "conditional"): frozenset({_E}),
    (True, "none"): frozenset({_G, _P, _D}),
    (False, "unconditional"): frozenset({_P, _D}),
    (False, "conditional"): frozenset({_P, _D}),
    (False, "none"): frozenset({_P, _D}),
}

#: (published, open_type, share_type) -> who sees the entry's data. What is not open is shared by its share type;
#: 不予共享 stays in its department. Conditional data has no more readers until a request is granted.
DATA: Final[dict[tuple[bool, str, str], frozenset[Audience]]] = {
    (True, "unconditional", "unconditional"): frozenset({_E}),
    (True, "unconditional", "conditional"): frozenset({_E}),
    (True, "unconditional", "none"): frozenset({_E}),
    (True, "conditional", "unconditional"): frozenset({_G, _P, _D}),
    (True, "conditional", "conditional"): frozenset({_P, _D}),
    (True, "conditional", "none"): frozenset({_D}),
    (True, "none", "unconditional"): frozenset({_G, _P, _D}),
    (True, "none", "conditional"): frozenset({_P, _D}),
    (True, "none", "none"): frozenset({_D}),
    (False, "unconditional", "unconditional"): frozenset({_P, _D}),
    (False, "unconditional", "conditional"): frozenset({_P, _D}),
    (False, "unconditional", "none"): frozenset({_P, _D}),
    (False, "conditional", "unconditional"): frozenset({_P, _D}),
    (False, "conditional", "conditional"): frozenset({_P, _D}),
    (False, "conditional", "none"): frozenset({_D}),
    (False, "none", "unconditional"): frozenset({_P, _D}),
    (False, "none", "conditional"): frozenset({_P, _D}),
    (False, "none", "none"): frozenset({_D}),
}


def labels_of_entry(entry_state: str, open_type: str, share_type: str, owner_org_id: str) -> list[str]:
    """Labels of those who see the entry's metadata. Share type does not narrow metadata among government users."""
    del share_type  # named in the rule's signature because a later rule may use it
    audiences = METADATA[entry_state == EntryState.PUBLISHED, _known(open_type)]
    return _labels(audiences, owner_org_id)


def labels_of_data(entry_state: str, open_type: str, share_type: str, owner_org_id: str) -> list[str]:
    """Labels of those who see the entry's data: its table, its files, its dumps."""
    audiences = DATA[entry_state == EntryState.PUBLISHED, _known(open_type), _known(share_type)]
    return _labels(audiences, owner_org_id)


def labels_of_viewer(organization_ids: Iterable[str], roles: Iterable[str]) -> list[str]:
    """Labels of a viewer: the organizations that he is a member of, and his platform roles. Nobody's are ``public``."""
    members = sorted(f"{Audience.DEPARTMENT}-{organization_id}" for organization_id in organization_ids)
    held = frozenset(roles)
    labels = [str(Audience.EVERYONE), *members]
    if members or held:
        labels.append(str(Audience.GOVERNMENT))
    if PLATFORM_OFFICER in held:
        labels.append(str(Audience.PLATFORM))
    return labels


def may_see_data(
    entry_state: str, open_type: str, share_type: str, owner_org_id: str, viewer_labels: Iterable[str]
) -> bool:
    """Whether a viewer with these labels may read the entry's data."""
    return not frozenset(viewer_labels).isdisjoint(labels_of_data(entry_state, open_type, share_type, owner_org_id))


_Column = TypeVar("_Column", Item, Mapping[str, Any])


def public_items(entry: Mapping[str, Any], items: Sequence[_Column]) -> list[_Column]:
    """The columns that may stand in the entry's table: those whose open and share type are no narrower than its own.

    The DataStore has no rights by column, so a narrower column is not loaded. An item that says nothing has the
    entry's type; a type that is not in the code list is the narrowest.
    """
    return [
        item for item in items if not _narrower(entry, item, "open_type") and not _narrower(entry, item, "share_type")
    ]


def _narrower(entry: Mapping[str, Any], item: Item | Mapping[str, Any], key: str) -> bool:
    own = item.get(key) if isinstance(item, Mapping) else getattr(item, key)
    return bool(own) and OPENNESS.index(_known(own)) > OPENNESS.index(_known(entry.get(key) or ""))


def _known(code: str) -> str:
    return code if code in OPENNESS else OPENNESS[-1]


def _labels(audiences: frozenset[Audience], owner_org_id: str) -> list[str]:
    labels = [str(audience) for audience in sorted(audiences - {Audience.DEPARTMENT})]
    if Audience.DEPARTMENT in audiences and owner_org_id:
        labels.append(f"{Audience.DEPARTMENT}-{owner_org_id}")
    return labels
