"""Everything that a portal stores, in a form in which two portals that were told the same are equal.

What is made anew each time (random ids, moments) is replaced by what it stands for.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.lib.search.common import make_connection
from ckan.types import Context

from ckanext.openhuizhou.model.database import engine

#: Not part of what is written: versions of migrations, and the runs that do the writing.
_NOT_COMPARED = {"openhuizhou_run", "openhuizhou_source_change", "tracking_raw", "tracking_summary"}
_RANDOM_ID = {"package_tag", "member", "activity", "openhuizhou_outbox", "openhuizhou_finding"}
_RUNS = ("run_id", "last_run_id")
_MOMENTS = {"metadata_created", "metadata_modified", "created", "indexed_ts", "_version_"}

Snapshot = dict[str, Any]


def snapshot(before: Snapshot | None) -> Snapshot:
    """Tables, documents and what ``package_show`` says. ``before``: the snapshot that tells what has moved since."""
    model.Session.remove()
    tags = {tag.id: f"tag {tag.name}" for tag in model.Session.query(model.Tag)}
    moved = _moved(before)
    found: Snapshot = {
        "moments": moved.pop("moments"),
        "moved": moved["moved"],
        "documents": _documents(tags),
        "shown": _shown(tags),
    }
    names = sa.inspect(engine()).get_table_names()
    for name in sorted(set(names) - _NOT_COMPARED):
        if not name.endswith("alembic_version"):
            found[name] = _rows(name, tags)
    return found


def comparable(one: Snapshot) -> Snapshot:
    return {name: value for name, value in one.items() if name != "moments"}


def _moved(before: Snapshot | None) -> dict[str, Any]:
    """Which datasets and resources have another time of change than before."""
    moments = {}
    for table in (model.package_table, model.resource_table):
        moments |= dict(model.Session.execute(sa.select(table.c.id, table.c.metadata_modified)).tuples().all())
    known = before["moments"] if before else {}
    return {"moments": moments, "moved": sorted(id_ for id_, moment in moments.items() if known.get(id_) != moment)}


def _rows(name: str, tags: dict[str, str]) -> list[str]:
    table = sa.Table(name, sa.MetaData(), autoload_with=engine())
    rows = []
    for row in model.Session.execute(sa.select(table)).mappings():
        values = {column: _value(column, value, tags) for column, value in row.items()}
        if name in _RANDOM_ID:
            del values["id"]
        for column in _RUNS:
            values.pop(column, None)
        if name == "activity":
            values["data"] = _plain(json.loads(values["data"]), tags)
        rows.append(json.dumps(values, ensure_ascii=False, sort_keys=True))
    return sorted(rows)


def _value(column: str, value: Any, tags: dict[str, str]) -> Any:
    if isinstance(value, datetime):
        return "moment" if column != "last_modified" else value.isoformat()
    return tags.get(value, value) if isinstance(value, str) else value


def _plain(value: Any, tags: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: ("moment" if member is not None else None) if key in _MOMENTS else _plain(member, tags)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [_plain(member, tags) for member in value]
    return tags.get(value, value) if isinstance(value, str) else value


def _documents(tags: dict[str, str]) -> dict[str, Any]:
    """What Solr keeps, and what it finds documents by without keeping it."""
    query = {"fq": f'site_id:"{tk.config["ckan.site_id"]}"', "rows": 1000, "fl": "*"}
    documents = {}
    for document in make_connection(decode_dates=False).search("*:*", **query).docs:
        for name in ("data_dict", "validated_data_dict"):
            document[name] = json.loads(document[name])
        documents[document["id"]] = _plain(document, tags)
    return documents


def _shown(tags: dict[str, str]) -> dict[str, Any]:
    shown = {}
    for (package_id,) in model.Session.query(model.Package.id).all():
        for cached in (True, False):
            context = Context(ignore_auth=True, use_cache=cached)
            entry = tk.get_action("package_show")(context, {"id": package_id})
            shown[f"{package_id} {'from the index' if cached else 'from the database'}"] = _plain(entry, tags)
    return shown
