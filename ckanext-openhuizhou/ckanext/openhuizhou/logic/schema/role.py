"""Parameters of the actions on platform roles."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Schema, Validator

from ckanext.openhuizhou.domain.roles import ROLES


@tk.validator_args
def role_schema(
    not_empty: Validator, unicode_safe: Validator, user_id_or_name_exists: Validator, one_of: Any, ignore: Validator
) -> Schema:
    return {
        "user": [not_empty, unicode_safe, user_id_or_name_exists],
        "role": [not_empty, one_of(list(ROLES))],
        "__extras": [ignore],
    }
