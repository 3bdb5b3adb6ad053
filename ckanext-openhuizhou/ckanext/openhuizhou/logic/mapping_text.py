"""A mapping as a person gives it: YAML text or a mapping, read and checked, every mistake with place and line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
import yaml

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters.mapping_check import ROOT, check_mapping, line_of, place_lines
from ckanext.openhuizhou.schemas.yaml_text import plain_json, read_yaml_text


def read_mapping(given: Any) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The mapping, None when it cannot be read at all; and what is wrong: ``place, line`` (or None), ``message``.

    Nothing given is an empty mapping.
    """
    text = given if isinstance(given, str) else None
    try:
        document = read_yaml_text(text) if text is not None else plain_json(given)
    except ConfigurationError as error:
        return None, [_error(ROOT, error.params.get("line"), error.message, error.params)]
    document = {} if document is None else document
    errors = check_mapping(document)
    lines = _lines(text) if text and errors else {}
    found = [_error(error.place, line_of(lines, error.place), error.message, error.params) for error in errors]
    return document if isinstance(document, dict) else None, found


def sentences(errors: list[dict[str, Any]]) -> list[str]:
    """One sentence for each mistake, with its place."""
    return [
        (tk._("{place} (line {line}): {message}") if error["line"] else tk._("{place}: {message}")).format(**error)
        for error in errors
    ]


def _error(place: str, line: int | None, message: str, params: Mapping[str, Any]) -> dict[str, Any]:
    return {"place": place, "line": line, "message": tk._(message).format(**params)}


def _lines(text: str) -> dict[str, int]:
    try:
        return place_lines(text)
    except yaml.YAMLError:
        return {}
