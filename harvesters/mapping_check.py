"""A mapping that somebody is writing: every mistake with its place and line, and what it makes of one record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import yaml

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters.mapping import MappedRecord, RecordMapping, load_mapping
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import PLACE_PREFIX, Place

#: The place of the document itself; every other begins with it.
ROOT: Final = "mapping"


class MappingError(NamedTuple):
    """``message`` is a msgid that ``params`` fills; ``place`` is dotted: ``mapping.fields.title.as``."""

    place: str
    message: str
    params: Mapping[str, Any]


def check_mapping(document: Any) -> list[MappingError]:
    """Everything that is wrong with a mapping, in the order of the document; empty when it can be used."""
    errors: list[ConfigurationError] = []
    place = Place("", ROOT, errors)
    with place.going_on():
        load_mapping(document, place)
    return [_mapping_error(error) for error in errors]


def _mapping_error(error: ConfigurationError) -> MappingError:
    return MappingError(error.params["place"], error.message.removeprefix(PLACE_PREFIX), error.params)


def try_mapping(mapping: RecordMapping, payload: Mapping[str, Any], key: str) -> MappedRecord:
    """What a mapping makes of one record; asks nothing but the mapping."""
    return mapping.apply(SourceRecord(key=key, payload=payload))


def place_lines(text: str) -> dict[str, int]:
    """The line, counted from 1, of each place of a mapping in YAML; of what comes before a mistake in the YAML itself
    nothing is known.

    Raises:
        yaml.YAMLError: the text is no YAML; ``problem_mark`` tells the line.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return {} if node is None else dict(_places(node, ROOT, set()))


def line_of(lines: Mapping[str, int], place: str) -> int | None:
    """The line of a place; of what it stands in, when the place itself is not there."""
    while place not in lines:
        place, dot, _last = place.rpartition(".")
        if not dot:
            return None
    return lines[place]


def _places(node: yaml.Node, place: str, above: set[int]) -> Iterator[tuple[str, int]]:
    """``above``: nodes on the way here; an anchor may lead back to one."""
    yield place, node.start_mark.line + 1
    if id(node) in above:
        return
    above = above | {id(node)}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = f"{place}.{_key(key)}"
            yield from _places(value, below, above)
            yield below, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, member in enumerate(node.value):
            yield from _places(member, f"{place}.{index}", above)


def _key(node: yaml.Node) -> str:
    """The key as the mapping's reader names it: YAML reads ``no`` as False."""
    if not isinstance(node, yaml.ScalarNode):
        return ""
    return str(yaml.safe_load(yaml.serialize(node)))
