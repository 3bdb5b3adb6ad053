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
from ckan.lib.navl.validators import unicode_safe
from ckan.logic.schema import default_create_package_schema, default_resource_schema
from ckan.types import Context
from ckanext.scheming.validation import validators_from_string

from ckanext.openhuizhou.harvesters.field_values import NotPlainError, says_nothing_of_missing, validated

#: Columns of a dataset that our schema does not name.
_MORE: Final = ("url", "author", "author_email", "maintainer", "maintainer_email")
#: Derived, or known without asking: the provider would be asked for with a query for each entry.
_NOT_ASKED: Final = frozenset({
    "id", "name", "type", "state", "private", "owner_org", "catalogue_code", "entry_state", "issued", "withdrawn_on",
    "resources", "tags", "extras",
})  # fmt: skip
#: What ``package_show`` says besides the fields.
_SHOWN: Final = frozenset({
    "creator_user_id", "groups", "isopen", "license_title", "license_url", "metadata_created", "num_resources",
    "num_tags", "organization", "relationships_as_object", "relationships_as_subject",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class EntryForm:
    """``columns``: of the table ``package``. ``extras``: all of them texts. ``tags``: None leaves them as they are."""

    columns: Mapping[str, Any]
    extras: Mapping[str, str]
    tags: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class _Schema:
    fields: Mapping[str, Any]
    columns: frozenset[str]
    resource: Mapping[str, Any]


def entry_form(entry: Mapping[str, Any], context: Context) -> EntryForm:
    """The fields of ``entry``, which is as CKAN's actions are given it; without those that are derived.

    Raises:
        NotPlainError: a validator has something against it, or it has a field that is none of the schema's.
    """
    schema = _schema()
    fields = {name: value for name, value in entry.items() if name not in _NOT_ASKED and name not in _SHOWN}
    if unknown := fields.keys() - schema.fields.keys():
        raise NotPlainError(f"unknown fields {sorted(unknown)}")
    values = validated(fields, schema.fields, context)
    tags = tuple(tag["name"] for tag in values.pop("tags", ())) if "tag_string" in fields else None
    values.pop("tag_string", None)
    extras = {extra["key"]: extra["value"] for extra in entry.get("extras") or ()}
    for name, value in values.items():
        if name not in schema.columns:
            extras[name] = _text(value)
    columns = {name: value for name, value in values.items() if name in schema.columns}
    return EntryForm(columns, extras, tags)


def resource_form(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A resource's columns and extras. Its id is made of the record's key: that no other has it, the database says.

    Raises:
        NotPlainError: as above.
    """
    ignored = ("package_id", "position", "state")
    asked = {name: value for name, value in values.items() if name not in ignored}
    return validated(asked, _schema().resource, context)


def usual_schema() -> bool:
    """Whether entries have a schema that is understood here."""
    return _schema_or_none() is not None


def forget_schema() -> None:
    """The schema is read once; to be called when plugins are loaded anew."""
    _schema_or_none.cache_clear()


def _text(value: Any) -> str:
    """As CKAN keeps an extra: a list of parts as scheming writes it, anything else as text."""
    return json.dumps(value) if isinstance(value, list) else unicode_safe(value)


def _schema() -> _Schema:
    schema = _schema_or_none()
    assert schema is not None, "asked before (usual_schema)"
    return schema


@cache
def _schema_or_none() -> _Schema | None:
    """None for a schema that says something of what is not given, or otherwise of a new entry than of a changed one."""
    shown = tk.get_action("scheming_dataset_schema_show")
    document = shown(Context(ignore_auth=True), {"type": "dataset", "expanded": True})
    core = default_create_package_schema()
    fields: dict[str, Any] = {name: core[name] for name in _MORE}
    for field in document["dataset_fields"]:
        if "create_validators" in field:
            return None
        if field["field_name"] in _NOT_ASKED:
            continue
        parts = field.get("repeating_subfields")
        fields[field["field_name"]] = (
            {part["field_name"]: _validators(part, document) for part in parts}
            if parts
            else _validators(field, document)
        )
    resource = default_resource_schema()
    for field in document["resource_fields"]:
        resource[field["field_name"]] = _validators(field, document)
    for name in ("id", "__extras"):
        del resource[name]
    lists = [rules for rules in (*fields.values(), *resource.values()) if not isinstance(rules, Mapping)]
    if not all(says_nothing_of_missing(rules) for rules in lists):
        return None
    return _Schema(fields, frozenset(model.package_table.c.keys()) & core.keys(), resource)


def _validators(field: Mapping[str, Any], document: Mapping[str, Any]) -> list[Any]:
    if "validators" in field:
        return validators_from_string(field["validators"], field, document)
    return [tk.get_validator("not_empty" if field.get("required") else "ignore_missing")]
