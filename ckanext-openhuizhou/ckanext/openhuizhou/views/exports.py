"""Tables to take away: in each format, whole or as a query picks them, and the ZIP of an entry.

A whole table is sent from a file (ETag, 304, ranges, HEAD). What is picked, and a large table whose file is still to be
made, is sent while it is read. Where something goes wrong on the way the connection breaks: no reader takes half a
table for a whole one.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, send_file, stream_with_context
from flask_babel import force_locale

from ckanext.openhuizhou.data import datastore_tables, export_files
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.data.table_query import TableQuery, parse_query
from ckanext.openhuizhou.domain.city_time import to_city
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import ReadTimedOut
from ckanext.openhuizhou.exports import csv_file, dataset_zip, store
from ckanext.openhuizhou.exports.formats import FORMATS, Format
from ckanext.openhuizhou.exports.rows import Rows, rows_of
from ckanext.openhuizhou.logic.findings import described_finding

from .data_access import table_of
from .download import attachment
from .table_description import about_table

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_exports", __name__, url_prefix="/dataset")


@blueprint.route("/<id>/resource/<resource_id>/export/<format>", endpoint="export")
def export(id: str, resource_id: str, format: str) -> Response | str:  # noqa: A002 - names of the contract
    """The table of a resource, or what the address picks of it (``data.table_query``), in a format.

    CSV takes ``bom=0`` (without byte order mark), ``header=id`` (column ids in the first row) and ``formulas=harmless``
    (an apostrophe before texts that a spreadsheet program would run).
    """
    package, resource = table_of(id, resource_id)
    chosen = FORMATS.get(format)
    try:
        columns = columns_of(resource_id)
    except LookupError:
        return tk.abort(404, tk._("This file has no table"))
    if chosen is None or not chosen.fits(columns):
        return tk.abort(404, tk._("This table cannot be had in this format"))
    _keep_private()
    query, dialect = _query(resource_id, columns, chosen), _dialect(chosen)
    mark = datastore_tables.live_mark(resource_id)
    title = _title(package, resource)
    if not query.args and dialect == csv_file.Dialect() and mark is not None:
        found = _whole(resource_id, mark, chosen, len(columns))
        if found is not None:
            return _file(found, attachment(package["name"], title, chosen.suffix))
    if query.args:
        title = f"{title}-{tk._('selection')}"
    etag = _etag(mark, chosen, query, dialect) if mark else None
    return _streamed(query, chosen, dialect, etag, attachment(package["name"], title, chosen.suffix))


@blueprint.route("/<id>/export.zip", endpoint="archive")
def archive(id: str) -> Response:  # noqa: A002
    """All tables of an entry that its reader may see, with what describes them, the terms, and a README."""
    package = _package(id)
    readable = [resource for resource in package["resources"] if _may_read(resource)]
    if not readable:
        resource = next((one for one in package["resources"] if one.get("datastore_active")), None)
        if resource is not None:
            table_of(id, resource["id"])  # says why not
        tk.abort(404, tk._("This dataset has no table"))
    _keep_private()
    tables, files = _packed(package, readable)
    etag = dataset_zip.digest_of(files)[:32]
    known = tk.request.if_none_match.contains_weak(etag)
    if known or tk.request.method == "HEAD":
        dataset_zip.close(files)
        status, body = 304 if known else 200, iter(())
    else:
        loaded = max((table.loaded for table in tables if table.loaded), default=None)
        status, body = 200, dataset_zip.archive(files, to_city(loaded) if loaded else None)
    response = Response(body, status=status, content_type="application/zip")
    response.set_etag(etag, weak=True)
    return _headed(response, attachment(package["name"], package["title"] or package["name"], ".zip"))


def _package(name: str) -> dict[str, Any]:
    try:
        package = tk.get_action("package_show")({}, {"id": name})
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return tk.abort(404, tk._("Dataset not found"))
    return package if package["type"] == "dataset" else tk.abort(404, tk._("Dataset not found"))


def _may_read(resource: dict[str, Any]) -> bool:
    if not resource.get("datastore_active"):
        return False
    return tk.h.check_access("openhuizhou_resource_data_show", {"id": resource["id"]})


def _packed(
    package: dict[str, Any], readable: Sequence[dict[str, Any]]
) -> tuple[list[dataset_zip.PackedTable], list[dataset_zip.PackedFile]]:
    """The tables, and every file of the archive with the README first; 404 when none of them is published."""
    titles = [_title(package, resource) for resource in readable]
    tables = []
    for resource, title, stem in zip(readable, titles, dataset_zip.stems(titles), strict=True):
        with suppress(LookupError):
            tables.append(dataset_zip.packed_table(resource["id"], title, stem, about_table(package, resource)))
    if not tables:
        tk.abort(404, tk._("This dataset has no table"))
    files = [file for table in tables for file in table.files]
    about = {"package": package, "tables": tables, "files": files}
    return tables, [*_texts(about), *files]


def _texts(about: dict[str, Any]) -> Iterator[dataset_zip.PackedFile]:
    """README and terms, in both languages whatever the reader's is."""
    own = tk.request.environ.get("CKAN_LANG")
    try:
        for language, suffix in (("zh_Hans_CN", "zh"), ("en", "en")):
            tk.request.environ["CKAN_LANG"] = language
            with force_locale(language):
                extra = {**about, "made_of": tk.h.openhuizhou_licence(about["package"])}
                for name in ("README", "LICENCE"):
                    text = tk.render(f"openhuizhou/export/{name.lower()}_text.html", extra)
                    yield dataset_zip.text_file(f"{name}.{suffix}.txt", text)
    finally:
        tk.request.environ["CKAN_LANG"] = own


