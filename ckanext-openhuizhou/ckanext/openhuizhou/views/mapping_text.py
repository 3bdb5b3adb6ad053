"""A mapping as text for its editor. The database does not keep the order of keys, so it is put back here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.schemas.fields import field_labels

__all__ = ["mapping_text", "plain_yaml"]

_PARTS: Final = ("fields", "items", "datasets", "skip")
#: As on an entry's form; what the platform adds to the guide's fields comes last.
_FIELDS: Final = (*(name for name in field_labels("dataset") if name != "demo"), "demo")
_RULE: Final = ("from", "const", "template", "codes", "split", "as", "provider", "default")
_ITEM: Final = ("from", "cell", "exclude", *Item.__dataclass_fields__)
#: Wider lines than YAML's usual 80: a rule with its codes is read as one.
_WIDTH: Final = 110


class _Writer(yaml.SafeDumper):
    """YAML for people: a text of several lines keeps its ``\\n`` instead of blank lines inside a rule."""


def _text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style='"' if "\n" in text else None)


_Writer.add_representer(str, _text)


def mapping_text(mapping: Mapping[str, Any]) -> str:
    """The mapping as YAML: parts, fields and keys of a rule in the order in which people write them."""
    ordered = _in_order(mapping, _PARTS)
    if isinstance(ordered.get("fields"), dict):
        ordered["fields"] = _rules(ordered["fields"], _FIELDS)
    if isinstance(ordered.get("items"), dict):
        ordered["items"] = _rules(ordered["items"], _ITEM)
    if isinstance(ordered.get("datasets"), dict):
        ordered["datasets"] = {key: _dataset(value) for key, value in sorted(ordered["datasets"].items())}
    return plain_yaml(ordered)


def plain_yaml(value: Any) -> str:
    """YAML in which the innermost lists and mappings stand on one line; empty text for nothing."""
    if not value:
        return ""
    return yaml.dump(value, Dumper=_Writer, allow_unicode=True, sort_keys=False, default_flow_style=None, width=_WIDTH)


def _dataset(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ordered = _in_order(value, _PARTS)
    if isinstance(ordered.get("fields"), dict):
        ordered["fields"] = _rules(ordered["fields"], _FIELDS)
    if isinstance(ordered.get("items"), list):
        # name and column first: that is what a person looks for in a list of columns
        last_from = (*Item.__dataclass_fields__, "from")
        ordered["items"] = [_in_order(i, last_from) if isinstance(i, dict) else i for i in ordered["items"]]
    return ordered


def _rules(rules: Mapping[str, Any], order: Iterable[str]) -> dict[str, Any]:
    known = _in_order(rules, order)
    return {name: _in_order(rule, _RULE) if isinstance(rule, dict) else rule for name, rule in known.items()}


def _in_order(value: Mapping[str, Any], order: Iterable[str]) -> dict[str, Any]:
    first = [name for name in order if name in value]
    return {name: value[name] for name in [*first, *(name for name in value if name not in first)]}
