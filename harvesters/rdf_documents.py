"""RDF documents from strangers → a graph: RDF/XML, Turtle (with N-Triples), JSON-LD. Nothing is fetched on the way.

A document that declares entities, that names a JSON-LD context which nobody has looked at, or that holds more
statements than one page should, is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

import rdflib
from rdflib.plugins.parsers.jsonld import to_rdf
from rdflib.plugins.stores.memory import Memory

from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.errors import DecodingError, SourceMalformed
from ckanext.openhuizhou.transport import decoding

FORMATS: Final = ("xml", "turtle", "json-ld")
#: Statements of one document: about 1 KiB of memory each.
MOST_STATEMENTS: Final = 200_000
_CONTEXTS: Final = Path(__file__).with_name("rdf_contexts.json")
_XML: Final = re.compile(r"<\?xml|<!--|<!DOCTYPE|<(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*[\s/>]")
_HTML: Final = re.compile(r"<(?:!DOCTYPE\s+)?html\b", re.IGNORECASE)
_SEARCHED: Final = 1000
_NO_CONTEXT: Final = N_("{url} names the JSON-LD context {context}, which the platform does not have")


class _TooManyStatementsError(Exception):
    """The document is too large for one page."""


class _BoundedMemory(Memory):
    """rdflib's own store, which does not take more than ``MOST_STATEMENTS``."""

    def __init__(self) -> None:
        super().__init__()
        self._left = MOST_STATEMENTS

    def add(self, *statement: Any, **options: Any) -> None:
        self._left -= 1
        if self._left < 0:
            raise _TooManyStatementsError
        super().add(*statement, **options)


def read_rdf(
    content: bytes, shown: str, base: str, form: str | None = None, contexts: Mapping[str, Any] | None = None
) -> rdflib.Dataset:
    """The graph of a document. ``form``: one of ``FORMATS``, or found out; ``contexts``: JSON-LD contexts that the
    source's configuration gives, by address; ``shown``: how errors call the document.

    Raises:
        SourceMalformed: it is no RDF, it is broken, or it holds what is refused.
    """
    try:
        text = decoding.decode(content)
    except DecodingError as error:
        raise SourceMalformed("{url} is in no encoding that the platform reads", url=shown) from error
    graph = rdflib.Dataset(store=_BoundedMemory(), default_union=True)
    form = form or format_of(text)
    if form is None:
        raise SourceMalformed("{url} is no RDF", url=shown)
    try:
        _parse(graph, text, content, form, base, {**known_contexts(), **(contexts or {})})
    except _RefusedError as refused:
        raise SourceMalformed(refused.message, url=shown, **refused.params) from refused
    except _TooManyStatementsError as error:
        raise SourceMalformed("{url} has more than {most} statements", url=shown, most=MOST_STATEMENTS) from error
    except (Exception, RecursionError) as error:
        # each of rdflib's parsers raises errors of its own, and Python's when it meets what it did not expect
        raise SourceMalformed("{url} is no whole {form}", url=shown, form=form) from error
    return graph


def format_of(text: str) -> str | None:
    """The format that a document begins like; what servers call it is often wrong. None: an HTML page, or nothing."""
    start = text[:_SEARCHED].lstrip("\ufeff \t\r\n")
    if not start or _HTML.search(start):
        return None
    if start[0] in "{[":
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return "turtle" if start[0] == "[" else "json-ld"
        return "json-ld"
    # Turtle may begin with an address in angle brackets, too; a name of XML has no slash or hash
    return "xml" if _XML.match(start) else "turtle"


class _RefusedError(Exception):
    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.params = params


def _parse(graph: rdflib.Dataset, text: str, content: bytes, form: str, base: str, contexts: Mapping[str, Any]) -> None:
    if form == "json-ld":
        to_rdf(_with_contexts(json.loads(text), contexts), graph, base=base)
        return
    if form == "xml":
        _refuse_entities(content)
        graph.parse(data=content, format="xml", publicID=base)
        return
    graph.parse(data=text, format="turtle", publicID=base)


def _refuse_entities(content: bytes) -> None:
    """Look at what stands before the first element: entities are declared there, and nowhere else."""

    class _Begun(Exception):
        pass

    def begun(*_arguments: Any) -> None:
        raise _Begun

    def declared(*_arguments: Any) -> None:
        raise _RefusedError(N_("{url} declares entities"))

    parser = expat.ParserCreate()
    parser.StartElementHandler = begun
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(content, True)
    except _Begun:
        return


def _with_contexts(document: Any, contexts: Mapping[str, Any]) -> Any:
    """``document`` with the contexts that it names in place of their addresses, so that nothing has to be fetched."""
    if isinstance(document, list):
        return [_with_contexts(member, contexts) for member in document]
    if not isinstance(document, dict):
        return document
    if "@import" in document:
        raise _RefusedError(_NO_CONTEXT, context="@import")
    return {
        key: _context(value, contexts) if key == "@context" else _with_contexts(value, contexts)
        for key, value in document.items()
    }


def _context(value: Any, contexts: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_context(member, contexts) for member in value]
    if not isinstance(value, str):
        return _with_contexts(value, contexts)
    found = contexts.get(value) or contexts.get(value.replace("https://", "http://", 1))
    if found is None:
        raise _RefusedError(_NO_CONTEXT, context=value[:200])
    # rdflib would fetch what that one names in turn
    return _context(found.get("@context", found) if isinstance(found, dict) else found, {})


@cache
def known_contexts() -> Mapping[str, Any]:
    """JSON-LD contexts that the platform has, by address: written for it after the standards' own vocabularies."""
    return json.loads(_CONTEXTS.read_text("utf-8"))
