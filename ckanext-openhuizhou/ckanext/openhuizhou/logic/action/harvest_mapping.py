"""Trying a source and a mapping before they are saved. Nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.openhuizhou import config as settings
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters import preview
from ckanext.openhuizhou.harvesters.mapping import load_mapping
from ckanext.openhuizhou.harvesters.mapping_check import try_mapping
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.findings import described_change, described_finding, in_reader_language, rule_text
from ckanext.openhuizhou.logic.harvest_access import source_named
from ckanext.openhuizhou.logic.mapping_text import read_mapping, sentences
from ckanext.openhuizhou.logic.rate_limit import count_or_refuse
from ckanext.openhuizhou.logic.schema import harvest_mapping as schema
from ckanext.openhuizhou.logic.schema.harvest_source import draft_schema
from ckanext.openhuizhou.logic.source_draft import draft_of
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.schemas.fields import field_labels

__all__ = [
    "openhuizhou_mapping_check",
    "openhuizhou_mapping_try",
    "openhuizhou_source_preview",
    "openhuizhou_source_test",
]


def openhuizhou_source_test(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Ask a source whether it answers, and read its first record. At most ten times a minute for each user.

    Parameters as of :py:func:`openhuizhou_source_preview`, without ``limit`` and ``key``.

    :returns: ``ok, seconds, requests, total`` (records, when the source says so), ``found`` (``key`` and ``title`` of
        the first record) and ``findings`` with ``message`` and ``mend``
    """
    tk.check_access("openhuizhou_source_test", context, data_dict)
    draft = _draft(context, validated(data_dict, draft_schema(), context))
    told = preview.test(draft)
    return {**told, "findings": _described(told["findings"])}


def openhuizhou_source_preview(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Read some records and show what would become of them. At most ten times a minute for each user.

    :param id: id or name of a stored source; what else is given takes the place of what is stored. Secrets that are
        not given are the stored ones, unless another server is named
    :param kind: of a source that is not saved; as are ``organization_id``, ``config`` and ``mapping``
    :param limit: records at most; 20, which is the most, when not given
    :param key: only the record with this key
    :returns: ``records``: ``{key, title, result, rule, entry, items, findings, changes, payload, rows, sampled}``;
        ``findings`` of the source as a whole; ``seconds``
    """
    tk.check_access("openhuizhou_source_preview", context, data_dict)
    data = validated(data_dict, draft_schema(), context)
    draft = _draft(context, data)
    limit = max(1, min(data["limit"], preview.MOST_RECORDS))
    told = preview.preview(draft, limit, data.get("key"))
    return {
        **told,
        "findings": _described(told["findings"]),
        "records": [
            {
                **record,
                "findings": _described(record["findings"]),
                "changes": [described_change(change) for change in record["changes"] or []],
                "rule_text": rule_text(record["rule"]),
            }
            for record in told["records"]
        ],
    }


@tk.side_effect_free
def openhuizhou_mapping_check(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Check a mapping.

    :param mapping: a mapping or YAML text
    :returns: ``ok, errors`` (``{place, line, message}``; ``line`` only of a text) and ``mapping``, as it is stored
    """
    tk.check_access("openhuizhou_mapping_check", context, data_dict)
    document, errors = read_mapping(data_dict.get("mapping"))
    return {"ok": not errors, "errors": errors, "mapping": document}


def openhuizhou_mapping_try(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Apply a mapping to one record as a source describes it; asks no source.

    :param mapping: a mapping or YAML text
    :param payload: the record, a mapping
    :param key: its key
    :returns: ``entry, items, findings`` and ``labels`` (of the entry's fields, in the reader's language)
    """
    tk.check_access("openhuizhou_mapping_try", context, data_dict)
    data = validated(data_dict, schema.mapping_try_schema(), context)
    document, errors = read_mapping(data.get("mapping"))
    if errors or document is None:
        raise tk.ValidationError({"mapping": sentences(errors)})
    mapped = try_mapping(load_mapping(document, Place("mapping")), data["payload"], data["key"])
    entry = {name: value for name, value in mapped.entry.items() if name != "items"}
    if mapped.provider is not None:
        entry["owner_org"] = mapped.provider
    labels = field_labels("dataset")
    return {
        "entry": entry,
        "items": mapped.entry.get("items", []),
        "findings": _described(mapped.findings),
        "labels": {name: in_reader_language(labels[name]) for name in entry if name in labels},
    }


def _draft(context: Context, data: dict[str, Any]) -> preview.Draft:
    source = source_named(data["id"]) if data.get("id") else None
    if data.get("id") and source is None:
        raise tk.ObjectNotFound(tk._("Source not found"))
    draft = draft_of(context, data, source)
    user = caller(context)
    if user is not None and not context.get("ignore_auth"):
        count_or_refuse("look", user.id, settings.looks_per_minute())
    return draft


def _described(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [described_finding(finding) for finding in findings]
