"""Parameters of our actions, checked by their schema."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context, Schema


def validated(data_dict: dict[str, Any], schema: Schema, context: Context) -> dict[str, Any]:
    """The parameters as the schema makes them; ``ValidationError`` by parameter."""
    data, errors = tk.navl_validate(data_dict, schema, context)
    if errors:
        raise tk.ValidationError(errors)
    return data
