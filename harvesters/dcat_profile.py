"""One dataset of a DCAT graph → a plain dict and its links, through ckanext-dcat's profile for DCAT-AP.

The profile is used without its plugin: its constructor asks CKAN for a schema, its licence rule for CKAN's register,
and where a value has several languages it takes what comes first. What it makes here is the same at each reading of the
same graph: no names of blank nodes, lists in order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import rdflib
from ckanext.dcat.profiles.base import DCAT, DCT, FOAF, RDFS, SKOS, VCARD
from ckanext.dcat.profiles.euro_dcat_ap_base import BaseEuropeanDCATAPProfile
from rdflib.namespace import RDF, Namespace
from rdflib.term import BNode, Literal, Node, URIRef

from ckanext.openhuizhou.harvesters.records import Link

HYDRA: Final = Namespace("http://www.w3.org/ns/hydra/core#")
#: What a node is called when it is not a text itself.
_NAMES: Final = (RDFS.label, SKOS.prefLabel, FOAF.name, VCARD.fn, DCT.title, SKOS.notation, RDF.value, DCT.identifier)
#: Values that are addresses: never the name of what they lead to.
_ADDRESSES: Final = (DCAT.downloadURL, DCAT.accessURL, DCAT.landingPage, DCT.identifier, FOAF.homepage)
_LANGUAGES: Final = {"zh": 0, "en": 1, "": 2}
_OTHER: Final = 3


class Profile(BaseEuropeanDCATAPProfile):
    """ckanext-dcat's profile with a fixed choice of languages: Chinese, then English, then what there is."""

    def __init__(self, graph: rdflib.Graph) -> None:
        # the profile's own constructor asks CKAN's actions for a schema
        self.g = graph
        self.compatibility_mode = False
        self._default_lang = "zh"
        self._default_locale_lang = "zh"

    def dataset(self, node: Node) -> dict[str, Any]:
        """What the graph says of a dataset; ``extras`` stand beside the other fields, lists are lists."""
        found: dict[str, Any] = {}
        self._parse_dataset_base(found, node)
        result = {
            key: value for key, value in found.items() if key not in ("extras", "resources", "tags", "license_id")
        }
        for extra in found["extras"]:
            result[extra["key"]] = _decoded(extra["value"])
        if result.get("homepage") and not any(self.g.objects(node, FOAF.homepage)):
            del result["homepage"]  # the profile fills in the portal's own
        result["keywords"] = sorted({tag["name"].strip() for tag in found["tags"] if tag["name"].strip()})
        if version := self._object_value(node, DCAT.version):
            result["version"] = version
        interval = self._time_interval(node, DCT.temporal, 2) or ("", "")
        for key, value in zip(("temporal_start", "temporal_end"), interval, strict=True):
            if value:
                result[key] = value
        result["resources"] = sorted(map(_resource, found["resources"]), key=_order)
        result["licenses"] = sorted({one["license"] for one in result["resources"] if one.get("license")})
        return {key: value for key, value in result.items() if value not in ("", None, [])}

    # what the profile asks its graph

    def _object_value(self, subject: Node, predicate: URIRef, multilingual: bool = False) -> str:  # noqa: ARG002
        objects = self.g.objects(subject, predicate)
        if predicate in _ADDRESSES:
            return min((str(one).strip() for one in objects if not isinstance(one, BNode)), default="")
        return self._best(objects)

    def _object_value_list(self, subject: Node, predicate: URIRef) -> list[str]:
        """All values of one language, and those without; each once, in order."""
        texts: dict[str, set[str]] = {}
        for one in self.g.objects(subject, predicate):
            language = one.language or "" if isinstance(one, Literal) else ""
            text = str(one) if isinstance(one, (Literal, URIRef)) else self._best([one])
            if text.strip():
                texts.setdefault(_main(language), set()).add(text.strip())
        chosen = min((language for language in texts if language), key=_rank, default="")
        return sorted(texts.get(chosen, set()) | texts.get("", set()))

    def _agents_details(self, subject: Node, predicate: URIRef) -> list[dict[str, Any]]:
        """One agent. The profile's own follows agents that act for one another, also in circles."""
        agents = sorted(self.g.objects(subject, predicate), key=lambda agent: (self._best([agent]), str(agent)))
        return [
            {
                "uri": str(agent) if isinstance(agent, URIRef) else "",
                "name": self._best([agent]) if not isinstance(agent, URIRef) or self._named(agent) else "",
                "email": self._without_mailto(
                    self._object_value(agent, FOAF.mbox) or self._object_value(agent, VCARD.hasEmail)
                ),
                "url": self._object_value(agent, FOAF.homepage),
                "type": self._object_value(agent, DCT.type),
                "identifier": self._object_value(agent, DCT.identifier),
            }
            for agent in agents[:1]
        ]

    def _contact_details(self, subject: Node, predicate: URIRef) -> list[dict[str, Any]]:
        contacts = sorted(super()._contact_details(subject, predicate), key=lambda one: json.dumps(one, sort_keys=True))
        for contact in contacts:
            names = [
                Literal(text, lang=language)
                for language, text in (contact.get("name_translated") or {}).items()
                if text
            ]
            contact["name"] = self._best(names) if names else contact.get("name", "")
        return contacts

    def _license(self, dataset_ref: Node) -> str:  # noqa: ARG002
        return ""

    def _access_rights(self, subject: Node, predicate: URIRef) -> str:
        return self._object_value(subject, predicate)

    def _distribution_format(self, distribution: Node, normalize_ckan_format: bool = False) -> Any:  # noqa: ARG002
        # CKAN itself brings formats into one spelling when the entry is written
        return super()._distribution_format(distribution, normalize_ckan_format=False)

    def _best(self, objects: Iterable[Node]) -> str:
        """The text of the best language; of a node that is no text, its name, or its address."""
        texts = []
        for place, one in enumerate(objects):
            if isinstance(one, Literal):
                texts.append((_rank(one.language or ""), _main(one.language or ""), place, str(one)))
            elif name := self._named(one) or (str(one) if isinstance(one, URIRef) else ""):
                texts.append((_rank(""), "", place, name))
        return min(texts, default=(0, "", 0, ""))[3].strip()

    def _named(self, node: Node) -> str:
        for predicate in _NAMES:
            names = [one for one in self.g.objects(node, predicate) if isinstance(one, Literal)]
            if names:
                return self._best(names)
        return ""


