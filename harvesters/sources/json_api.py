"""Kind ``json-api``: a catalogue and its data from a paged JSON service with a token and ETags."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.errors import DecodingError, SourceMalformed
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.kinds import TOKEN_OPTIONS, Option, Reading, SourceKind, authorized, source_kind
from ckanext.openhuizhou.harvesters.paging import (
    DIGEST_OPTION,
    KEY_OPTION,
    MODIFIED_OPTION,
    PAGING_OPTIONS,
    Page,
    address_of,
    get,
    page_params,
    pages,
)
from ckanext.openhuizhou.harvesters.record_fields import digest_at, key_at, links_at, text_at
from ckanext.openhuizhou.harvesters.records import Row, SourceRecord
from ckanext.openhuizhou.harvesters.rules import lookup
from ckanext.openhuizhou.transport import decoding
from ckanext.openhuizhou.transport.http import Answer, shown


@source_kind
class JsonApi(SourceKind):
    """The whole catalogue is one conditional request when its ETag covers the data (``covers_data``)."""

    name = "json-api"
    title = N_("JSON service")
    description = N_("A catalogue and its data, page by page, in JSON")
    options = (
        Option(
            "url", required=True, label=N_("Address of the catalogue"), help=N_("Answers with the list of data sets")
        ),
        *TOKEN_OPTIONS,
        Option(
            "records",
            default="",
            label=N_("Path of the list"),
            help=N_("In the answer, as data.list; empty when the answer is the list itself"),
        ),
        KEY_OPTION,
        MODIFIED_OPTION,
        Option(
            "columns",
            default="columns",
            label=N_("Path of the columns"),
            help=N_("In a record: the list of its columns"),
        ),
        Option(
            "paging",
            options=PAGING_OPTIONS,
            label=N_("Pages of the catalogue"),
            help=N_("Empty when it comes in one answer"),
        ),
        DIGEST_OPTION,
        Option(
            "covers_data",
            (bool,),
            default=False,
            label=N_("The catalogue’s ETag covers the data"),
            help=N_("Then a source in which nothing has changed costs one request"),
        ),
        Option(
            "links",
            label=N_("Links"),
            help=N_("Files and services of a record that stay where they are"),
            options=(
                Option("list", required=True, label=N_("Path of the list of links"), help=N_("In a record")),
                Option("url", default="url", label=N_("Path of the address"), help=N_("In a link")),
                Option("name", default="name", label=N_("Path of the name"), help=N_("In a link")),
                Option("format", default="format", label=N_("Path of the format"), help=N_("In a link")),
                Option("description", default="description", label=N_("Path of the description"), help=N_("In a link")),
            ),
        ),
        Option(
            "data",
            label=N_("Rows"),
            help=N_("Where the rows of a record are; empty for entries without a table"),
            options=(
                Option(
                    "url", required=True, label=N_("Address of the rows"), help=N_("{key} stands for the record’s key")
                ),
                Option("records", default="", label=N_("Path of the rows"), help=N_("In the answer")),
                Option(
                    "paging", options=PAGING_OPTIONS, label=N_("Pages of the rows"), help=N_("Empty for one answer")
                ),
                Option(
                    "etag",
                    (bool,),
                    default=False,
                    label=N_("The ETag of the first page covers all rows"),
                    help=N_("Then a table that has not changed costs one request"),
                ),
            ),
        ),
    )

    def __init__(self, config: Mapping[str, Any], reading: Reading) -> None:
        super().__init__(config, reading)
        self._client = authorized(reading.client, config, Accept="application/json")

    def open(self) -> bool:
        conditional = self.config["covers_data"] and not self.reading.full
        known = self.reading.state.get("catalogue") if conditional else None
        paging = self.config["paging"] or {}
        params = page_params(paging, paging.get("first", 1))
        self._first = self._client.get(self.config["url"], params=params, known=known)
        if self._first.not_modified:
            self.reading.new_state.update(self.reading.state)
            return False
        if self.config["covers_data"] and self._first.validators:
            self.reading.new_state["catalogue"] = self._first.validators
        return True

    def records(self) -> Iterator[SourceRecord]:
        parse = partial(_parse, self.config["records"], self.config["paging"] or {})
        for page in pages(self.config["url"], self.config["paging"], get(self._client), parse, self._first):
            self.reading.total = page.total or self.reading.total
            for member in page.members:
                # what is no object has no key, and the run says so
                yield self._record(member) if isinstance(member, dict) else SourceRecord(key="")

    def close(self) -> None:
        self._client.close()

    def _record(self, member: dict[str, Any]) -> SourceRecord:
        key = key_at(member, self.config["key"])
        columns = lookup(member, self.config["columns"])
        state: dict[str, Any] = {}
        data_digest, rule = digest_at(member, self.config["digest"]), "version"
        if data_digest is None and key and self.config["data"] and self.config["data"]["etag"]:
            (data_digest, state), rule = self._etag(key), "etag"
        return SourceRecord(
            key=key,
            modified=text_at(member, self.config["modified"]),
            payload={**member, "columns": columns if isinstance(columns, list) else []},
            data_digest=data_digest,
            data_rule=rule if data_digest else None,
            rows=partial(self._rows, key) if self.config["data"] else None,
            state=state,
            links=links_at(member, self.config["links"]),
        )

    def _etag(self, key: str) -> tuple[str | None, dict[str, Any]]:
        """The digest that stands for the rows: the ETag of their first page."""
        data = self.config["data"]
        known = {} if self.reading.full else self.reading.record_states(key)
        paging = data["paging"] or {}
        params = page_params(paging, paging.get("first", 1))
        answer = self._client.get(address_of(data["url"], key), params=params, known=known)
        validators = dict(known) if answer.not_modified else answer.validators
        return (digest(validators) if validators else None), validators

    def _rows(self, key: str) -> Iterator[Row]:
        data = self.config["data"]
        parse = partial(_parse, data["records"], data["paging"] or {})
        for page in pages(address_of(data["url"], key), data["paging"], get(self._client), parse):
            for row in page.members:
                if not isinstance(row, dict):
                    raise SourceMalformed("{url} sends a row that is no object", url=shown(data["url"]))
                yield row


def _parse(path: str, paging: Mapping[str, Any], answer: Answer) -> Page:
    try:
        document = json.loads(decoding.decode(answer.content))
    except (ValueError, DecodingError, RecursionError) as error:
        raise SourceMalformed("{url} sends no whole JSON", url=shown(answer.url)) from error
    members = lookup(document, path) if path else document
    if not isinstance(members, list):
        raise SourceMalformed("{url} has no list at {path}", url=shown(answer.url), path=path or "/")
    total = lookup(document, paging["total"]) if paging.get("total") else None
    following = lookup(document, paging["next"]) if paging.get("next") else None
    try:
        return Page(members, None if total is None else int(total), str(following) if following else None)
    except (TypeError, ValueError) as error:
        raise SourceMalformed("{url} has no number at {path}", url=shown(answer.url), path=paging["total"]) from error
