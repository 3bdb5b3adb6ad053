"""What the target actions accept."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Schema


def iso_date(value: Any) -> dt.date:
    """``YYYY-MM-DD`` as a date."""
    try:
        return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise tk.Invalid(tk._("Write the date as YYYY-MM-DD")) from error


def target_list_schema() -> Schema:
    return {"date": [tk.get_validator("ignore_empty"), iso_date]}


def target_show_schema() -> Schema:
    schema = target_list_schema()
    schema["id"] = [tk.get_validator("not_empty"), tk.get_validator("unicode_safe")]
    return schema
