"""Parameters of the actions on records."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.types import Schema, Validator

from ckanext.openhuizhou.logic.schema.harvest_run import page
from ckanext.openhuizhou.model.harvest import RECORD_STATES


@tk.validator_args
def record_list_schema(
    not_empty: Validator, ignore_empty: Validator, unicode_safe: Validator, one_of: Validator, default: Validator,
    boolean_validator: Validator, natural_number_validator: Validator, limit_to_configured_maximum: Validator,
    ignore: Validator,
) -> Schema:  # fmt: skip
    return {
        "source_id": [not_empty, unicode_safe],
        "state": [ignore_empty, one_of(list(RECORD_STATES))],  # pyright: ignore[reportCallIssue]
        "q": [ignore_empty, unicode_safe],
        "held_columns": [default(False), boolean_validator],  # pyright: ignore[reportCallIssue]
        **page(100, default, natural_number_validator, limit_to_configured_maximum),
        "__extras": [ignore],
    }


@tk.validator_args
def accept_columns_schema(not_empty: Validator, unicode_safe: Validator, ignore: Validator) -> Schema:
    return {"source_id": [not_empty, unicode_safe], "key": [not_empty, unicode_safe], "__extras": [ignore]}
