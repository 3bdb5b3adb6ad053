"""Parameters of the actions about loads."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.types import Schema, Validator

from ckanext.openhuizhou.logic.schema.harvest_run import page
from ckanext.openhuizhou.model.data_job import MODES


@tk.validator_args
def start_schema(
    not_empty: Validator, unicode_safe: Validator, default: Validator, one_of: Validator, ignore: Validator,
    ignore_missing: Validator,
) -> Schema:  # fmt: skip
    return {
        "resource_id": [not_empty, unicode_safe],
        "mode": [default("replace"), one_of(list(MODES))],  # pyright: ignore[reportCallIssue]
        "file": [ignore_missing],
        "__extras": [ignore],
    }


@tk.validator_args
def id_schema(not_empty: Validator, unicode_safe: Validator, ignore: Validator) -> Schema:
    return {"id": [not_empty, unicode_safe], "__extras": [ignore]}


@tk.validator_args
def list_schema(
    ignore_empty: Validator, unicode_safe: Validator, default: Validator, boolean_validator: Validator,
    natural_number_validator: Validator, limit_to_configured_maximum: Validator, ignore: Validator,
) -> Schema:  # fmt: skip
    return {
        "resource_id": [ignore_empty, unicode_safe],
        "package_id": [ignore_empty, unicode_safe],
        "mine": [default(False), boolean_validator],  # pyright: ignore[reportCallIssue]
        **page(20, default, natural_number_validator, limit_to_configured_maximum),
        "__extras": [ignore],
    }
