"""The check of a whole entry, and what the platform fills in by itself.

Runs after the validators of the single fields. The rules are ``domain.entry_rules``; what is done here is to ask them
with what the database knows, to put each finding beside its field, and, when nothing is wrong, to derive what nobody
types: code and name, CKAN's ``state`` and ``private``, the dates of publication and withdrawal.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib.navl.dictization_functions import unflatten
from ckan.types import Context, FlattenDataDict, FlattenErrorDict, FlattenKey

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.city_time import today
from ckanext.openhuizhou.domain.derived import derive, derive_application
from ckanext.openhuizhou.domain.entry_rules import Lookups, check_entry
from ckanext.openhuizhou.domain.entry_state import COMPLETE, DRY_RUN, EntryState, may_move
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.logic.entry_access import entry_state_of, is_publisher
from ckanext.openhuizhou.logic.findings import finding_text
from ckanext.openhuizhou.model import catalogue

__all__ = ["openhuizhou_application_check", "openhuizhou_entry_check"]

#: Their advice is for a harvest's report: beside an empty field it says nothing.
_MENDED_AT_SOURCE = {"required-missing", "item-required-missing"}
_NOT_RULED = {"extras", "resources", "tags", "groups", "__extras", "__junk"}


def openhuizhou_entry_check(
    key: FlattenKey,  # noqa: ARG001 - CKAN tells validators apart by the number of their arguments
    data: FlattenDataDict,
    errors: FlattenErrorDict,
    context: Context,
) -> None:
    """Check a catalogue entry and fill in what is derived."""
    package: model.Package | None = context.get("package")
    _forget_unknown_subfields(data)
    state = _state(data, errors, context, package)
    if not _value(data, "category") and (package is None or state in COMPLETE):
        _set(data, "category", config.reference().default_category(_organization_name(data)))
    if package is not None and not _value(data, "catalogue_code") and _stored(package, "catalogue_code"):
        _set(data, "catalogue_code", _stored(package, "catalogue_code"))
    entry = _entry(data)
    findings = [*_typed_code(entry, package), *check_entry(entry, _purpose(state), _lookups(package))]
    _place(findings, errors)
    if not any(errors.values()):
        _derive(data, state, package)
        _identify(data, package, context)


def openhuizhou_application_check(
    key: FlattenKey,  # noqa: ARG001 - CKAN tells validators apart by the number of their arguments
    data: FlattenDataDict,
    errors: FlattenErrorDict,
    context: Context,
) -> None:
    """Check an application's state and fill in what is derived. Whoever has logged in may submit one, so that files
    and tables of its own would be a store that is open to everybody."""
    package: model.Package | None = context.get("package")
    for number in {place[1] for place in data if place[0] == "resources" and len(place) > 2}:
        message = tk._("An application takes no files; name its address and the codes of the datasets it uses")
        errors.setdefault(("resources", number, "url"), []).append(message)
    state = _state(data, errors, context, package)
    if any(errors.values()):
        return
    _derive(data, state, package)
    if package is not None:
        data["name",] = package.name
    elif not context.get(DRY_RUN):
        data["name",] = catalogue.assign_application_name()


def _purpose(state: EntryState) -> Any:
    return "publish" if state in COMPLETE else "draft"


def _state(
    data: FlattenDataDict, errors: FlattenErrorDict, context: Context, package: model.Package | None
) -> EntryState:
    """The state that the entry would have; a step that this caller may not take becomes an error."""
    before = entry_state_of(package) if package is not None else EntryState.DRAFT
    asked = _value(data, "entry_state") or before
    if asked not in set(EntryState):
        _place([Finding("code-unknown", field="entry_state", value=str(asked))], errors)
        return before
    after = EntryState(asked)
    if not may_move(before, after, publisher=is_publisher(context)):
        finding = Finding("state-not-allowed", field="entry_state", params={"before": before, "after": after})
        _place([finding], errors)
        return before
    return after


def _typed_code(entry: Mapping[str, Any], package: model.Package | None) -> list[Finding]:
    typed = entry.get("catalogue_code")
    stored = _stored(package, "catalogue_code") if package is not None else None
    if not typed or typed == stored:
        return []
    return [Finding("code-typed", field="catalogue_code", value=str(typed))]


def _lookups(package: model.Package | None) -> Lookups:
    def title_taken(owner_org: str, normalised: str) -> bool:
        holder = catalogue.title_holder(owner_org, normalised)
        return holder is not None and (package is None or holder != package.id)

    return Lookups(config.reference(), catalogue.existing_codes, title_taken)


def _place(findings: list[Finding], errors: FlattenErrorDict) -> None:
    """Put each sentence beside its field or its item's cell; warnings stop nobody and are not shown here."""
    for finding in findings:
        if finding.severity != "error":
            continue
        place: tuple[Any, ...] = (finding.field,)
        if finding.row is not None:
            place = (finding.field, finding.row - 1, finding.params["subfield"])
        elif finding.field == "items" and ("items", 0, "name") in errors:
            place = ("items", 0, "name")
        if finding.kind == "required-missing" and errors.get(place):
            continue  # CKAN has said so already
        errors.setdefault(place, []).append(finding_text(finding, with_mend=finding.kind not in _MENDED_AT_SOURCE))


