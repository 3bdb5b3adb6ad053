"""What the form of an entry needs beyond its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.openhuizhou.domain.entry_state import EntryState
from ckanext.openhuizhou.logic.action.entry import SEEN_VERSION
from ckanext.openhuizhou.logic.entry_access import entry_state_of, is_platform_officer
from ckanext.openhuizhou.model.department import departments

__all__ = [
    "openhuizhou_choice_groups",
    "openhuizhou_entry_form",
    "openhuizhou_form_sections",
    "openhuizhou_form_value",
    "openhuizhou_item_rows",
    "openhuizhou_providers",
]

#: Rows that wait below the filled ones, so that items can be added without JavaScript.
BLANK_ROWS = 5


@dataclass(frozen=True, slots=True)
class FormState:
    """``save`` is the state that saving keeps; ``publish`` whether the form may offer to publish; ``version`` what
    the entry is compared with when the form is sent, so that nobody overwrites what he has not seen."""

    id: str | None
    save: str
    publish: bool
    version: str


def openhuizhou_entry_form(data: Mapping[str, Any], errors: Mapping[str, Any] | None = None) -> FormState:
    """Where the form's entry stands, whatever state the form itself asked for. A form that comes back with mistakes
    keeps its version, until its sender has been told that it is not the last one."""
    package = model.Package.get(data["id"]) if data.get("id") else None
    state = entry_state_of(package) if package else EntryState.DRAFT
    publisher = tk.h.check_access("openhuizhou_entry_publish", {"id": data.get("id")})
    version = package.metadata_modified.isoformat() if package and package.metadata_modified else ""
    if SEEN_VERSION not in (errors or {}):
        version = str(data.get(SEEN_VERSION) or version)
    may_publish = publisher and state != EntryState.PUBLISHED
    return FormState(package.id if package else None, str(state), may_publish, version)


def openhuizhou_form_sections(fields: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The fields that the form shows, in parts: ``[{title, fields}]``; ``section`` in the schema begins a part."""
    sections: list[dict[str, Any]] = []
    for field in fields:
        if field.get("form_snippet", "") is None:
            continue
        if "section" in field or not sections:
            sections.append({"title": field.get("section"), "fields": []})
        sections[-1]["fields"].append(field)
    return sections


def openhuizhou_item_rows(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items as they were typed or stored, and blank rows after them."""
    items = data.get("items")
    rows = [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    return [*rows, *({} for _ in range(BLANK_ROWS))]


def openhuizhou_providers(selected: str | None) -> list[dict[str, str]]:
    """``[{value, text}]`` of the organizations that the caller may file an entry under."""
    user = model.User.get(tk.current_user.name) if tk.current_user.is_authenticated else None
    if user and (user.sysadmin or is_platform_officer({"auth_user_obj": user})):
        found = [{"value": each["id"], "text": each["title"] or each["name"]} for each in departments()]
    else:
        organizations = tk.h.organizations_available("create_dataset")
        found = [{"value": each["id"], "text": each["display_name"]} for each in organizations]
    if selected and all(each["value"] != selected for each in found):
        # a name, as an address or the API gives it
        organization = model.Group.get(selected)
        if organization and all(each["value"] != organization.id for each in found):
            found.append({"value": organization.id, "text": organization.title or organization.name})
    return found


def openhuizhou_choice_groups(field: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The choices of a field by ``group``: ``[{label, choices}]``, groups in order of appearance."""
    groups: list[dict[str, Any]] = []
    for choice in tk.h.scheming_field_choices(field):
        label = tk.h.scheming_language_text(choice["group"])
        if not groups or groups[-1]["label"] != label:
            groups.append({"label": label, "choices": []})
        groups[-1]["choices"].append(choice)
    return groups


def openhuizhou_form_value(value: Any) -> str:
    """A value as a form writes it: yes and no as in the code list, several lines one below the other."""
    if value is None or value is tk.missing:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    text = str(value)
    return text.lower() if text in {"True", "False"} else text
