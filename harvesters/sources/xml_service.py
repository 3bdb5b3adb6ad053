"""Kind ``xml-service``: a paged XML web service, by GET or with a SOAP envelope by POST.

What comes in is hostile until shown otherwise: no entities, no document type, no network, no huge trees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.errors import SourceMalformed
from ckanext.openhuizhou.harvesters.kinds import TOKEN_OPTIONS, Option, Reading, SourceKind, authorized, source_kind
from ckanext.openhuizhou.harvesters.paging import (
    DIGEST_OPTION,
    KEY_OPTION,
    MODIFIED_OPTION,
    PAGING_OPTIONS,
    Fetch,
    Page,
    address_of,
    get,
    page_params,
    pages,
)
from ckanext.openhuizhou.harvesters.record_fields import digest_at, key_at, text_at
from ckanext.openhuizhou.harvesters.records import Row, SourceRecord
from ckanext.openhuizhou.harvesters.rules import lookup
from ckanext.openhuizhou.transport.http import Answer, shown

Element: TypeAlias = Any  # lxml has no public name for the class of its elements


@source_kind
class XmlService(SourceKind):
    """Records and rows are found by XPath; their child elements and attributes are the fields."""

    name = "xml-service"
    title = N_("XML service")
    description = N_("A catalogue and its data in XML, by GET or with a SOAP envelope")
    options = (
        Option(
            "url", required=True, label=N_("Address of the catalogue"), help=N_("Answers with the list of data sets")
        ),
        *TOKEN_OPTIONS,
        Option(
            "namespaces",
            (dict,),
            label=N_("Namespaces"),
            help=N_("Short names that the XPaths use, with their URIs"),
            rare=True,
        ),
        Option("records", required=True, label=N_("XPath of the records"), help=N_("As in .//dataset")),
        KEY_OPTION,
        MODIFIED_OPTION,
        Option("columns", label=N_("Path of the columns"), help=N_("In a record: the list of its columns")),
        Option(
            "paging",
            options=PAGING_OPTIONS,
            label=N_("Pages of the catalogue"),
            help=N_("Empty when it comes in one answer"),
        ),
        DIGEST_OPTION,
        Option(
            "post",
            label=N_("Body of the request"),
            help=N_("A SOAP envelope with {page}, {size} and {key}; empty for GET"),
            rare=True,
        ),
        Option(
            "error",
            label=N_("XPath of an error"),
            help=N_("Finds something when the service reports an error"),
            rare=True,
        ),
        Option(
            "data",
            label=N_("Rows"),
            help=N_("Where the rows of a record are; empty for entries without a table"),
            options=(
                Option(
                    "url", required=True, label=N_("Address of the rows"), help=N_("{key} stands for the record’s key")
                ),
                Option("rows", required=True, label=N_("XPath of the rows"), help=N_("As in .//row")),
                Option(
                    "paging", options=PAGING_OPTIONS, label=N_("Pages of the rows"), help=N_("Empty for one answer")
                ),
                Option("post", label=N_("Body of the request"), help=N_("As for the catalogue")),
            ),
        ),
    )

    def __init__(self, config: Mapping[str, Any], reading: Reading) -> None:
        super().__init__(config, reading)
        self._client = authorized(reading.client, config, Accept="application/xml, text/xml")

    def open(self) -> bool:
        paging = self.config["paging"] or {}
        self._fetch = self._fetcher(self.config["post"], "", paging)
        self._first = self._fetch(self.config["url"], page_params(paging, paging.get("first", 1)))
        return True

    def records(self) -> Iterator[SourceRecord]:
        parse = partial(self._parse, self.config["records"], self.config["paging"] or {})
        for page in pages(self.config["url"], self.config["paging"], self._fetch, parse, self._first):
            self.reading.total = page.total or self.reading.total
            for member in page.members:
                # an element without anything inside has no key, and the run says so
                yield self._record(member) if isinstance(member, dict) else SourceRecord(key="")

    def close(self) -> None:
        self._client.close()

    def _record(self, payload: dict[str, Any]) -> SourceRecord:
        key = key_at(payload, self.config["key"])
        columns = lookup(payload, self.config["columns"]) if self.config["columns"] else None
        columns = columns if isinstance(columns, list) else [columns] if isinstance(columns, dict) else []
        data_digest = digest_at(payload, self.config["digest"])
        return SourceRecord(
            key=key,
            modified=text_at(payload, self.config["modified"]),
            payload={**payload, "columns": columns},
            data_digest=data_digest,
            data_rule="version" if data_digest else None,
            rows=partial(self._rows, key) if self.config["data"] else None,
        )

    def _rows(self, key: str) -> Iterator[Row]:
        data = self.config["data"]
        paging = data["paging"] or {}
        fetch = self._fetcher(data["post"], key, paging)
        parse = partial(self._parse, data["rows"], paging)
        for page in pages(address_of(data["url"], key), data["paging"], fetch, parse):
            # a row without cells is one of empty cells
            yield from (row if isinstance(row, dict) else {} for row in page.members)

    def _fetcher(self, body: str | None, key: str, paging: Mapping[str, Any]) -> Fetch:
        if body is None:
            return get(self._client)

        def fetch(url: str, params: Mapping[str, Any], known: Mapping[str, str] | None = None) -> Answer:
            del known  # a POST has no conditional form
            filled = body.replace("{key}", escape(key))
            filled = filled.replace("{page}", str(params.get(paging.get("page") or "", paging.get("first", 1))))
            filled = filled.replace("{size}", str(paging.get("per_page", 100)))
            return self._client.post(url, filled.encode(), "text/xml; charset=utf-8")

        return fetch

    def _parse(self, path: str, paging: Mapping[str, Any], answer: Answer) -> Page:
        root = parse_xml(answer)
        # without EXSLT's regular expressions, which may take for ever
        find = etree.XPathElementEvaluator(root, namespaces=self.config["namespaces"], regexp=False)
        try:
            if self.config["error"] and (said := find(self.config["error"])):
                raise SourceMalformed("{url} says: {reason}", url=shown(answer.url), reason=_text_of(said)[:200])
            members = [plain(element) for element in _elements(find(path))]
            total = _text_of(find(paging["total"])) if paging.get("total") else None
            following = _text_of(find(paging["next"])) if paging.get("next") else None
            return Page(members, int(total) if total else None, following or None)
        except etree.XPathError as error:
            raise SourceMalformed("{path} is no XPath", path=path) from error
        except ValueError as error:
            raise SourceMalformed(
                "{url} has no number at {path}", url=shown(answer.url), path=paging["total"]
            ) from error


def parse_xml(answer: Answer) -> Element:
    """The root element.

    Raises:
        SourceMalformed: not well-formed, or with a document type (the door of entity attacks).
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, dtd_validation=False, remove_pis=True
    )
    try:
        root = etree.fromstring(answer.content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceMalformed("{url} sends no whole XML", url=shown(answer.url)) from error
    if root.getroottree().docinfo.doctype:
        raise SourceMalformed("{url} sends XML with a document type, which is refused", url=shown(answer.url))
    return root


def plain(element: Element) -> Any:
    """An element as text when it has nothing inside, else as a dict of its attributes and children.

    ``<a id="1"><b>x</b></a>`` → ``{"@id": "1", "id": "1", "b": "x"}``; repeated children become lists; namespaces go.
    """
    children = [child for child in element if isinstance(child.tag, str)]
    if not children and not element.attrib:
        return (element.text or "").strip()
    result: dict[str, Any] = {}
    for child in children:
        name, value = etree.QName(child).localname, plain(child)
        if name not in result:
            result[name] = value
        elif isinstance(result[name], list):
            result[name].append(value)
        else:
            result[name] = [result[name], value]
    for attribute, value in element.attrib.items():
        name = etree.QName(str(attribute)).localname
        result[f"@{name}"] = value
        result.setdefault(name, value)
    if element.text and element.text.strip() and not children:
        result["#text"] = element.text.strip()
    return result


def _elements(found: Any) -> list[Element]:
    return [one for one in found if etree.iselement(one)] if isinstance(found, list) else []


def _text_of(found: Any) -> str:
    if isinstance(found, list):
        found = found[0] if found else ""
    if etree.iselement(found):
        found = "".join(str(text) for text in found.itertext())
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    return str(found).strip()
