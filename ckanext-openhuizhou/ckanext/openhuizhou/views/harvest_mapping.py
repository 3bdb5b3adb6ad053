"""For officials: the editor of a source's mapping, with what it makes of one record while it is typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response

from ckanext.openhuizhou.domain.items import DATA_TYPES
from ckanext.openhuizhou.harvesters.mapping import entry_fields

from .actions import call, sentences
from .mapping_text import mapping_text

blueprint = Blueprint("openhuizhou_harvest_mapping", __name__, url_prefix="/harvest/source")

#: Keys that the editor offers to look at.
OFFERED_KEYS: Final = 100
#: A record's description that travels with the form, in characters.
LARGEST_PAYLOAD: Final = 200_000


@blueprint.route("/<id>/mapping", methods=["GET", "POST"], endpoint="edit")
def edit(id: str) -> Response | str:  # noqa: A002 - CKAN's name of the parameter
    """The text, its mistakes by line, and one record as it would be published."""
    source = call("openhuizhou_source_show", {"id": id})
    if tk.request.method == "GET":
        text = mapping_text(source["mapping"])
        return _page(source, text, _try(text, _sample(source, tk.request.args.get("key"))), source.get("modified"))
    text = tk.request.form.get("mapping", "").replace("\r\n", "\n")
    if tk.request.form.get("do") == "save":
        return _save(source, text)
    tried = _try(text, _sample_sent())
    if tk.request.htmx:
        return tk.render("openhuizhou/harvest/_mapped.html", {"tried": tried, "source": source})
    return _page(source, text, tried, tk.request.form.get("modified"))


@blueprint.route("/<id>/mapping/record", methods=["POST"], endpoint="record")
def record(id: str) -> str:  # noqa: A002
    """Read one record from the source, to look at it beside the text as it stands."""
    source = call("openhuizhou_source_show", {"id": id})
    text = tk.request.form.get("mapping", "").replace("\r\n", "\n")
    tried = _try(text, _sample(source, tk.request.form.get("key")))
    if tk.request.htmx:
        return tk.render("openhuizhou/harvest/_mapped.html", {"tried": tried, "source": source})
    return _page(source, text, tried, tk.request.form.get("modified"))


def _save(source: Mapping[str, Any], text: str) -> Response | str:
    asked = {"id": source["id"], "mapping": text, "modified": tk.request.form.get("modified", "")}
    try:
        call("openhuizhou_source_patch", asked)
    except tk.ValidationError as error:
        tried = _try(text, _sample_sent())
        tried["refused"] = [] if tried["errors"] else sentences(error)
        return _page(source, text, tried, tk.request.form.get("modified"))
    tk.h.flash_success(tk._("The mapping is saved; the next run reads every record with it"))
    return tk.redirect_to("openhuizhou_harvest_mapping.edit", id=source["name"], key=tk.request.form.get("key") or None)


def _page(source: Mapping[str, Any], text: str, tried: Mapping[str, Any], modified: str | None) -> str:
    records = call("openhuizhou_record_list", {"source_id": source["id"], "limit": OFFERED_KEYS, "offset": 0})
    extra = {
        "source": source,
        "text": text,
        "tried": tried,
        "modified": modified or "",
        "records": records["results"],
        "may_save": tk.h.check_access("openhuizhou_source_patch", {"id": source["id"]}),
        "catalogue_fields": _catalogue_fields(),
        "data_types": {key: tk.h.openhuizhou_label("data_types", key) for key in DATA_TYPES},
    }
    return tk.render("openhuizhou/harvest/mapping.html", extra)


def _try(text: str, sample: Mapping[str, Any]) -> dict[str, Any]:
    """What the text makes of the sample, or what is wrong with the text."""
    checked = call("openhuizhou_mapping_check", {"mapping": text})
    tried: dict[str, Any] = {"errors": checked["errors"], "mapped": None, "sample": sample, "refused": []}
    if not checked["errors"] and sample["payload"] is not None:
        asked = {"mapping": text, "payload": sample["payload"], "key": sample["key"]}
        try:
            tried["mapped"] = call("openhuizhou_mapping_try", asked)
        except tk.ValidationError as error:
            tried["refused"] = sentences(error)
    return tried


def _sample(source: Mapping[str, Any], key: str | None) -> dict[str, Any]:
    """A record as the source sends it now; nothing when no key is asked for."""
    sample: dict[str, Any] = {"key": key or "", "payload": None, "problems": []}
    if not key:
        return sample
    try:
        found = call("openhuizhou_source_preview", {"id": source["id"], "key": key, "limit": 1})
    except tk.ValidationError as error:
        return sample | {"problems": sentences(error)}
    if not found["records"]:
        problems = [finding["message"] for finding in found["findings"]]
        return sample | {"problems": problems or [tk._("The source has no record with this key")]}
    return _fitting(sample | {"payload": found["records"][0]["payload"], "key": found["records"][0]["key"]})


def _sample_sent() -> dict[str, Any]:
    """The record that the form carries with it, so that the source is not read at each key press."""
    sample: dict[str, Any] = {"key": tk.request.form.get("payload_key", ""), "payload": None, "problems": []}
    try:
        payload = json.loads(tk.request.form.get("payload") or "null")
    except (ValueError, RecursionError):
        payload = None
    return sample | {"payload": payload if isinstance(payload, dict) else None}


def _fitting(sample: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(sample["payload"], ensure_ascii=False)
    if len(text) > LARGEST_PAYLOAD:
        too_long = tk._("This record is too long to be shown beside the text; use the preview of the source")
        return sample | {"payload": None, "problems": [too_long]}
    return sample


def _catalogue_fields() -> list[dict[str, Any]]:
    """The fields that a mapping may fill in, with the codes of those that have a list: for the help beside the text."""
    schema = tk.h.scheming_get_dataset_schema("dataset") or {}
    writable = entry_fields()
    fields = []
    for field in schema.get("dataset_fields", ()):
        if field["field_name"] in writable:
            codes = {choice["value"]: choice["label"] for choice in tk.h.scheming_field_choices(field) or ()}
            fields.append({"name": field["field_name"], "label": field.get("label"), "codes": codes})
    return fields
