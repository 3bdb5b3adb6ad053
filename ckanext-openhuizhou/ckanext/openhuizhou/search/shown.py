"""A stored dataset in the two forms that ``package_show`` gives and the index keeps, without CKAN's validation.

What is stored was validated when it was written. Showing it changes little: CKAN's default schema changes nothing,
scheming lifts its fields out of the extras and leaves out what is empty. That is said here in a few lines, for the
output validators that our schemas use; a dataset of any other type or schema goes through CKAN's validation. A test
compares both ways over many entries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import ckan.plugins.toolkit as tk
from ckan import logic
from ckan.lib import plugins as lib_plugins
from ckan.logic.schema import default_show_package_schema
from ckan.types import Context

_WHOLE: Final = re.compile(r"-?\d+", re.ASCII)

Shown = tuple[dict[str, Any], dict[str, Any]]

#: What these output validators make of a stored text.
_CONVERTERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "": lambda value: value,
    "boolean_validator": lambda value: value is True or str(value).lower() in ("true", "yes", "t", "y", "1"),
    "openhuizhou_integer": lambda value: int(value) if _WHOLE.fullmatch(str(value)) else value,
    "scheming_load_json": lambda value: json.loads(value) if isinstance(value, str) else value,
}


@dataclass(frozen=True, slots=True)
class _Fields:
    """``lifted``: field of the extras → its converter. ``optional``: columns that are left out when they are empty."""

    lifted: Mapping[str, Callable[[Any], Any]]
    composite: frozenset[str]
    optional: frozenset[str]
    optional_in_resource: frozenset[str]


def shown(package_dict: Mapping[str, Any], context: Context) -> Shown:
    """The dataset with CKAN's default schema and with the schema of its type; hooks that see the latter ran."""
    fields = _fields_of(package_dict["type"])
    if fields is None or "__extras" in package_dict:
        return _validated(package_dict, context)
    custom = _lifted(package_dict, fields)
    logic.apply_after_dataset_show_plugins(context, custom)
    return dict(package_dict), custom


def forget_schemas() -> None:
    """Schemas are read once; to be called when plugins are loaded anew."""
    _fields_of.cache_clear()


def _lifted(package_dict: Mapping[str, Any], fields: _Fields) -> dict[str, Any]:
    custom = {name: value for name, value in package_dict.items() if not (value is None and name in fields.optional)}
    left = []
    for extra in custom.pop("extras") or ():
        name, value = extra["key"], extra["value"]
        if name in fields.composite:
            custom[name] = [_without_empty(member) for member in json.loads(value)]
        elif name not in fields.lifted:
            left.append(extra)
        elif value is not None:
            custom[name] = fields.lifted[name](value)
    if left:
        custom["extras"] = left
    custom["resources"] = [
        {name: value for name, value in one.items() if not (value is None and name in fields.optional_in_resource)}
        for one in package_dict["resources"]
    ]
    return custom


def _without_empty(member: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in member.items() if value is not None}


@cache
def _fields_of(package_type: str) -> _Fields | None:
    """None when CKAN has to validate this type."""
    try:
        action = tk.get_action("scheming_dataset_schema_show")
        schema = action(Context(ignore_auth=True), {"type": package_type, "expanded": True})
    except (KeyError, tk.ObjectNotFound):  # without scheming, or another plugin's type
        return None
    columns = default_show_package_schema()
    lifted: dict[str, Callable[[Any], Any]] = {}
    composite: set[str] = set()
    optional: set[str] = set()
    for field in schema["dataset_fields"]:
        name, output = field["field_name"], field.get("output_validators", "")
        if output not in _CONVERTERS or (output and name in columns):
            return None
        if name in columns:
            optional.add(name)
        elif "repeating_subfields" in field:
            composite.add(name)
        else:
            lifted[name] = _CONVERTERS[output]
    in_resource = schema["resource_fields"]
    if any(field.get("output_validators") or "repeating_subfields" in field for field in in_resource):
        return None
    return _Fields(
        lifted, frozenset(composite), frozenset(optional), frozenset(field["field_name"] for field in in_resource)
    )


def _validated(package_dict: Mapping[str, Any], context: Context) -> Shown:
    """CKAN's own way (``ckan.logic.package_show_default_and_custom_schemas``)."""
    default, _errors = lib_plugins.plugin_validate(
        object(), context, dict(package_dict), default_show_package_schema(), "package_show"
    )
    plugin = lib_plugins.lookup_package_plugin(package_dict["type"])
    custom, _errors = lib_plugins.plugin_validate(
        plugin, context, dict(package_dict), plugin.show_package_schema(), "package_show"
    )
    logic.apply_after_dataset_show_plugins(context, custom)
    return default, custom
