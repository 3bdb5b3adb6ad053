"""Parameters of the actions on entries."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.types import Schema, Validator


@tk.validator_args
def publish_schema(
    not_empty: Validator, unicode_safe: Validator, package_id_or_name_exists: Validator, ignore: Validator
) -> Schema:
    return {"id": [not_empty, unicode_safe, package_id_or_name_exists], "__extras": [ignore]}


@tk.validator_args
def withdraw_schema(not_empty: Validator, unicode_safe: Validator, strip_value: Validator) -> Schema:
    return {**publish_schema(), "reason": [not_empty, unicode_safe, strip_value, not_empty]}
