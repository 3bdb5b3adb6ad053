"""Parameters of the actions on checks of the data."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import FlattenDataDict, FlattenErrorDict, FlattenKey, Schema, Validator

from ckanext.openhuizhou.domain.table_checks import checks

#: A table does not have more rows.
_MOST = Decimal(10) ** 12


@tk.validator_args
def check_show_schema(not_empty: Validator, unicode_safe: Validator, ignore: Validator) -> Schema:
    return {"resource_id": [not_empty, unicode_safe], "__extras": [ignore]}


@tk.validator_args
def check_rules_schema(
    not_empty: Validator, unicode_safe: Validator, package_id_or_name_exists: Validator, ignore: Validator
) -> Schema:
    return {"package_id": [not_empty, unicode_safe, package_id_or_name_exists], "__extras": [ignore]}


@tk.validator_args
def check_rules_update_schema(not_empty: Validator, unicode_safe: Validator, ignore_empty: Validator) -> Schema:
    return {
        **check_rules_schema(),
        "rules": {
            "check": [not_empty, unicode_safe, known_check],
            "level": [not_empty, unicode_safe, allowed_level],
            "threshold": [ignore_empty, threshold],
        },
    }


@tk.validator_args
def check_decide_schema(not_empty: Validator, unicode_safe: Validator) -> Schema:
    return {**check_show_schema(), "decision": [not_empty, unicode_safe, known_decision]}


def known_check(value: str) -> str:
    """The key of a check."""
    if value not in checks():
        raise tk.Invalid(tk._("There is no check “{check}”").format(check=value[:50]))
    return value


def known_decision(value: str) -> str:
    """``publish`` or ``discard``."""
    if value not in ("publish", "discard"):
        raise tk.Invalid(tk._("Write publish or discard"))
    return value


def threshold(value: Any) -> Decimal:
    """What is tolerated: below 1 a share of the rows, from 1 on a whole number of findings."""
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise tk.Invalid(tk._("Write a whole number of findings, or a share between 0 and 1")) from error
    if not (number.is_finite() and 0 <= number <= _MOST) or (number >= 1 and number != number.to_integral_value()):
        raise tk.Invalid(tk._("Write a whole number of findings, or a share between 0 and 1"))
    return number


def allowed_level(key: FlattenKey, data: FlattenDataDict, errors: FlattenErrorDict, context: Any) -> None:  # noqa: ARG001
    """One of the levels that the check can have."""
    check = checks().get(data.get((*key[:-1], "check")) or "")
    if check is not None and data[key] not in set(check.levels):
        errors[key].append(tk._("This check cannot be “{level}”").format(level=str(data[key])[:20]))
