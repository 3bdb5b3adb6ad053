"""What the page of one catalogue entry shows, asked of actions with the reader's own eyes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.catalogue_code import CatalogueCode
from ckanext.openhuizhou.domain.items import Item

from .formats import openhuizhou_cell

__all__ = [
    "openhuizhou_code_name",
    "openhuizhou_curl",
    "openhuizhou_examples",
    "openhuizhou_files",
    "openhuizhou_items",
    "openhuizhou_preview",
    "openhuizhou_provider",
    "openhuizhou_related",
]

PREVIEW_ROWS = 20
RELATED_ENTRIES = 5
#: Item types whose cells stand at the right edge of their column.
NUMERIC = frozenset({"integer", "number", "currency"})
#: PostgreSQL types of tables whose columns the entry does not describe.
_TYPE_OF_COLUMN = {"numeric": "number", "int4": "integer", "int8": "integer", "bool": "boolean", "date": "date"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a preview."""

    column: str
    label: str
    unit: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows, ready to be shown; ``total`` is the number of rows of the whole table."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


def openhuizhou_items(entry: Mapping[str, Any]) -> list[Item]:
    """The information items of an entry."""
    return [Item.from_dict(values) for values in entry.get("items") or ()]


def openhuizhou_preview(entry: Mapping[str, Any], resource: Mapping[str, Any]) -> Preview | None:
    """First rows of a resource's table; None when it has none or this reader may not see it."""
    if not resource.get("datastore_active"):
        return None
    try:
        found = tk.get_action("datastore_search")({}, {"resource_id": resource["id"], "limit": PREVIEW_ROWS})
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return None
    items = {item.column: item for item in openhuizhou_items(entry)}
    fields = [field for field in found["fields"] if field["id"] != "_id"]
    types = [
        items[field["id"]].data_type
        if field["id"] in items
        else _TYPE_OF_COLUMN.get(field["type"], "datetime" if field["type"].startswith("timestamp") else "string")
        for field in fields
    ]
    columns = tuple(_column(field, items, type_) for field, type_ in zip(fields, types, strict=True))
    rows = tuple(
        tuple(openhuizhou_cell(record.get(column.column), type_) for column, type_ in zip(columns, types, strict=True))
        for record in found["records"]
    )
    return Preview(columns, rows, found.get("total", len(rows)))


def _column(field: Mapping[str, Any], items: Mapping[str, Item], data_type: str) -> Column:
    item = items.get(field["id"])
    label = (field.get("info") or {}).get("label") or (item.name if item else "") or field["id"]
    return Column(field["id"], label, item.unit if item else "", data_type in NUMERIC)


def openhuizhou_files(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources that can be fetched: tables of the platform first."""
    return sorted(entry.get("resources") or (), key=lambda resource: not resource.get("datastore_active"))


def openhuizhou_provider(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The providing organization with its own fields (credit code, level, region)."""
    asked = {
        "id": entry["owner_org"],
        "include_dataset_count": False,
        "include_datasets": False,
        "include_extras": True,
        "include_followers": False,
        "include_groups": False,
        "include_tags": False,
        "include_users": False,
    }
    try:
        return tk.get_action("organization_show")({}, asked)
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return dict(entry.get("organization") or {})


def openhuizhou_related(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A few other entries of the same field, then of the same department: ``name, title, organization``."""
    wanted = [f'theme:"{entry["theme"]}"'] if entry.get("theme") else []
    organization = entry.get("organization") or {}
    if organization.get("name"):
        wanted.append(f'organization:"{organization["name"]}"')
    if not wanted:
        return []
    found = tk.get_action("package_search")(
        {},
        {
            "q": " OR ".join(wanted),
            "defType": "lucene",
            "fq": f'dataset_type:dataset -id:"{entry["id"]}"',
            "fl": ["name", "title", "organization"],
            "rows": RELATED_ENTRIES,
            "sort": "score desc, data_modified desc",
        },
    )
    return found["results"]


def openhuizhou_code_name(code: str) -> str:
    """The name of the entry with this catalogue code, as it stands in addresses; no other text leads out of them."""
    try:
        return CatalogueCode.parse(code.strip()).dataset_name
    except ValueError:
        return code.strip().replace("/", "-")


def openhuizhou_examples(entry: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Calls of the API that this reader can copy as they are: ``[{"action": …, "command": …}, …]``."""
    examples = [{"action": "package_show", "command": openhuizhou_curl("package_show", id=entry["name"])}]
    table = next((file["id"] for file in files if file.get("datastore_active")), None)
    if table and tk.h.check_access("openhuizhou_resource_data_show", {"id": table}):
        command = openhuizhou_curl("datastore_search", resource_id=table, limit=5)
        examples.insert(0, {"action": "datastore_search", "command": command})
    return examples


def openhuizhou_curl(action: str, params: Mapping[str, Any] | None = None, **more: Any) -> str:
    """A command for a shell; values in any language are encoded by curl itself."""
    lines = [f"curl -G {shlex.quote(config.site_url() + '/api/3/action/' + action)}"]
    values = {**(params or {}), **more}
    lines += [f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in values.items()]
    return " \\\n  ".join(lines)
