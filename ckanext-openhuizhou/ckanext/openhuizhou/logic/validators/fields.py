"""Validators of single fields that CKAN and scheming do not have."""

from __future__ import annotations

import json
import re
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.logic.validators import owner_org_validator, tag_string_convert
from ckan.types import Context, FlattenDataDict, FlattenErrorDict, FlattenKey
from ckanext.scheming.validation import scheming_validator

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.credit_code import is_credit_code, is_demo_credit_code
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import values_text
from ckanext.openhuizhou.logic.entry_access import is_platform_officer
from ckanext.openhuizhou.logic.findings import finding_text
from ckanext.openhuizhou.schemas.code_lists import code_list

__all__ = [
    "openhuizhou_code",
    "openhuizhou_credit_code",
    "openhuizhou_credit_code_demo",
    "openhuizhou_integer",
    "openhuizhou_lines",
    "openhuizhou_owner_org",
    "openhuizhou_region",
    "openhuizhou_tags",
    "openhuizhou_text",
    "openhuizhou_values",
]

_SEPARATORS = re.compile(r"[,，、;；\s]+")


@scheming_validator
def openhuizhou_code(field: dict[str, Any], schema: dict[str, Any]) -> Any:  # noqa: ARG001 - scheming's signature
    """A key of the list that the field names in ``code_list``."""
    codes = code_list(field["code_list"])

    def validator(value: Any) -> Any:
        if value not in codes:
            finding = Finding("code-unknown", field=field["field_name"], value=str(value))
            raise tk.Invalid(finding_text(finding))
        return value

    return validator


def openhuizhou_text(value: Any) -> str:
    """Text, also of a number: spreadsheets and JSON write codes such as 441300 as numbers."""
    return str(value)


def openhuizhou_integer(value: Any) -> Any:
    """A whole number as a number. Anything else is left as it is, for the rules to name it and the form to show it."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or len(text) > 18:
        return value
    return int(text)


def openhuizhou_lines(value: Any) -> str | None:
    """Several codes, as a list or as text with one per line (commas and spaces do as well), kept as a JSON list."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            value = [value]
    if isinstance(value, str):
        value = _SEPARATORS.split(value)
    if not isinstance(value, list):
        value = [value]
    lines = list(dict.fromkeys(str(line).strip() for line in value if str(line).strip()))
    return json.dumps(lines, ensure_ascii=False)


def openhuizhou_owner_org(key: FlattenKey, data: FlattenDataDict, errors: FlattenErrorDict, context: Context) -> None:
    """The provider: an organization of the caller's, any for a platform officer; as it was when a change names none."""
    value, package = data.get(key), context.get("package")
    if package is not None and (value is tk.missing or value is None):
        data[key] = package.owner_org
        return
    if value and value is not tk.missing and not context.get("ignore_auth") and is_platform_officer(context):
        organization = model.Group.get(value)
        if organization is None or not organization.is_organization or organization.state != model.State.ACTIVE:
            raise tk.Invalid(tk._("Organization does not exist"))
        data[key] = organization.id
        return
    owner_org_validator(key, data, errors, context)


def openhuizhou_region(value: Any) -> Any:
    """A region code of ``config/departments.yaml``."""
    if value not in config.reference().directory.regions:
        raise tk.Invalid(finding_text(Finding("code-unknown", field="region", value=str(value))))
    return value


def openhuizhou_credit_code(value: str) -> str:
    """A unified social credit code with the right check digit (GB 32100-2015)."""
    if not is_credit_code(value):
        raise tk.Invalid(
            tk._("“{value}” is no unified social credit code: 18 characters with the right check digit").format(
                value=value[:30]
            )
        )
    return value.upper()


def openhuizhou_credit_code_demo(
    key: FlattenKey,
    data: FlattenDataDict,
    errors: FlattenErrorDict,  # noqa: ARG001 - CKAN tells validators apart by the number of their arguments
    context: Context,  # noqa: ARG001
) -> None:
    """Whether the credit code is a made-up one: follows from the code, so that no form can forget or forge it."""
    code = data.get(("credit_code",))
    if not isinstance(code, str) or not code:
        data.pop(key, None)
        raise tk.StopOnError
    data[key] = is_demo_credit_code(code)


def openhuizhou_tags(key: FlattenKey, data: FlattenDataDict, errors: FlattenErrorDict, context: Context) -> None:
    """Tags in one text; Chinese commas separate them as well."""
    if isinstance(data[key], str):
        data[key] = re.sub("[，、；;]", ",", data[key])
    tag_string_convert(key, data, errors, context)


def openhuizhou_values(value: Any) -> str:
    """A code list: text, a list of values or an object of codes and labels; kept as text (``domain.item_values``)."""
    return values_text(value)
