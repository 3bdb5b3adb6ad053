"""Kind ``dcat``: a catalogue in DCAT or DCAT-AP, from a web address page by page, or from a folder of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import rdflib

from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.harvesters.dcat_profile import datasets, following_page, links_of, total_items
from ckanext.openhuizhou.harvesters.document_folder import DocumentFolder
from ckanext.openhuizhou.harvesters.folder_source import ACCESS_OPTIONS, folder_at
from ckanext.openhuizhou.harvesters.kinds import Option, Reading, SourceKind, authorized, source_kind
from ckanext.openhuizhou.harvesters.paging import Page, page_params, pages
from ckanext.openhuizhou.harvesters.rdf_documents import FORMATS, read_rdf
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import lookup
from ckanext.openhuizhou.transport.http import Answer, shown

_ACCEPT: Final = "application/rdf+xml, text/turtle;q=0.9, application/ld+json;q=0.8, */*;q=0.1"
_MOST_PAGE_BYTES: Final = 32 << 20
#: Where relative addresses in a file of a folder lead: nowhere (RFC 2606).
_NOWHERE: Final = "https://folder.invalid/"
#: What a dataset is known by when the configuration does not say: the first that it has.
_KEYS: Final = ("identifier", "uri", "url")


@source_kind
class Dcat(SourceKind):
    """One page is in memory at a time. A page or file that cannot be read fails the source: nobody knows what was in
    it, and what is not seen would be withdrawn."""

    name = "dcat"
    title = N_("DCAT catalogue")
    description = N_("A catalogue in RDF/XML, Turtle or JSON-LD (DCAT-AP), page by page or as files in a folder")
    options = (
        Option(
            "url",
            required=True,
            label=N_("Address of the catalogue"),
            help=N_("https://… the first page; with a pattern, or as sftp://… or local folder, a folder of files"),
        ),
        Option(
            "pattern",
            label=N_("Files"),
            help=N_("Which files of a folder are read, for example *.rdf. Without it a web address is one document."),
        ),
        *ACCESS_OPTIONS,
        Option(
            "format",
            default="auto",
            choices=("auto", *FORMATS),
            label=N_("Format"),
            help=N_("Found out from the document by default"),
        ),
        Option(
            "key",
            label=N_("Field with the key"),
            help=N_("What stays the same for ever; by default the identifier, or the address of the dataset"),
        ),
        Option(
            "paging",
            options=(
                Option("page", required=True, label=N_("Parameter of the page number")),
                Option("size", label=N_("Parameter of the page size")),
                Option("per_page", (int,), default=100, label=N_("Datasets on a page")),
                Option("first", (int,), default=1, label=N_("Number of the first page")),
            ),
            label=N_("Pages by number"),
            help=N_("Only for catalogues that do not name the next page (hydra:next)"),
        ),
        Option(
            "contexts",
            (dict,),
            label=N_("JSON-LD contexts"),
            help=N_("Address and content of contexts that the documents name. The platform fetches none itself."),
            rare=True,
        ),
    )

    def __init__(self, config: Mapping[str, Any], reading: Reading) -> None:
        super().__init__(config, reading)
        self._client = authorized(reading.client, config, Accept=_ACCEPT)
        self._documents: DocumentFolder | None = None
        self._form = None if config["format"] == "auto" else config["format"]

    def open(self) -> bool:
        if self.config["pattern"] or not self.config["url"].startswith(("http://", "https://")):
            self._documents = DocumentFolder(folder_at(self.config, self._client), self.config["pattern"] or "*")
            return self._documents.open(self.reading)
        known = None if self.reading.full else self.reading.state.get("document")
        paging = self.config["paging"] or {}
        self._first = self._fetch(self.config["url"], page_params(paging, paging.get("first", 1)), known)
        if self._first.not_modified:
            self.reading.new_state.update(self.reading.state)
            return False
        return True

    def records(self) -> Iterator[SourceRecord]:
        for found in self._datasets():
            yield self._record(found)

    def close(self) -> None:
        if self._documents is not None:
            self._documents.close()
        self._client.close()

    def _datasets(self) -> Iterator[dict[str, Any]]:
        if self._documents is not None:
            for name, stream in self._documents.streams():
                yield from datasets(self._graph(stream.read(), name, _NOWHERE + quote(name)))
            return
        paging = self.config["paging"] or {"next": "hydra"}
        count = 0
        for page in pages(self.config["url"], paging, self._fetch, self._parse, self._first):
            count += 1
            self.reading.total = page.total if page.total is not None else self.reading.total
            yield from page.members
        if count == 1 and self._first.validators:
            # of several pages the first one says nothing about the others
            self.reading.new_state["document"] = self._first.validators

    def _fetch(self, url: str, params: Mapping[str, Any], known: Mapping[str, str] | None = None) -> Answer:
        return self._client.get(url, params=params, known=known, size=_MOST_PAGE_BYTES)

    def _parse(self, answer: Answer) -> Page:
        graph = self._graph(answer.content, shown(answer.url), answer.url)
        return Page(list(datasets(graph)), total_items(graph), following_page(graph))

    def _graph(self, content: bytes, name: str, base: str) -> rdflib.Graph:
        return read_rdf(content, name, base, self._form, self.config["contexts"])

    def _record(self, found: dict[str, Any]) -> SourceRecord:
        keys = (self.config["key"],) if self.config["key"] else _KEYS
        values = (lookup(found, key) for key in keys)
        key = next((str(value).strip() for value in values if value not in (None, "", [])), "")
        modified = found.get("modified")
        return SourceRecord(
            key=key,
            modified=None if modified is None else str(modified),
            payload={**found, "columns": []},
            data_rule="payload",
            links=links_of(found),
        )
