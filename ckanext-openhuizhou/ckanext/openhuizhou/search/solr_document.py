"""The Solr document of a dataset, as CKAN's ``PackageSearchIndex.index_package`` makes it, without sending it.

CKAN makes and sends one document at a time; this makes them, so that a batch is sent at once. A test compares the
documents with those that CKAN sends.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib import plugins as lib_plugins
from ckan.lib.navl.dictization_functions import MissingNullEncoder
from ckan.lib.search.index import (
    KEY_CHARS,
    PACKAGE_TYPE,
    RESERVED_FIELDS,
    TYPE_FIELD,
    escape_xml_illegal_chars,
)
from dateutil.parser import ParserError, parse

log = logging.getLogger(__name__)

_RESOURCE_FIELDS = {
    "name": "res_name",
    "description": "res_description",
    "format": "res_format",
    "url": "res_url",
    "resource_type": "res_type",
}


def solr_document(
    package: model.Package, with_default_schema: Mapping[str, Any], with_custom_schema: Mapping[str, Any]
) -> dict[str, Any]:
    """The document of one dataset. It has no groups, relationships and vocabulary tags (``package_dicts``)."""
    document = dict(with_default_schema)
    document["data_dict"] = json.dumps(with_default_schema)
    document["validated_data_dict"] = json.dumps(with_custom_schema, cls=MissingNullEncoder)
    if document.get("title"):
        document["title_string"] = document["title"]
    _spread_extras(document)
    document["tags"] = [tag["name"] for tag in document.pop("tags", [])]
    document["groups"] = []
    document["capacity"] = "private" if document["private"] else "public"
    organization = document.get("organization")
    document["organization"] = organization["name"] if organization else None
    _spread_resources(document)
    for name in ("relationships_as_subject", "relationships_as_object"):
        document.pop(name, None)
    document[TYPE_FIELD] = PACKAGE_TYPE
    document["dataset_type"] = document["type"]
    document = dict(_with_dates(document))
    for name in ("title", "notes", "title_string"):
        if document.get(name):
            document[name] = escape_xml_illegal_chars(document[name])
    for name in ("metadata_created", "metadata_modified"):
        document[name] += "Z"
    document["site_id"] = tk.config.get("ckan.site_id")
    if document.get("title"):
        document["title"] = document["title"].lstrip()
    document["index_id"] = index_id(document["id"])
    for plugin in p.PluginImplementations(p.IPackageController):
        document = plugin.before_dataset_index(document)
    document["permission_labels"] = lib_plugins.get_permission_labels().get_dataset_labels(package)
    return document


def index_id(package_id: str) -> str:
    """The key of a dataset's document in Solr."""
    value = f"{package_id}{tk.config.get('ckan.site_id')}".encode()
    return hashlib.md5(value, usedforsecurity=False).hexdigest()


def _spread_extras(document: dict[str, Any]) -> None:
    known = {*RESERVED_FIELDS, *document}
    for extra in document.pop("extras", []):
        key, value = extra["key"], extra["value"]
        if isinstance(value, (tuple, list)):
            value = " ".join(map(str, value))
        key = "".join(character for character in key if character in KEY_CHARS)
        document[f"extras_{key}"] = value
        if key not in known:
            document[key] = value


def _spread_resources(document: dict[str, Any]) -> None:
    more = {name: f"res_extras_{name}" for name in model.Resource.get_extra_columns()}
    for resource in document.pop("resources", []):
        for name, field in (_RESOURCE_FIELDS | more).items():
            document[field] = [*document.get(field, []), resource.get(name, "")]


def _with_dates(document: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Fields whose name says that they are dates, in Solr's form; those that are none are left out."""
    for key, value in document.items():
        if not key.endswith("_date"):
            yield key, value
        elif value:
            try:
                date = parse(value)
            except ParserError:
                log.warning("%r: %r value of %r is not a valid date", document["id"], key, value)
                continue
            yield key, date.isoformat() + ("" if date.tzinfo else "Z")
