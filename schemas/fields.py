"""The labels of fields, read from the scheming files, for sentences that name a field."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.yaml_file import read_yaml

#: Languages that every label has, by CKAN's locale.
LOCALES = ("en", "zh_Hans_CN")


@cache
def field_labels(type_: str) -> Mapping[str, Mapping[str, str]]:
    """Labels by field name, ``items.column`` for a subfield, of ``dataset``, ``application`` or ``organization``."""
    file = Path(__file__).parent / f"{type_}.yaml"
    content = read_yaml(file)
    labels: dict[str, Mapping[str, str]] = {}
    for field in content.get("dataset_fields") or content["fields"]:
        labels[field["field_name"]] = _label(field, file)
        for subfield in field.get("repeating_subfields", ()):
            labels[f"{field['field_name']}.{subfield['field_name']}"] = _label(subfield, file)
    return MappingProxyType(labels)


def _label(field: Mapping[str, Any], file: Path) -> Mapping[str, str]:
    label = field.get("label")
    if not isinstance(label, dict) or any(not label.get(locale) for locale in LOCALES):
        raise ConfigurationError(
            "{file}: field “{field}” lacks a label in {locales}",
            file=file.name,
            field=field.get("field_name"),
            locales=", ".join(LOCALES),
        )
    return MappingProxyType(dict(label))
