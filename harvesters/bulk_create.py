"""Rows of many new entries, as ``package_create`` writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.domain.catalogue_code import CatalogueCode
from ckanext.openhuizhou.domain.city_time import today, utcnow
from ckanext.openhuizhou.domain.derived import derive
from ckanext.openhuizhou.domain.entry_state import EntryState
from ckanext.openhuizhou.domain.title import title_key
from ckanext.openhuizhou.harvesters.entry_form import EntryForm, entry_form, resource_form
from ckanext.openhuizhou.harvesters.field_values import NotPlainError
from ckanext.openhuizhou.model import catalogue


@dataclass(frozen=True, slots=True)
class _NewEntry:
    """``data``: what ``package_create`` would be given."""

    data: Mapping[str, Any]
    form: EntryForm
    resources: tuple[dict[str, Any], ...]

    @property
    def id(self) -> str:
        return self.data["id"]


def write(entries: Iterable[Mapping[str, Any]], context: Context) -> list[str]:
    """The ids of the entries that were written, in the session's transaction. Not written is what a validator has
    something against, and what has a title that another entry has: the action says it best.
    """
    read = [one for one in (_read(data, context) for data in entries) if one is not None]
    titles = {one.id: (one.data["owner_org"], title_key(one.form.columns["title"])) for one in read}
    claimed = catalogue.claim_titles(titles)
    mine = [one for one in read if one.id in claimed]
    if not mine:
        return []
    codes = catalogue.assign_codes({one.id: one.form.extras["category"] for one in mine})
    tags = _tags({name for one in mine for name in one.form.tags or ()})
    for one in mine:
        _add(one, codes[one.id], writer_of(context), tags)
    model.Session.flush()
    # (a ``Member`` object without its group object loses its group_id)
    model.Session.execute(sa.insert(model.member_table), [_member(one) for one in mine])
    return [one.id for one in mine]


def writer_of(context: Context) -> model.User:
    """Whom the context says to write for."""
    user = context.get("auth_user_obj")
    assert isinstance(user, model.User), "whoever writes at once says for whom"
    return user


def _read(data: Mapping[str, Any], context: Context) -> _NewEntry | None:
    try:
        form = entry_form(data, context)
        resources = tuple(resource_form(one, context) for one in data["resources"])
    except NotPlainError:
        return None
    if not (form.columns.get("title") and form.extras.get("category") and data.get("owner_org")):
        return None
    return _NewEntry(data, form, resources)


def _add(one: _NewEntry, code: CatalogueCode, user: model.User, tags: Mapping[str, model.Tag]) -> None:
    state = EntryState(one.data["entry_state"])
    derived = derive(state, one.form.extras.get("open_type"), {}, today())
    fields = {name: value for name, value in derived.fields.items() if value is not None}
    package = model.Package(
        id=one.id,
        type=one.data["type"],
        name=code.dataset_name,
        **one.form.columns,
        owner_org=one.data["owner_org"],
        creator_user_id=user.id,
        private=derived.private,
        state=derived.state,
        metadata_modified=utcnow(),
    )
    package.extras = {**one.form.extras, **fields, "catalogue_code": str(code)}
    model.Session.add(package)
    for position, values in enumerate(one.resources):
        model.Session.add(_resource(package, position, values))
    for name in dict.fromkeys(one.form.tags or ()):
        model.Session.add(model.PackageTag(package, tags[name], "active"))


def _member(one: _NewEntry) -> dict[str, Any]:
    """That the provider has the entry."""
    belongs = {"table_name": "package", "capacity": "organization", "state": "active"}
    return {"table_id": one.id, "group_id": one.data["owner_org"], **belongs}


def _resource(package: model.Package, position: int, values: dict[str, Any]) -> model.Resource:
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