def datasets(graph: rdflib.Graph) -> Iterator[dict[str, Any]]:
    """Every dataset of a graph, one at a time, in an order of its own."""
    profile = Profile(graph)
    nodes = set(graph.subjects(RDF.type, DCAT.Dataset))
    for node in sorted((node for node in nodes if isinstance(node, URIRef)), key=str):
        yield profile.dataset(node)
    # blank nodes have another name at each reading
    blank = (profile.dataset(node) for node in nodes if not isinstance(node, URIRef))
    yield from sorted(blank, key=lambda found: (found.get("title", ""), json.dumps(found, sort_keys=True)))


def links_of(dataset: dict[str, Any]) -> tuple[Link, ...]:
    """The dataset's distributions that have an address."""
    return tuple(
        Link(
            url=one["url"],
            name=one.get("name", ""),
            format=_last(one.get("format", ""), 1),
            description=one.get("description", ""),
            mimetype=_last(one.get("mimetype", ""), 2),
            size=one.get("size"),
            modified=one.get("modified"),
        )
        for one in dataset.get("resources", ())
        if one.get("url")
    )


def _last(value: str, parts: int) -> str:
    """Of an address in a list of formats or media types, the part that tells (``…/file-type/CSV``); or the value."""
    return "/".join(urlsplit(value).path.split("/")[-parts:]) if value.startswith(("http://", "https://")) else value


def following_page(graph: rdflib.Graph) -> str | None:
    """The address of the next page, as hydra says it, in today's words or in those of before."""
    for kind in (HYDRA.PartialCollectionView, HYDRA.PagedCollection):
        for view in graph.subjects(RDF.type, kind):
            for predicate in (HYDRA.next, HYDRA.nextPage):
                for address in graph.objects(view, predicate):
                    return str(address)
    return None


def total_items(graph: rdflib.Graph) -> int | None:
    """How many datasets there are in all, if hydra says so."""
    for value in graph.objects(None, HYDRA.totalItems):
        if str(value).isdecimal():
            return int(str(value))
    return None


def _resource(found: dict[str, Any]) -> dict[str, Any]:
    values = {key: _decoded(value) for key, value in found.items() if key != "distribution_ref"}
    return {key: value for key, value in values.items() if value not in ("", None, [])}


def _order(resource: dict[str, Any]) -> tuple[str, str]:
    return str(resource.get("url", "")), json.dumps(resource, sort_keys=True, ensure_ascii=False, default=str)


def _decoded(value: Any) -> Any:
    """The profile writes lists as JSON."""
    if isinstance(value, str) and value.startswith("["):
        try:
            decoded = json.loads(value)
        except ValueError:
            return value
        return decoded if isinstance(decoded, list) else value
    return value


def _main(language: str) -> str:
    return language.split("-")[0].lower()


def _rank(language: str) -> tuple[int, str]:
    main = _main(language)
    return _LANGUAGES.get(main, _OTHER), main
