"""The resources of an entry: the record's table, its links, and whatever a person added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from ckanext.openhuizhou.harvesters.prepared import Prepared
from ckanext.openhuizhou.harvesters.records import Link
from ckanext.openhuizhou.model.harvest import link_id_of


def resources_of(prepared: Prepared, existing: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every resource that the entry is to have, as CKAN's actions take them.

    What the record brings stands where it stood, by its id; what it no longer brings goes, and what the record that
    loses the entry brought; what a person added stays. A table that is not staged anew stays as it is.
    """
    there = {resource["id"]: resource for resource in existing}
    ours = {link["id"]: link for link in (_link(prepared, link) for link in prepared.links)}
    if prepared.staged is not None:
        ours = {prepared.resource_id: _with_table(prepared, there.get(prepared.resource_id, {})), **ours}
    stay = [id_ for id_, resource in there.items() if id_ in ours or not _gone(prepared, resource)]
    kept = [ours.pop(id_, dict(there[id_])) for id_ in stay]
    new_table = [ours.pop(prepared.resource_id)] if prepared.resource_id in ours else []
    return [*new_table, *kept, *ours.values()]


def _gone(prepared: Prepared, resource: Mapping[str, Any]) -> bool:
    """Whether a resource was brought by this record, or by the one that loses the entry, and is brought no longer."""
    url, taken = str(resource.get("url") or ""), prepared.takes_over
    if resource["id"] == link_id_of(prepared.source_id, prepared.key, url):
        return True
    return taken is not None and resource["id"] in (taken.resource_id, link_id_of(taken.source_id, taken.key, url))


def _with_table(prepared: Prepared, before: Mapping[str, Any]) -> dict[str, Any]:
    """The resource of the record's table. One that is held back changes nothing, and a new entry's is still empty."""
    assert prepared.staged is not None, "asked for only with a table"
    if not prepared.staged.held:
        return {**before, **_table(prepared)}
    return {**_table(prepared), "datastore_active": False, "size": None, **before}


def _table(prepared: Prepared) -> dict[str, Any]:
    assert prepared.staged is not None, "asked for only with a table"
    return {
        "id": prepared.resource_id,
        "name": prepared.title,
        "url": "data.csv",
        "url_type": "upload",
        "format": "CSV",
        "mimetype": "text/csv",
        "size": prepared.staged.size_bytes,
        "datastore_active": True,
    }


def _link(prepared: Prepared, link: Link) -> dict[str, Any]:
    values = {
        "id": link_id_of(prepared.source_id, prepared.key, link.url),
        "url": link.url,
        "name": link.name or unquote(PurePosixPath(urlsplit(link.url).path).name) or prepared.title,
        "description": link.description,
        "format": link.format,
        "mimetype": link.mimetype,
        "size": link.size,
        "last_modified": link.modified,
    }
    return {name: value for name, value in values.items() if value not in ("", None)}
