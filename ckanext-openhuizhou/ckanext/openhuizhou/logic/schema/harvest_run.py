"""Parameters of the actions on runs."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.types import Schema, Validator

from ckanext.openhuizhou.harvesters.control import ACTIONS, DECISIONS
from ckanext.openhuizhou.model.harvest import RUN_MODES


@tk.validator_args
def run_schema(
    not_empty: Validator, unicode_safe: Validator, default: Validator, one_of: Validator, ignore: Validator
) -> Schema:
    return {
        "source_id": [not_empty, unicode_safe],
        "mode": [default("normal"), one_of(list(RUN_MODES))],  # pyright: ignore[reportCallIssue]
        "__extras": [ignore],
    }


@tk.validator_args
def control_schema(not_empty: Validator, unicode_safe: Validator, one_of: Validator, ignore: Validator) -> Schema:
    return {
        "id": [not_empty, unicode_safe],
        "action": [not_empty, one_of(list(ACTIONS))],  # pyright: ignore[reportCallIssue]
        "__extras": [ignore],
    }


@tk.validator_args
def decide_schema(not_empty: Validator, unicode_safe: Validator, one_of: Validator, ignore: Validator) -> Schema:
    return {
        "id": [not_empty, unicode_safe],
        "decision": [not_empty, one_of(list(DECISIONS))],  # pyright: ignore[reportCallIssue]
        "__extras": [ignore],
    }


@tk.validator_args
def run_list_schema(
    ignore_empty: Validator, unicode_safe: Validator, default: Validator, natural_number_validator: Validator,
    limit_to_configured_maximum: Validator, ignore: Validator,
) -> Schema:  # fmt: skip
    return {
        "source_id": [ignore_empty, unicode_safe],
        **page(20, default, natural_number_validator, limit_to_configured_maximum),
        "__extras": [ignore],
    }


@tk.validator_args
def run_show_schema(
    not_empty: Validator, ignore_empty: Validator, unicode_safe: Validator, default: Validator,
    natural_number_validator: Validator, limit_to_configured_maximum: Validator, ignore: Validator,
) -> Schema:  # fmt: skip
    return {
        "id": [not_empty, unicode_safe],
        "kind": [ignore_empty, unicode_safe],
        "severity": [ignore_empty, unicode_safe],
        "record": [ignore_empty, unicode_safe],
        **page(200, default, natural_number_validator, limit_to_configured_maximum),
        "__extras": [ignore],
    }


@tk.validator_args
def differences_schema(
    not_empty: Validator, ignore_empty: Validator, unicode_safe: Validator, default: Validator,
    natural_number_validator: Validator, limit_to_configured_maximum: Validator, ignore: Validator,
) -> Schema:  # fmt: skip
    return {
        "id": [not_empty, unicode_safe],
        "action": [ignore_empty, unicode_safe],
        **page(200, default, natural_number_validator, limit_to_configured_maximum),
        "__extras": [ignore],
    }


def page(size: int, default: Validator, number: Validator, maximum: Validator) -> Schema:
    """``limit`` and ``offset``."""
    return {
        "limit": [default(size), number, maximum("ckan.search.rows_max", 1000)],  # pyright: ignore
        "offset": [default(0), number],  # pyright: ignore[reportCallIssue]
    }
