"""Parameters of the actions on mappings."""

from __future__ import annotations

import json
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context, Schema, Validator

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.yaml_text import LARGEST, plain_json


@tk.validator_args
def mapping_try_schema(
    not_missing: Validator, not_empty: Validator, unicode_safe: Validator, ignore: Validator
) -> Schema:
    return {
        "mapping": [not_missing],
        "payload": [not_missing, _payload],
        "key": [not_empty, unicode_safe],
        "__extras": [ignore],
    }


def _payload(value: Any, context: Context) -> Any:  # noqa: ARG001 - CKAN hands two
    try:
        value = json.loads(value) if isinstance(value, str) and len(value) <= LARGEST else value
        value = plain_json(value)
    except (ValueError, RecursionError, ConfigurationError):
        value = None
    if not isinstance(value, dict):
        raise tk.Invalid(tk._("A JSON object belongs here"))
    if len(json.dumps(value)) > LARGEST:
        raise tk.Invalid(tk._("The record is longer than {most} characters").format(most=LARGEST))
    return value
