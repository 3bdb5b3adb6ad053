"""Parameters of the actions on resource codes."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.types import Schema, Validator


@tk.validator_args
def code_show_schema(
    not_empty: Validator, unicode_safe: Validator, strip_value: Validator, ignore: Validator
) -> Schema:
    return {"code": [not_empty, unicode_safe, strip_value], "__extras": [ignore]}
