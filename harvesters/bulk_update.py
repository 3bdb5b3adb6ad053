"""Rows of many entries that change, as ``package_update`` writes them.

The rows of a batch are read at once and locked, so that nothing that a person saves meanwhile is overwritten unseen.
What differs is found by CKAN's own ``from_dict``; lists of resources or tags that differ are saved by CKAN's own
functions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from ckan import model
from ckan.lib import uploader
from ckan.lib.dictization import model_save
from ckan.types import Context
from sqlalchemy.orm import selectinload

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.city_time import today, utcnow
from ckanext.openhuizhou.domain.derived import derive
from ckanext.openhuizhou.domain.entry_rules import Lookups, check_entry
from ckanext.openhuizhou.domain.entry_state import COMPLETE, EntryState, may_move
from ckanext.openhuizhou.domain.title import title_key
from ckanext.openhuizhou.harvesters.entry_form import entry_form, resource_form
from ckanext.openhuizhou.harvesters.field_values import NotPlainError
from ckanext.openhuizhou.model import catalogue
from ckanext.openhuizhou.search.package_dicts import package_dicts
from ckanext.openhuizhou.search.shown import shown

_KEPT = ("type", "name", "owner_org")


@dataclass(frozen=True, slots=True)
class _Change:
    """``values``: columns and extras of the dataset. ``resources``: all that it is to have; those whose position is in
    ``copied`` are as they were. ``tags``: None leaves them as they are."""

    package: model.Package
    values: dict[str, Any]
    resources: list[dict[str, Any]]
    copied: dict[int, int]
    tags: tuple[str, ...] | None


def write(
    wanted: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any] | None]], context: Context
) -> dict[str, bool]:
    """Id → whether anything changed, of the entries that are as they should be now, in the session's transaction.

    Missing is what the action has to do: deleted entries, those that change hands, wrong values, taken titles.
    """
    done: dict[str, bool] = {}
    found = _locked(wanted)
    dicts = package_dicts(list(found.values()))
    changes: list[_Change] = []
    for package_id, package_dict in dicts.items():
        package = found[package_id]
        existing = _shown(package, package_dict)
        data = wanted[package_id](existing)
        if data is None:
            done[package_id] = False
            continue
        try:
            changes.append(_read(package, existing, data, context))
        except NotPlainError:
            continue
    mine = _with_titles(_without_others_resources(changes))
    done |= {change.package.id: _applied(change, context) for change in mine}
    model.Session.flush()
    return done


def _locked(ids: Collection[str]) -> dict[str, model.Package]:
    """The living entries among these, in one order everywhere, so that two batches do not wait for each other."""
    query = (
        sa.select(model.Package)
        .where(model.Package.id.in_(ids), model.Package.type == "dataset", model.Package.state != model.State.DELETED)
        .order_by(model.Package.id)
        .options(
            selectinload(model.Package.resources_all),
            selectinload(model.Package.package_tags).selectinload(model.PackageTag.tag),
        )
        .with_for_update(of=model.Package)
        .execution_options(populate_existing=True)
    )
    return {package.id: package for package in model.Session.scalars(query)}


def _shown(package: model.Package, package_dict: dict[str, Any]) -> dict[str, Any]:
    context = Context(ignore_auth=True, use_cache=False, package=package, session=model.Session)
    return shown(package_dict, context)[1]


def _read(package: model.Package, existing: Mapping[str, Any], data: Mapping[str, Any], context: Context) -> _Change:
    stored = package.extras or {}
    before, after = existing.get("entry_state"), EntryState(data["entry_state"])
    if before not in set(EntryState) or not may_move(EntryState(before), after, publisher=True):
        raise NotPlainError("a state that is not reached from there")
    if data.get("owner_org") != package.owner_org or not stored.get("catalogue_code"):
        raise NotPlainError("another provider, or no code yet")
    form = entry_form(data, context)
    _check_again(data, after)
    derived = derive(after, form.extras.get("open_type"), stored, today())
    extras = {**form.extras, "catalogue_code": stored["catalogue_code"]}
    for name, value in derived.fields.items():
        extras.pop(name, None)
        if value is not None:
            extras[name] = value
    values = {**form.columns, "extras": extras, "state": derived.state, "private": derived.private}
    values |= {name: getattr(package, name) for name in _KEPT}
    resources, copied = _resources(data["resources"], existing["resources"], context)
    return _Change(package, values, resources, copied, form.tags)


def _check_again(data: Mapping[str, Any], state: EntryState) -> None:
    """The rules were checked on what the record says. What the entry says besides may not fit to it."""
    entry = {name: value for name, value in data.items() if name not in ("resources", "tags", "extras", "organization")}
    findings = check_entry(entry, "publish" if state in COMPLETE else "draft", Lookups(config.reference()))
    if any(finding.severity == "error" for finding in findings):
        raise NotPlainError("breaks a rule together with what was there")


def _resources(
    wanted: Sequence[Mapping[str, Any]], existing: Sequence[Mapping[str, Any]], context: Context
) -> tuple[list[dict[str, Any]], dict[int, int]]:
    """Resources to save, and position → former position of those that are copied, as ``package_update`` finds them."""
    there = {resource["id"]: resource for resource in existing}
    copied: dict[int, int] = {}
    resources: list[dict[str, Any]] = []
    for number, given in enumerate(wanted):
        values = dict(given)
        if values == there.get(values["id"]):
            copied[number] = values["position"]
            resources.append(values)
            continue
        if "mimetype" not in values:
            values["mimetype"] = getattr(uploader.get_resource_uploader(values), "mimetype", None)
        resources.append(resource_form(values, context))
    return resources, copied


def _without_others_resources(changes: Sequence[_Change]) -> list[_Change]:
    """Without changes that would take a resource from another dataset."""
    owners = {resource["id"]: change.package.id for change in changes for resource in change.resources}
    columns = model.resource_table.c
    query = sa.select(columns.id, columns.package_id).where(columns.id.in_(owners))
    taken = {owners[id_] for id_, package_id in model.Session.execute(query) if package_id != owners[id_]}
    return [change for change in changes if change.package.id not in taken]


def _with_titles(changes: Sequence[_Change]) -> list[_Change]:
    """The changes whose title the entry has, or has got now."""
    known = catalogue.claimed_titles([change.package.id for change in changes])
    mine = []
    for change in changes:
        package_id, owner_org = change.package.id, change.package.owner_org or ""
        key = title_key(change.values.get("title") or "")
        if not key:
            continue
        if known.get(package_id) == (owner_org, key) or _claimed(package_id, owner_org, key):
            mine.append(change)
    return mine


def _claimed(package_id: str, owner_org: str, key: str) -> bool:
    savepoint = model.Session.begin_nested()
    if catalogue.claim_title(package_id, owner_org, key):
        savepoint.commit()
        return True
    savepoint.rollback()
    return False


def _applied(change: _Change, context: Context) -> bool:
    """Whether anything differed."""
    package = change.package
    changed = bool(package.from_dict(change.values)[0])
    copied = change.copied
    active = sum(resource.state == "active" for resource in package.resources_all)
    if len(copied) != active or len(change.resources) != active or any(a != b for a, b in copied.items()):
        saved = model_save.package_resource_list_save(change.resources, package, context, copied)
        changed = saved or changed
    names = set(change.tags or ())
    if change.tags is not None and names != _active_tags(package):
        tags = [{"name": name} for name in sorted(names)]
        changed = model_save.package_tag_list_save(tags, package, context) or changed
    if changed:
        package.metadata_modified = utcnow()
    return changed


def _active_tags(package: model.Package) -> set[str]:
    carried = (one.tag for one in package.package_tags if one.state == "active")
    return {tag.name for tag in carried if tag is not None}
