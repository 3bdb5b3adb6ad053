"""What describes a table: a page, and the files that programs read.

The CSV file's download names its CSVW metadata in a ``Link`` header, as the W3C's model for tabular data on the web
wants it (https://www.w3.org/TR/tabular-data-model/#link-header).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import ckan.plugins.toolkit as tk
from ckan import model
from flask import Blueprint, Response, make_response

from ckanext.openhuizhou.data import table_description
from ckanext.openhuizhou.domain import csvw
from ckanext.openhuizhou.domain.city_time import to_city

from .data_access import table_of
from .download import attachment

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_table_description", __name__, url_prefix="/dataset/<id>/resource/<resource_id>")

_Told = TypeVar("_Told")


@blueprint.route("/dictionary", endpoint="show")
def show(id: str, resource_id: str) -> str:  # noqa: A002 - CKAN's name of the parameter
    """The columns of a table, what they mean, and what they hold."""
    entry, resource = table_of(id, resource_id)
    columns = tk.h.openhuizhou_table_dictionary(resource_id)
    if not columns:
        tk.abort(404, tk._("This file has no table"))
    extra = {
        "entry": entry,
        "resource": resource,
        "columns": columns,
        "profile": tk.h.openhuizhou_table_profile(resource),
    }
    return tk.render("openhuizhou/table/dictionary.html", extra)


@blueprint.route("/dictionary.csv", endpoint="dictionary_csv")
def dictionary_csv(id: str, resource_id: str) -> Response:  # noqa: A002
    """The data dictionary, for Excel."""
    entry, resource = table_of(id, resource_id)
    content = _told(lambda: table_description.dictionary_csv(resource_id))
    response = _file(content, "text/csv; charset=utf-8")
    title = " ".join(part for part in (_title(entry, resource), "数据项说明") if part)
    response.headers["Content-Disposition"] = attachment(f"{entry['name']}-dictionary", title, ".csv")
    return response


@blueprint.route("/tableschema.json", endpoint="table_schema")
def table_schema(id: str, resource_id: str) -> Response:  # noqa: A002
    """The Table Schema of Frictionless."""
    entry, resource = table_of(id, resource_id)
    schema = _told(lambda: table_description.schema_json(resource_id, _title(entry, resource)))
    return _file(_json(schema), "application/json")


@blueprint.route("/csv-metadata.json", endpoint="csvw")
def csvw_metadata(id: str, resource_id: str) -> Response:  # noqa: A002
    """The metadata of CSV on the Web."""
    entry, resource = table_of(id, resource_id)
    told = _told(lambda: table_description.csvw_json(resource_id, resource["url"], about_table(entry, resource)))
    return _file(_json(told), csvw.MEDIA_TYPE)


@blueprint.after_app_request
def name_description(response: Response) -> Response:
    """The download of a table's CSV file says where its metadata is."""
    endpoint, arguments = tk.request.endpoint or "", tk.request.view_args or {}
    if not endpoint.endswith("resource.download") or response.status_code not in (200, 206, 304):
        return response
    resource = model.Resource.get(arguments.get("resource_id") or "")
    if resource is None or not (resource.extras or {}).get("datastore_active") or resource.url_type != "upload":
        return response
    address = tk.h.url_for(
        "openhuizhou_table_description.csvw", id=resource.package.name, resource_id=resource.id, locale="default"
    )
    response.headers.add("Link", f'<{address}>; rel="describedby"; type="{csvw.MEDIA_TYPE}"')
    return response


def _told(ask: Callable[[], _Told]) -> _Told:
    try:
        return ask()
    except LookupError:
        return tk.abort(404, tk._("This file has no table"))


def _title(entry: Mapping[str, Any], resource: Mapping[str, Any]) -> str:
    """The entry's title, with the resource's name where the entry has several files."""
    several = len(entry["resources"]) > 1 and resource.get("name")
    return f"{entry['title']}-{resource['name']}" if several else entry["title"]


def about_table(entry: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, Any]:
    """Common properties of CSVW in Dublin Core's words."""
    licence = tk.h.openhuizhou_licence(entry)
    changed = entry.get("data_modified") and datetime.fromisoformat(entry["data_modified"])
    return {
        "dc:title": _title(entry, resource),
        "dc:description": entry.get("notes"),
        "dc:identifier": entry.get("catalogue_code"),
        "dc:publisher": (entry.get("organization") or {}).get("title"),
        "dc:license": {"@id": licence["url"]} if licence["url"] else licence["title"],
        "dc:modified": {"@value": to_city(changed).isoformat(), "@type": "xsd:dateTime"} if changed else None,
    }


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def _file(content: bytes, media_type: str) -> Response:
    """With an ETag, so that who has it need not fetch it again; for one reader when it depends on who asks."""
    if tk.current_user.is_authenticated:
        tk.request.environ["__no_cache__"] = True
    response = make_response(content)
    response.headers["Content-Type"] = media_type
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.add_etag()
    response.make_conditional(tk.request.environ)
    return response
