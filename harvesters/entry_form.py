"""An entry as CKAN's validation leaves it, for many entries: the same validators, without what an entry never has.

``package_create`` validates all that a dataset may have. An entry of a source has the fields of its schema, tags and
resources, and its rules (``openhuizhou_entry_check``) were checked when it was prepared. What is left are the
validators of its fields, and they are CKAN's, scheming's and ours as they stand in the schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib.navl.dictization_functions import missing
from ckan.logic.schema import default_create_package_schema, default_resource_schema
from ckan.types import Context
from ckanext.scheming.validation import validators_from_string

#: The engine knows the provider; asking for it again is a query for each entry.
_KNOWN: Final = frozenset({"owner_org"})
#: Given by the platform, not by the record.
_ASSIGNED: Final = frozenset({"name"})


class NotPlainError(Exception):
    """The entry has something that only CKAN's own way can judge."""


@dataclass(frozen=True, slots=True)
class EntryForm:
    """``columns``: of the table ``package``. ``extras``: all of them texts. ``resources``: columns and extras."""

    columns: Mapping[str, Any]
    extras: Mapping[str, str]
    tags: tuple[str, ...]
    resources: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Schema:
    fields: Mapping[str, Any]
    columns: frozenset[str]
    composite: frozenset[str]
    resource: Mapping[str, Any]


def entry_form(entry: Mapping[str, Any], context: Context) -> EntryForm:
    """``entry`` as ``package_create`` is given it.

    Raises:
        NotPlainError: a validator has something against it, or it has a field that is none of the schema's.
    """
    schema = _schema()
    fields = {name: value for name, value in entry.items() if name not in ("id", "type", "entry_state", "resources")}
    if unknown := fields.keys() - schema.fields.keys() - _KNOWN:
        raise NotPlainError(f"unknown fields {sorted(unknown)}")
    values = _validated(fields, schema.fields, context)
    tags = tuple(tag["name"] for tag in values.pop("tags", ()))
    values |= {name: entry[name] for name in _KNOWN}
    extras = {
        name: _text(value) for name, value in values.items() if name not in schema.columns and name != "tag_string"
    }
    columns = {name: value for name, value in values.items() if name in schema.columns}
    resources = tuple(_resource(one, schema.resource, context) for one in entry["resources"])
    return EntryForm(columns, extras, tags, resources)


def _resource(values: Mapping[str, Any], schema: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Its id is made of the record's key: that no other has it, the database says."""
    asked = {name: value for name, value in values.items() if name != "id"}
    return {"id": values["id"], **_validated(asked, schema, context)}


def forget_schema() -> None:
    """The schema is read once; to be called when plugins are loaded anew."""
    _schema.cache_clear()


def _validated(values: Mapping[str, Any], schema: Mapping[str, Any], context: Context) -> dict[str, Any]:
    validated, errors = tk.navl_validate(dict(values), dict(schema), context)
    if errors:
        raise NotPlainError(str(errors))
    return {name: value for name, value in validated.items() if value is not missing}


def _text(value: Any) -> str:
    """As CKAN keeps an extra."""
    if isinstance(value, list):  # the parts of a composite field, in the order in which CKAN writes them
        return json.dumps([{key: one[key] for key in sorted(one)} for one in value])
    return value if isinstance(value, str) else json.dumps(value)


@cache
def _schema() -> _Schema:
    shown = tk.get_action("scheming_dataset_schema_show")
    document = shown(Context(ignore_auth=True), {"type": "dataset", "expanded": True})
    core = default_create_package_schema()
    fields: dict[str, Any] = {}
    composite: set[str] = set()
    for field in document["dataset_fields"]:
        name = field["field_name"]
        if name in _KNOWN | _ASSIGNED:
            continue
        if "repeating_subfields" in field:
            composite.add(name)
            fields[name] = {sub["field_name"]: _validators(sub, document) for sub in field["repeating_subfields"]}
        else:
            fields[name] = _validators(field, document)
    resource = default_resource_schema()
    del resource["id"]
    for field in document["resource_fields"]:
        resource[field["field_name"]] = _validators(field, document)
    columns = frozenset(model.package_table.c.keys()) & (core.keys() | fields.keys())
    return _Schema(fields, columns | _KNOWN, frozenset(composite), resource)


def _validators(field: Mapping[str, Any], document: Mapping[str, Any]) -> list[Any]:
    if "validators" in field:
        return validators_from_string(field["validators"], field, document)
    return [tk.get_validator("ignore_missing")]