def _derive(data: FlattenDataDict, state: EntryState, package: model.Package | None) -> None:
    """CKAN's own state and the dates. A deleted dataset stays deleted until somebody asks for it back."""
    stored = (package.extras or {}) if package is not None else {}
    if data.get(("type",)) == "application":
        derived = derive_application(state, stored, today())
    else:
        derived = derive(state, _value(data, "open_type"), stored, today())
    deleted = _value(data, "state") == model.State.DELETED or (
        package is not None and package.state == model.State.DELETED and not _value(data, "state")
    )
    data["private",] = derived.private
    data["state",] = model.State.DELETED if deleted else derived.state
    for name, value in derived.fields.items():
        _set(data, name, value)


def _identify(data: FlattenDataDict, package: model.Package | None, context: Context) -> None:
    """Code and name: kept for ever once assigned. A dry run takes no number."""
    if package is not None:
        data["name",] = package.name
        if _stored(package, "catalogue_code"):
            return
    if context.get(DRY_RUN):
        return
    package_id = package.id if package is not None else _value(data, "id") or str(uuid.uuid4())
    code = catalogue.assign_code(_value(data, "category"), package_id)
    data["id",] = package_id
    data["name",] = code.dataset_name
    _set(data, "catalogue_code", str(code))


def _entry(data: FlattenDataDict) -> dict[str, Any]:
    """What the rules see: values as ``package_show`` gives them, empty ones left out."""
    given = {key: value for key, value in data.items() if value is not tk.missing and key[0] not in _NOT_RULED}
    entry = unflatten(given)
    related = entry.get("related_codes")
    if isinstance(related, str):
        entry["related_codes"] = json.loads(related)
    return entry


def _value(data: FlattenDataDict, name: str) -> Any:
    value = data.get((name,))
    return None if value is tk.missing else value


def _stored(package: model.Package, name: str) -> Any:
    return (package.extras or {}).get(name)


def _set(data: FlattenDataDict, name: str, value: str | None) -> None:
    """Set a field that is kept as an extra, or remove it."""
    number = next((key[1] for key, extra in data.items() if _is_extra_key(key) and extra == name), None)
    if value is None:
        data.pop((name,), None)
        for part in ("key", "value"):
            data.pop(("extras", number, part), None)
        return
    data[name,] = value
    if number is None:
        numbers = [key[1] for key in data if key[0] == "extras" and len(key) == 3]
        number = max(numbers, default=-1) + 1
        data["extras", number, "key"] = name
    data["extras", number, "value"] = value


def _is_extra_key(key: FlattenKey) -> bool:
    return len(key) == 3 and key[0] == "extras" and key[2] == "key"


def _forget_unknown_subfields(data: FlattenDataDict) -> None:
    """Parts of an item that the schema does not know would be stored with it."""
    for key in [key for key in data if key[0] == "items" and key[-1] == "__extras"]:
        del data[key]


def _organization_name(data: FlattenDataDict) -> str | None:
    owner_org = _value(data, "owner_org")
    organization = model.Group.get(owner_org) if owner_org else None
    return organization.name if organization else None
