"""Parameters of the actions that describe a table."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.types import Schema, Validator


@tk.validator_args
def table_schema(not_empty: Validator, unicode_safe: Validator, ignore: Validator) -> Schema:
    return {"resource_id": [not_empty, unicode_safe], "__extras": [ignore]}
