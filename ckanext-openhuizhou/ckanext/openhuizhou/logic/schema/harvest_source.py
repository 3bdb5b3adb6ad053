"""Parameters of the actions on sources."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import ckan.plugins.toolkit as tk
from ckan.types import Context, Schema, Validator

from ckanext.openhuizhou.domain.schedule import is_schedule
from ckanext.openhuizhou.harvesters.kinds import kinds
from ckanext.openhuizhou.logic.harvest_access import organization_id_of
from ckanext.openhuizhou.model.harvest import NOTIFY

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,98}[a-z0-9]")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_PRIORITY: Final = 1000
_LONGEST_TITLE: Final = 200


@tk.validator_args
def source_list_schema(ignore_empty: Validator, unicode_safe: Validator, ignore: Validator) -> Schema:
    return {"state": [ignore_empty, unicode_safe], "__extras": [ignore]}


@tk.validator_args
def source_show_schema(not_empty: Validator, unicode_safe: Validator, ignore: Validator) -> Schema:
    return {"id": [not_empty, unicode_safe], "__extras": [ignore]}


@tk.validator_args
def source_approve_schema(
    not_empty: Validator, unicode_safe: Validator, ignore_empty: Validator, ignore: Validator
) -> Schema:
    return {"id": [not_empty, unicode_safe], "modified": [ignore_empty, unicode_safe], "__extras": [ignore]}


@tk.validator_args
def change_list_schema(
    ignore_empty: Validator, unicode_safe: Validator, default: Validator, natural_number_validator: Validator,
    limit_to_configured_maximum: Validator, ignore: Validator,
) -> Schema:  # fmt: skip
    return {
        "id": [ignore_empty, unicode_safe],
        "limit": [default(20), natural_number_validator, limit_to_configured_maximum("ckan.search.rows_max", 1000)],  # pyright: ignore
        "offset": [default(0), natural_number_validator],  # pyright: ignore[reportCallIssue]
        "__extras": [ignore],
    }


@tk.validator_args
def source_schema(
    ignore_missing: Validator, ignore_empty: Validator, not_empty: Validator, unicode_safe: Validator,
    default: Validator, one_of: Validator, boolean_validator: Validator,
    email_validator: Validator, ignore: Validator,
) -> Schema:  # fmt: skip
    """Of a whole source. ``config`` and ``mapping`` are checked afterwards: the kind decides what may stand there."""
    return {  # pyright: ignore[reportReturnType]
        "name": [ignore_empty, unicode_safe, _source_name],
        "title": [not_empty, unicode_safe, _title],
        "organization_id": [not_empty, unicode_safe, _organization],
        "kind": [not_empty, one_of(sorted(kinds()))],  # pyright: ignore[reportCallIssue]
        "config": [default(None), _json_mapping],  # pyright: ignore[reportCallIssue]
        "mapping": [ignore_missing],
        "priority": [default(100), _priority],  # pyright: ignore[reportCallIssue]
        "schedule": [ignore_empty, unicode_safe, _schedule],
        "notify": [default("error"), one_of(list(NOTIFY))],  # pyright: ignore[reportCallIssue]
        "contact_email": [ignore_empty, unicode_safe, _storable, email_validator],
        "active": [default(True), boolean_validator],  # pyright: ignore[reportCallIssue]
        "secrets_removed": [ignore_empty, _texts],
        "modified": [ignore_empty, unicode_safe],
        "id": [ignore_empty, unicode_safe],
        "__extras": [ignore],
    }


@tk.validator_args
def draft_schema(
    ignore_missing: Validator, ignore_empty: Validator, unicode_safe: Validator, one_of: Validator,
    default: Validator, natural_number_validator: Validator, ignore: Validator,
) -> Schema:  # fmt: skip
    """Of a test or a preview: a stored source, or one that is not saved."""
    return {
        "id": [ignore_empty, unicode_safe],
        "kind": [ignore_empty, one_of(sorted(kinds()))],  # pyright: ignore[reportCallIssue]
        "organization_id": [ignore_empty, unicode_safe, _organization],
        "config": [ignore_missing, _json_mapping],
        "mapping": [ignore_missing],
        "limit": [default(20), natural_number_validator],  # pyright: ignore[reportCallIssue]
        "key": [ignore_empty, unicode_safe],
        "secrets_removed": [ignore_empty, _texts],
        "__extras": [ignore],
    }


def _storable(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise tk.Invalid(tk._("This text holds half of a character")) from error
    if any(ord(letter) < ord(" ") for letter in value):
        raise tk.Invalid(tk._("One line without control characters belongs here"))
    return value


def _title(value: str) -> str:
    value = _storable(value.strip())
    if not 0 < len(value) <= _LONGEST_TITLE:
        raise tk.Invalid(tk._("A title has 1 to {most} letters").format(most=_LONGEST_TITLE))
    return value


def _source_name(value: str) -> str:
    # a source is asked for by id or by name: with another's id for a name it would be found in that one's place
    if not _NAME.fullmatch(value) or _ID.fullmatch(value):
        raise tk.Invalid(tk._("A name has 3 to 100 letters of a-z, 0-9 and -"))
    return value


def _organization(value: str) -> str:
    found = organization_id_of(value)
    if found is None:
        raise tk.Invalid(tk._("There is no such department"))
    return found


def _priority(value: Any, context: Context) -> int:  # noqa: ARG001 - CKAN hands two
    text = str(value).strip()
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_MOST_PRIORITY)) or int(text) > _MOST_PRIORITY:
        raise tk.Invalid(tk._("A priority is a number from 0 to {most}").format(most=_MOST_PRIORITY))
    return int(text)


def _schedule(value: str) -> str:
    value = " ".join(value.split())
    if not is_schedule(value):
        raise tk.Invalid(tk._("“{value}” is no schedule: five fields as in 0 3 * * *").format(value=value[:80]))
    return value


def _json_mapping(value: Any, context: Context) -> Any:  # noqa: ARG001 - CKAN hands two
    if value in (None, ""):
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise tk.Invalid(tk._("A JSON object belongs here")) from error
    if not isinstance(value, dict):
        raise tk.Invalid(tk._("A JSON object belongs here"))
    return value


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
