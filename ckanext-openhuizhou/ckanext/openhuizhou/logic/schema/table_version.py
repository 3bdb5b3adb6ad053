"""Parameters of the actions on versions of a table."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.types import Schema, Validator

from ckanext.openhuizhou.data.version_changes import KINDS
from ckanext.openhuizhou.logic.schema.harvest_run import page


@tk.validator_args
def version_list_schema(
    not_empty: Validator, unicode_safe: Validator, default: Validator, natural_number_validator: Validator,
    limit_to_configured_maximum: Validator, ignore: Validator,
) -> Schema:  # fmt: skip
    return {
        "resource_id": [not_empty, unicode_safe],
        **page(20, default, natural_number_validator, limit_to_configured_maximum),
        "__extras": [ignore],
    }


@tk.validator_args
def version_show_schema(
    not_empty: Validator, unicode_safe: Validator, is_positive_integer: Validator, ignore: Validator
) -> Schema:
    return {
        "resource_id": [not_empty, unicode_safe],
        "number": [not_empty, is_positive_integer],
        "__extras": [ignore],
    }


@tk.validator_args
def version_changes_schema(
    not_empty: Validator, unicode_safe: Validator, is_positive_integer: Validator, one_of: Validator,
    default: Validator, natural_number_validator: Validator, limit_to_configured_maximum: Validator, ignore: Validator,
) -> Schema:  # fmt: skip
    return {
        "resource_id": [not_empty, unicode_safe],
        "number": [not_empty, is_positive_integer],
        "kind": [not_empty, one_of(list(KINDS))],  # pyright: ignore[reportCallIssue]
        **page(50, default, natural_number_validator, limit_to_configured_maximum),
        "__extras": [ignore],
    }
