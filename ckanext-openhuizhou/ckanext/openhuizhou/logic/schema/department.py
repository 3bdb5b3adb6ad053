"""Parameters of the actions on departments."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Schema, Validator

from ckanext.openhuizhou.domain.departments import LEVELS


@tk.validator_args
def department_list_schema(ignore_empty: Validator, one_of: Any, ignore: Validator) -> Schema:
    return {"level": [ignore_empty, one_of(list(LEVELS))], "__extras": [ignore]}