def _query(resource_id: str, columns: Sequence[Item], chosen: Format) -> TableQuery:
    """What the address picks. A page says what it did not understand; a file has no place for that: 400."""
    query = parse_query(resource_id, columns, tk.request.args)
    said = [described_finding(finding)["message"] for finding in query.findings]
    known = {item.column: item for item in columns}
    if not said and not chosen.fits([known[name] for name in query.columns]):
        said = [tk._("The columns of the coordinates have to be among the chosen ones")]
    if said:
        tk.abort(400, " ".join(said))
    return query


def _dialect(chosen: Format) -> csv_file.Dialect:
    args = tk.request.args
    if chosen.name != "csv":
        return csv_file.Dialect()
    return csv_file.Dialect(
        bom=args.get("bom") != "0", ids=args.get("header") == "id", harmless=args.get("formulas") == "harmless"
    )


def _whole(resource_id: str, mark: dict[str, Any], chosen: Format, width: int) -> store.Whole | None:
    """The file; None while a worker makes that of a large table."""
    found = store.whole(resource_id, mark, chosen)
    if found is not None or chosen.name == "csv":
        return found
    if mark["rows"] * width <= store.AT_ONCE_CELLS:
        return store.make(resource_id, chosen.name)
    store.ask_for(resource_id, chosen.name)
    return None


def _file(found: store.Whole, disposition: str) -> Response:
    response = send_file(found.path, mimetype=found.format.media_type, conditional=True, etag=found.sha256, max_age=0)
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(found.sha256)).decode()}:"
    return _headed(response, disposition)


def _streamed(
    query: TableQuery, chosen: Format, dialect: csv_file.Dialect, etag: str | None, disposition: str
) -> Response:
    if etag is not None and tk.request.if_none_match.contains_weak(etag):
        response = Response(status=304)
        response.set_etag(etag, weak=True)
        return response
    pieces = _pieces(query, chosen, dialect)
    if tk.request.method == "HEAD":
        pieces.close()
        body: Iterator[bytes] = iter(())
    else:
        body = stream_with_context(_after(_first(pieces), pieces))
    response = Response(body, content_type=chosen.media_type)
    if etag is not None:
        response.set_etag(etag, weak=True)
    return _headed(response, disposition)


def _pieces(query: TableQuery, chosen: Format, dialect: csv_file.Dialect) -> Generator[bytes]:
    with rows_of(query, harmless=dialect.harmless) as rows:
        yield from _written(rows, chosen, dialect)


def _written(rows: Rows, chosen: Format, dialect: csv_file.Dialect) -> Iterator[bytes]:
    return csv_file.write(rows, dialect) if chosen.name == "csv" else chosen.write(rows)


def _first(pieces: Iterator[bytes]) -> bytes:
    """What goes wrong before the first byte is an answer of its own."""
    try:
        return next(pieces, b"")
    except LookupError:
        return tk.abort(404, tk._("This file has no table"))
    except ReadTimedOut:
        return tk.abort(503, tk._("Reading the table took too long"))


def _after(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _headed(response: Response, disposition: str) -> Response:
    response.headers["Content-Disposition"] = disposition
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _etag(mark: dict[str, Any], chosen: Format, query: TableQuery, dialect: csv_file.Dialect) -> str:
    asked = repr((export_files.table_key(mark), chosen.name, query.args, dialect))
    return hashlib.sha256(asked.encode()).hexdigest()[:32]


def _keep_private() -> None:
    """What somebody who is logged in gets may be his alone."""
    if tk.current_user.is_authenticated:
        tk.request.environ["__no_cache__"] = True


def _title(package: dict[str, Any], resource: dict[str, Any]) -> str:
    """The entry's title, with the resource's name where the entry has several files."""
    title = package["title"] or package["name"]
    return f"{title}-{resource['name']}" if len(package["resources"]) > 1 and resource.get("name") else title
