"""Many datasets as CKAN's ``package_show`` dictizes one: the same dictionaries, from a constant number of queries.

What a catalogue entry never has (groups, relationships, tags of a vocabulary) is left to CKAN itself: such a dataset
is not among the results. A test compares the dictionaries with CKAN's own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, cast

import ckan.plugins as p
import sqlalchemy as sa
from ckan import model
from ckan.lib.dictization import model_dictize, table_dictize
from ckan.types import Context

#: ``table_dictize`` of a resource: everything that is not a column of its own.
_NOT_SHOWN = "extras"


def packages(package_ids: Collection[str]) -> dict[str, model.Package]:
    """The datasets of these ids that exist, in any state."""
    query = sa.select(model.Package).where(model.Package.id.in_(package_ids))
    # not as they were when this session saw them before
    query = query.execution_options(populate_existing=True)
    return {package.id: package for package in model.Session.scalars(query)}


def package_dicts(found: Collection[model.Package]) -> dict[str, dict[str, Any]]:
    """What ``package_show`` makes of each before it applies a schema; ``read`` and ``before_resource_show`` hooks ran.

    Datasets that have something which only CKAN's own way can show are left out.
    """
    ids = [package.id for package in found]
    left = _unusual(ids)
    ordinary = [package for package in found if package.id not in left]
    resources, tags = _resources(ids), _tags(ids)
    organizations = _organizations({package.owner_org for package in ordinary if package.owner_org})
    return {
        package.id: _dictized(package, resources.get(package.id, []), tags.get(package.id, []), organizations)
        for package in ordinary
    }


def _unusual(ids: Collection[str]) -> set[str]:
    member, group, related, tag = (
        model.member_table.c,
        model.group_table.c,
        model.package_relationship_table.c,
        model.tag_table.c,
    )
    grouped = (
        sa.select(member.table_id)
        .join(model.group_table, group.id == member.group_id)
        .where(member.table_id.in_(ids), member.state == "active", group.is_organization.is_(False))
    )
    vocabulary = (
        sa.select(model.package_tag_table.c.package_id)
        .join(model.tag_table, tag.id == model.package_tag_table.c.tag_id)
        .where(model.package_tag_table.c.package_id.in_(ids), tag.vocabulary_id.is_not(None))
    )
    subjects = sa.select(related.subject_package_id).where(related.subject_package_id.in_(ids))
    objects = sa.select(related.object_package_id).where(related.object_package_id.in_(ids))
    return set(model.Session.scalars(sa.union(grouped, vocabulary, subjects, objects)))


def _resources(ids: Collection[str]) -> dict[str, list[sa.Row[Any]]]:
    columns = model.resource_table.c
    query = sa.select(model.resource_table).where(columns.package_id.in_(ids), columns.state == "active")
    return _by_package(model.Session.execute(query.order_by(columns.package_id, columns.position)))


def _tags(ids: Collection[str]) -> dict[str, list[sa.Row[Any]]]:
    tag, carried = model.tag_table, model.package_tag_table
    query = (
        sa.select(tag, carried.c.state, carried.c.package_id)
        .join(carried, tag.c.id == carried.c.tag_id)
        .where(carried.c.package_id.in_(ids), carried.c.state == "active")
    )
    return _by_package(model.Session.execute(query))


def _by_package(rows: Iterable[sa.Row[Any]]) -> dict[str, list[sa.Row[Any]]]:
    found: dict[str, list[sa.Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.package_id, []).append(row)
    return found


def _organizations(ids: Collection[str]) -> dict[str, dict[str, Any]]:
    columns = model.group_table.c
    query = sa.select(model.group_table).where(columns.id.in_(ids), columns.state == "active")
    found = {}
    for row in model.Session.execute(query):
        found[row.id] = table_dictize(row, Context())
        del found[row.id][_NOT_SHOWN]
    return found


def _dictized(
    package: model.Package,
    resources: Iterable[sa.Row[Any]],
    tags: Iterable[sa.Row[Any]],
    organizations: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    context = Context()
    shown = table_dictize(package, context)
    if shown.get("title"):
        shown["title"] = shown["title"].strip()
    shown.pop("plugin_data", None)
    shown["resources"] = [model_dictize.resource_dictize(cast(model.Resource, row), context) for row in resources]
    shown["num_resources"] = len(shown["resources"])
    shown["tags"] = sorted((_tag(row) for row in tags), key=lambda tag: tag["name"])
    shown["num_tags"] = len(shown["tags"])
    shown["extras"] = [{"key": key, "value": value} for key, value in (package.extras or {}).items()]
    shown["groups"] = []
    organization = organizations.get(package.owner_org or "")
    shown["organization"] = dict(organization) if organization is not None else None
    shown["relationships_as_subject"] = []
    shown["relationships_as_object"] = []
    shown |= _derived(package)
    _run_hooks(package, shown)
    return shown


def _tag(row: sa.Row[Any]) -> dict[str, Any]:
    tag = table_dictize(row, Context())
    del tag["package_id"]
    return tag | {"display_name": tag["name"]}


def _derived(package: model.Package) -> dict[str, Any]:
    """What CKAN adds to the columns."""
    licence = package.license
    derived: dict[str, Any] = {"isopen": package.isopen(), "type": package.type or "dataset"}
    if licence and licence.url:
        derived |= {"license_url": licence.url, "license_title": licence.title.split("::")[-1]}
    else:
        derived["license_title"] = licence.title if licence else package.license_id
    created = package.metadata_created
    derived["metadata_modified"] = package.metadata_modified.isoformat()
    derived["metadata_created"] = created.isoformat() if created else None
    return derived


def _run_hooks(package: model.Package, shown: dict[str, Any]) -> None:
    for plugin in p.PluginImplementations(p.IPackageController):
        plugin.read(package)
    for plugin in p.PluginImplementations(p.IResourceController):
        for resource in shown["resources"]:
            plugin.before_resource_show(resource)
