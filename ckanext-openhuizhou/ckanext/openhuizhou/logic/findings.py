"""Sentences for findings, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from flask import has_request_context

from ckanext.openhuizhou.domain.change_rules import RULES
from ckanext.openhuizhou.domain.findings import KINDS, Finding
from ckanext.openhuizhou.domain.table_checks import checks
from ckanext.openhuizhou.harvesters.rules import PLACE_PREFIX
from ckanext.openhuizhou.schemas.code_lists import code_list
from ckanext.openhuizhou.schemas.fields import field_labels

#: Params of findings that are keys of a code list.
_CODED_PARAMS = {"data_type": "data_types", "before": "entry_states", "after": "entry_states"}


def finding_text(finding: Finding, *, with_mend: bool = True) -> str:
    """What is wrong and, after it, how to mend it; fields are named by their labels."""
    sentence, mend = _sentences(finding)
    if not with_mend:
        return sentence
    return tk._("{finding}. {mend}.").format(finding=sentence, mend=mend)


def described_finding(finding: Finding) -> dict[str, Any]:
    """A finding for a report: its place, its figures, ``message`` and ``mend`` as sentences."""
    sentence, mend = _sentences(finding)
    values = finding.as_dict()
    return {**values, "field_label": field_label(finding), "message": sentence, "mend": mend}


def rule_text(rule: str | None) -> str | None:
    """What told that a record has changed (``domain.change_rules``), in the reader's language."""
    text = RULES.get(rule or "")
    return tk._(text) if text else rule


def described_change(change: Mapping[str, Any]) -> dict[str, Any]:
    """A difference of one field (``harvesters.differences``) with the field's ``label`` in the reader's language."""
    field, labels = str(change["field"]), field_labels("dataset")
    label = labels.get(field)
    text = in_reader_language(label) if label else field
    if field.startswith("items."):
        column, _dot, part = field.removeprefix("items.").partition(".")
        part_label = labels.get(f"items.{part}")
        text = tk._("Column {column}").format(column=column)
        text += f": {in_reader_language(part_label) if part_label else part}" if part else ""
    return {**change, "label": text}


def _sentences(finding: Finding) -> tuple[str, str]:
    kind = KINDS[finding.kind]
    values = {
        "record": finding.record,
        "row": finding.row,
        "column": finding.column,
        "value": finding.value,
        **_in_words(finding.params),
        "field": field_label(finding),
    }
    return tk._(kind.message).format(**values), tk._(kind.mend).format(**values)


def field_label(finding: Finding) -> str | None:
    """The label of the field, or of the item's part, that the finding is about."""
    if finding.field is None:
        return None
    subfield = finding.params.get("subfield")
    name = f"{finding.field}.{subfield}" if subfield else finding.field
    label = field_labels("dataset").get(name)
    return in_reader_language(label) if label else name


def in_reader_language(label: Mapping[str, str]) -> str:
    """A label of a schema; on the command line and in a job, where nobody reads, in the site's own language."""
    if has_request_context():
        return tk.h.scheming_language_text(label)
    return label.get(tk.config["ckan.locale_default"]) or label["en"]


def _in_words(params: Mapping[str, Any]) -> dict[str, Any]:
    """Params that are msgids or keys of a code list, in the reader's language; the rest as they are."""
    shown = dict(params)
    if message := shown.pop("reason_message", None):
        # an error of a source: its own msgid, and what fills it; where it stands is no part of the msgid
        place = PLACE_PREFIX if message.startswith(PLACE_PREFIX) else ""
        words = place + tk._(message.removeprefix(place))
        shown["reason"] = words.format(**shown.pop("reason_params", {}))
    pii_kind = shown.get("pii_kind")
    if pii_kind:
        shown["pii_kind"] = tk._(pii_kind)
    check = checks().get(str(shown.get("check")))
    if check is not None:
        shown["check"] = in_reader_language(check.label)
    for name, list_name in _CODED_PARAMS.items():
        code = code_list(list_name).codes.get(str(shown.get(name)))
        if code:
            shown[name] = in_reader_language({"en": code.label["en"], "zh_Hans_CN": code.label["zh"]})
    return shown
