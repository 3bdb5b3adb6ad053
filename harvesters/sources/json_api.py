"""Kind ``json-api``: a catalogue and its data from a paged JSON service with a token and ETags."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ckanext.openhuizhou.errors import DecodingError, SourceMalformed
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.kinds import TOKEN_OPTIONS, Option, Reading, SourceKind, authorized, source_kind
from ckanext.openhuizhou.harvesters.paging import PAGING_OPTIONS, Page, address_of, get, page_params, pages
from ckanext.openhuizhou.harvesters.records import Row, SourceRecord
from ckanext.openhuizhou.harvesters.rules import lookup
from ckanext.openhuizhou.transport import decoding
from ckanext.openhuizhou.transport.http import Answer, shown


@source_kind
class JsonApi(SourceKind):
    """The whole catalogue is one conditional request when its ETag covers the data (``covers_data``)."""

    name = "json-api"
    options = (
        Option("url", required=True),
        *TOKEN_OPTIONS,
        Option("records", default=""),
        Option("key", required=True),
        Option("modified"),
        Option("columns", default="columns"),
        Option("paging", options=PAGING_OPTIONS),
        Option("digest", (str, list)),
        Option("covers_data", (bool,), default=False),
        Option(
            "data",
            options=(
                Option("url", required=True),
                Option("records", default=""),
                Option("paging", options=PAGING_OPTIONS),
                Option("etag", (bool,), default=False),
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
            for member in page.members:
                if isinstance(member, dict):
                    yield self._record(member)

    def close(self) -> None:
        self._client.close()

    def _record(self, member: dict[str, Any]) -> SourceRecord:
        key = lookup(member, self.config["key"])
        key = "" if key is None else str(key).strip()
        modified = lookup(member, self.config["modified"]) if self.config["modified"] else None
        columns = lookup(member, self.config["columns"])
        state: dict[str, Any] = {}
        data_digest = None
        if self.config["digest"]:
            paths = self.config["digest"]
            data_digest = digest([lookup(member, path) for path in ([paths] if isinstance(paths, str) else paths)])
        elif key and self.config["data"] and self.config["data"]["etag"]:
            data_digest, state = self._etag(key)
        return SourceRecord(
            key=key,
            modified=None if modified is None else str(modified),
            payload={**member, "columns": columns if isinstance(columns, list) else []},
            data_digest=data_digest,
            rows=partial(self._rows, key) if self.config["data"] else None,
            state=state,
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
