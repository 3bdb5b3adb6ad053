"""Many new entries at once: what ``package_create`` writes of each, in few statements of one transaction.

CKAN's action costs some twenty milliseconds for each entry, most of them for what the engine has done already (rules)
or does once for all (code, organization, activity, index). This writes the same rows with CKAN's own model classes.
Tests write the same entries both ways and compare every row of every table.

It is used while nothing else takes part in creating a dataset (``possible``); an entry with anything out of the
ordinary goes through the action.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.lib.plugins import get_permission_labels
from ckan.types import Context

from ckanext.openhuizhou.domain.catalogue_code import CatalogueCode
from ckanext.openhuizhou.domain.city_time import today, utcnow
from ckanext.openhuizhou.domain.derived import derive
from ckanext.openhuizhou.domain.entry_state import EntryState
from ckanext.openhuizhou.domain.title import title_key
from ckanext.openhuizhou.harvesters.entry_form import EntryForm, NotPlainError, entry_form
from ckanext.openhuizhou.model import catalogue
from ckanext.openhuizhou.search import outbox
from ckanext.openhuizhou.search.package_dicts import package_dicts, packages
from ckanext.openhuizhou.search.shown import shown

#: Of these plugins it is known what they do when a dataset is created; the activity plugin listens to a signal.
_KNOWN: Final = frozenset({"openhuizhou", "activity", "datastore", "scheming_datasets", "scheming_organizations"})


@dataclass(frozen=True, slots=True)
class NewEntry:
    """``data``: what ``package_create`` would be given."""

    data: Mapping[str, Any]
    form: EntryForm

    @property
    def id(self) -> str:
        return self.data["id"]


@cache
def possible() -> bool:
    """Whether nothing else takes part: no plugin that we do not know, no views that are made by themselves."""
    return set(tk.config["ckan.plugins"]) <= _KNOWN and not tk.config["ckan.views.default_views"]


def read(data: Mapping[str, Any], context: Context) -> NewEntry | None:
    """The entry as it will be stored; None when it has to go through the action."""
    try:
        return NewEntry(data, entry_form(data, context))
    except NotPlainError:
        return None


def write(entries: Sequence[NewEntry], user: model.User) -> set[str]:
    """Write these entries in the session's transaction, uncommitted; the ids of those that were written.

    The others have a title that another entry has: the action says it best. Takes numbers in a transaction of its
    own, as the action does.
    """
    titles = {one.id: (one.data["owner_org"], title_key(one.form.columns.get("title") or "")) for one in entries}
    claimed = catalogue.claim_titles(titles)
    mine = [one for one in entries if one.id in claimed]
    if not mine:
        return set()
    codes = catalogue.assign_codes({one.id: one.form.extras["category"] for one in mine})
    tags = _tags({name for one in mine for name in one.form.tags})
    for one in mine:
        _add(one, codes[one.id], user, tags)
    model.Session.flush()
    ids = [one.id for one in mine]
    _add_activities(ids, user)
    outbox.enqueue(ids)
    return set(ids)


def _add(one: NewEntry, code: CatalogueCode, user: model.User, tags: Mapping[str, model.Tag]) -> None:
    state = EntryState(one.data["entry_state"])
    derived = derive(state, one.form.extras.get("open_type"), {}, today())
    fields = {name: value for name, value in derived.fields.items() if value is not None}
    package = model.Package(
        id=one.id,
        type=one.data["type"],
        name=code.dataset_name,
        **one.form.columns,
        creator_user_id=user.id,
        private=derived.private,
        state=derived.state,
        metadata_modified=utcnow(),
    )
    package.extras = {**one.form.extras, **fields, "catalogue_code": str(code)}
    model.Session.add(package)
    for position, values in enumerate(one.form.resources):
        model.Session.add(_resource(package, position, values))
    for name in one.form.tags:
        model.Session.add(model.PackageTag(package, tags[name], "active"))
    organization = one.data["owner_org"]
    member = model.Member(
        table_id=one.id, table_name="package", group_id=organization, capacity="organization", state="active"
    )
    model.Session.add(member)


def _resource(package: model.Package, position: int, values: Mapping[str, Any]) -> model.Resource:
    values = dict(values)
    if values.get("url") and values.get("url_type") == "upload":
        values["url"] = values["url"].rsplit("/")[-1]
    resource = model.Resource()
    _changed, extras = resource.from_dict(values)
    resource.package_id, resource.position, resource.state = package.id, position, "active"
    resource.extras, resource.metadata_modified = extras, utcnow()
    return resource


def _tags(names: set[str]) -> dict[str, model.Tag]:
    """Tags of no vocabulary by name; those that are not there yet are added."""
    query = sa.select(model.Tag).where(model.Tag.name.in_(names), model.Tag.vocabulary_id.is_(None))
    found = {tag.name: tag for tag in model.Session.scalars(query)}
    for name in sorted(names - found.keys()):
        found[name] = model.Tag(name=name)
        model.Session.add(found[name])
    return found


def _add_activities(ids: Sequence[str], user: model.User) -> None:
    """What the activity plugin writes after ``package_create``."""
    if not p.plugin_loaded("activity") or not tk.config.get("ckan.activity_streams_enabled"):
        return
    from ckanext.activity.model import Activity

    found = packages(ids)
    labels = get_permission_labels()
    for package_id, package_dict in package_dicts(list(found.values())).items():
        package = found[package_id]
        context = Context(ignore_auth=True, use_cache=False, package=package, session=model.Session)
        _default, custom = shown(package_dict, context)
        data = {"package": custom, "actor": user.name}
        activity = Activity(user.id, package_id, "new package", data, labels.get_dataset_labels(package))
        model.Session.add(activity)
    model.Session.flush()
