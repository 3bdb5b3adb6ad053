"""Catalogues in DCAT: those of another project, and those made here."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ckanext.openhuizhou.errors import SourceMalformed
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.kinds import Reading, check_config, kind_named
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.transport.http import HttpClient

DATA = Path(__file__).parents[3] / "data" / "dcat"

#: file → datasets as (key, title, number of links), in the order in which they come
EXPECTED: dict[str, list[tuple[str, str, int]]] = {
    "udata/bnodes.jsonld": [("1", "Dataset 1", 2), ("2", "Dataset 2", 2), ("3", "Dataset 3", 1)],
    "udata/bnodes.xml": [("2", "Dataset 2", 2), ("3", "Dataset 3", 1), ("1", "Dataset 1", 2)],
    "udata/catalog.xml": [("1", "Dataset 1", 3), ("2", "Dataset 2", 2), ("3", "Dataset 3", 1), ("4", "Dataset 4", 0)],
    "udata/conflicting-dois.xml": [("10.15148/762d02eb", "Dataset with two DOIs", 0)],
    "udata/flat.jsonld": [("1", "Dataset 1", 2), ("2", "Dataset 2", 2), ("3", "Dataset 3", 1)],
    "udata/geonetwork.xml": [
        (
            "0c456d2d-9548-4a2a-94ef-231d9d890ce2 https://sig.oreme.org/geonetwork/srv/"
            "resources0c456d2d-9548-4a2a-94ef-231d9d890ce2",
            "Data of type chemistry in Le Gardon basin, from the Observatory of the former mining site of Carnoulès "
            "(TO Carnoules)",
            0,
        )
    ],
    "udata/nested.jsonld": [("1", "Dataset 1", 1)],
    "udata/serves-dataset-by-uri-2.xml": [
        ("http://data.test.org/datasets/1", "", 0),
        ("http://elsewhere.example.org/datasets/42", "", 0),
    ],
    "udata/sig.oreme.rdf": [
        (
            "0437a976-cff1-4fa6-807a-c23006df2f8f",
            "National network of repeated absolute gravimetry (GRAVI) : Observation Service of the Montpellier "
            "Research Observatory of Environment (OSU OREME)",
            1,
        )
    ],
    "udata/udata.xml": [
        (
            "https://vanves-seineouest.opendatasoft.com/explore/dataset/bureau-de-vote-vanves/",
            "Bureaux de vote - Vanves",
            4,
        ),
        (
            "https://vanves-seineouest.opendatasoft.com/explore/dataset/vfe_public_219200755_20240506/",
            "Ville de Vanves - Part des véhicules à faibles émissions dans le renouvellement du parc",
            2,
        ),
    ],
    "made/city.ttl": [
        ("DEMO-AIR", "空气质量", 2),
        ("https://data.demo.example/dataset/water", "Wasser", 0),
        ("", "无名", 0),
        ("https://data.demo.example/reservoirs", "水库", 0),
    ],
    "made/four-languages.xml": [("1894@demo-office", "Yearbook", 2)],
    "made/graph.jsonld": [
        ("https://data.demo.example/parks", "公园（演示数据）", 0),
        ("https://data.demo.example/schools", "学校（演示数据）", 1),
    ],
    "made/triples.nt": [("https://data.demo.example/buses", "公交线路（演示数据）", 0)],
}


def turtle(*titles: str) -> str:
    prefix = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n"
    return prefix + "".join(f'<http://d.example/{t}> a dcat:Dataset ; dct:title "{t}" .\n' for t in titles)


def hydra(following: str, *titles: str, kind: str = "PartialCollectionView", word: str = "next") -> str:
    return turtle(*titles) + (
        f"@prefix hydra: <http://www.w3.org/ns/hydra/core#> .\n<> a hydra:{kind} ; hydra:{word} <{following}> .\n"
    )


class TestFilesOfOthers:
    @pytest.mark.parametrize("name", EXPECTED)
    def test_give_these_datasets(self, document: Any, name: str):
        records = document((DATA / name).read_bytes())
        assert [(r.key, r.payload.get("title", ""), len(r.links)) for r in records] == EXPECTED[name]
        assert not [record.findings for record in records if record.findings]

    @pytest.mark.parametrize("name", EXPECTED)
    def test_give_the_same_at_each_reading(self, document: Any, name: str):
        first, second = (document((DATA / name).read_bytes()) for _ in range(2))
        assert [digest([r.payload, [asdict(li) for li in r.links]]) for r in first] == [
            digest([r.payload, [asdict(li) for li in r.links]]) for r in second
        ]

    def test_of_the_project_open_data_use_a_context_that_the_platform_has(self, document: Any, web: Any):
        records = document((DATA / "udata/evian.json").read_bytes())
        assert len(records) == 8
        (bikes,) = (record for record in records if record.payload["title"] == "stationnement velos")
        assert bikes.key.endswith("f6565516d1354383b25793e630cf3f2b&sublayer=5")
        assert bikes.payload["publisher_name"] == "Ville d'Evian-les-Bains"
        assert {link.format for link in bikes.links} >= {"CSV", "GeoJSON"}
        assert len(web.requests) == 1

    @pytest.mark.parametrize("form", ["paged-collection", "partial-collection"])
    def test_of_two_pages_are_read_to_the_end(self, read: Any, web: Any, form: str):
        for number in (1, 2):
            text = (DATA / f"udata/{form}-{number}.jsonld").read_text()
            web.pages[f"/{number}"] = text.replace(
                "http://data.test.org/catalog.jsonld?page=2", web.url + "/2"
            ).encode()
        records = read("dcat", {"url": web.url + "/1"})
        assert [record.key for record in records] == ["1", "2", "3", "4"]


class TestDataset:
    @pytest.fixture
    def air(self, document: Any) -> Any:
        return document((DATA / "made/city.ttl").read_bytes())[0]

    def test_chinese_comes_before_english_before_others(self, air: Any):
        payload = air.payload
        assert payload["title"] == "空气质量"
        assert payload["notes"] == "Air"
        assert payload["keywords"] == ["demo", "环境", "空气"]
        assert payload["publisher_name"] == "环保局"
        assert payload["contact_name"] == "监测科"

    def test_fields_stand_side_by_side(self, air: Any):
        payload = air.payload
        assert payload["contact_email"] == "demo@demo.example"
        assert (payload["temporal_start"], payload["temporal_end"]) == ("2017-01-01", "2017-12-31")
        assert payload["version"] == "2"
        assert payload["licenses"] == ["https://data.demo.example/licence"]
        assert payload["columns"] == []
        assert air.modified == "2018-03-01"

    def test_distributions_with_an_address_become_links(self, air: Any):
        table, service = air.links
        assert (service.url, service.format) == ("https://data.demo.example/api/air", "JSON")
        assert (table.url, table.name) == ("https://data.demo.example/air.csv", "表")
        assert (table.mimetype, table.format, table.size) == ("text/csv", "csv", 1024)

    def test_relative_addresses_belong_to_the_document(self, document: Any, web: Any):
        _parks, schools = document((DATA / "made/graph.jsonld").read_bytes())
        assert [link.url for link in schools.links] == [web.url + "/schools.csv"]

    def test_the_key_may_be_another_field(self, document: Any):
        records = document(turtle("甲"), key="title")
        assert [record.key for record in records] == ["甲"]

    def test_agents_that_act_for_one_another_in_a_circle(self, document: Any):
        circle = (
            "@prefix prov: <http://www.w3.org/ns/prov#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .\n"
            "<http://d.example/a> dct:publisher <http://d.example/p> .\n"
            '<http://d.example/p> foaf:name "甲局" ; prov:actedOnBehalfOf <http://d.example/p> .\n'
        )
        (record,) = document(turtle("a") + circle)
        assert record.payload["publisher_name"] == "甲局"


class TestFormat:
    @pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "text/turtle"])
    def test_is_found_in_the_document_whatever_the_server_calls_it(self, read: Any, web: Any, content_type: str):
        body = (DATA / "made/four-languages.xml").read_bytes()
        web.pages["/catalogue"] = lambda _handler: (200, {"Content-Type": content_type}, body)
        assert len(read("dcat", {"url": web.url + "/catalogue"})) == 1

    def test_turtle_may_begin_with_a_bracket(self, document: Any):
        text = '[ a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/identifier> "1" ] .'
        assert [record.key for record in document(text)] == ["1"]

    def test_a_byte_order_mark_is_no_part_of_it(self, document: Any):
        assert len(document(turtle("甲").encode("utf-8-sig"))) == 1

    @pytest.mark.parametrize(
        "content",
        [
            "<!DOCTYPE html><html><body>404</body></html>",
            "",
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description>",
            '{"@graph": [',
            turtle("甲") + "<http://d.example/",
            b"\xff\xff\xff",
        ],
        ids=["html", "empty", "half of XML", "half of JSON", "half of Turtle", "no text"],
    )
    def test_what_is_no_whole_document_fails_the_source(self, document: Any, content: Any):
        with pytest.raises(SourceMalformed):
            document(content)

    def test_a_catalogue_without_datasets_is_empty(self, document: Any):
        assert document("<http://c.example/> a <http://www.w3.org/ns/dcat#Catalog> .") == []


class TestPages:
    @pytest.mark.parametrize(("kind", "word"), [("PartialCollectionView", "next"), ("PagedCollection", "nextPage")])
    def test_are_followed_as_hydra_says(self, read: Any, web: Any, kind: str, word: str):
        web.pages["/1"] = hydra("2", "a", kind=kind, word=word).encode()
        web.pages["/2"] = turtle("b").encode()
        assert [r.payload["title"] for r in read("dcat", {"url": web.url + "/1"})] == ["a", "b"]

    def test_in_a_circle_fail_the_source(self, read: Any, web: Any):
        web.pages["/1"] = hydra("2", "a").encode()
        web.pages["/2"] = hydra("1", "b").encode()
        with pytest.raises(SourceMalformed):
            read("dcat", {"url": web.url + "/1"})
        assert len(web.requests) == 2

    def test_that_come_twice_fail_the_source(self, read: Any, web: Any):
        web.pages["/1"] = hydra("2", "a").encode()
        web.pages["/2"] = hydra("3", "a").encode()
        with pytest.raises(SourceMalformed):
            read("dcat", {"url": web.url + "/1"})

    def test_on_another_server_fail_the_source(self, read: Any, web: Any, other_web: Any):
        web.pages["/1"] = hydra(other_web.url + "/2", "a").encode()
        with pytest.raises(SourceMalformed):
            read("dcat", {"url": web.url + "/1", "token": "t0ken"})
        assert other_web.requests == []

    def test_may_be_counted(self, read: Any, web: Any):
        def page(handler: Any) -> Any:
            number = int(handler.path.partition("page=")[2])
            return 200, {}, turtle(*[["a", "b"], ["c", "d"], ["e"]][number - 1]).encode()

        web.pages["/c"] = page
        records = read("dcat", {"url": web.url + "/c", "paging": {"page": "page", "per_page": 2}})
        assert [r.payload["title"] for r in records] == list("abcde")

    def test_of_which_one_is_missing_fail_the_source(self, read: Any, web: Any):
        web.pages["/1"] = hydra("2", "a").encode()
        with pytest.raises(SourceMalformed):
            read("dcat", {"url": web.url + "/1"})


class TestUnchanged:
    def test_one_document_costs_one_request(self, client: HttpClient, web: Any):
        def page(handler: Any) -> Any:
            same = handler.headers.get("If-None-Match") == '"1"'
            return (304, {}, b"") if same else (200, {"ETag": '"1"'}, turtle("a").encode())

        web.pages["/c"] = page
        first = open_source(client, {"url": web.url + "/c"})
        assert first.open()
        assert len(list(first.records())) == 1
        again = open_source(client, {"url": web.url + "/c"}, first.reading.new_state)
        assert not again.open()
        assert again.reading.new_state == first.reading.new_state
        assert len(web.requests) == 2

    def test_the_first_of_several_pages_says_nothing_about_the_others(self, client: HttpClient, web: Any):
        web.pages["/1"] = lambda _handler: (200, {"ETag": '"1"'}, hydra("2", "a").encode())
        web.pages["/2"] = turtle("b").encode()
        first = open_source(client, {"url": web.url + "/1"})
        assert first.open()
        assert len(list(first.records())) == 2
        assert first.reading.new_state == {}

    def test_files_that_are_those_of_before(self, client: HttpClient, tmp_path: Path):
        (tmp_path / "a.ttl").write_text(turtle("a"))
        first = open_source(client, {"url": str(tmp_path)})
        assert first.open()
        assert len(list(first.records())) == 1
        again = open_source(client, {"url": str(tmp_path)}, first.reading.new_state)
        assert not again.open()
        (tmp_path / "b.ttl").write_text(turtle("b"))
        another = open_source(client, {"url": str(tmp_path)}, first.reading.new_state)
        assert another.open()
        for source in (first, again, another):
            source.close()


def open_source(client: HttpClient, config: dict[str, Any], state: Any = None) -> Any:
    place = Place("source.yaml")
    kind = kind_named("dcat", place)
    return kind(check_config(config, kind.options, place), Reading(client, state=state or {}))


class TestFolder:
    def test_of_files_in_several_formats(self, read: Any, tmp_path: Path):
        for name in ("four-languages.xml", "graph.jsonld", "triples.nt"):
            shutil.copy(DATA / "made" / name, tmp_path)
        records = read("dcat", {"url": str(tmp_path)})
        assert [record.payload["title"][:4] for record in records] == ["Year", "公园（演", "学校（演", "公交线路"]

    def test_with_a_pattern_behind_a_web_server(self, read: Any, web: Any):
        web.pages["/files/"] = b'<a href="a.ttl">a</a> <a href="readme.html">r</a>'
        web.pages["/files/a.ttl"] = turtle("a").encode()
        records = read("dcat", {"url": web.url + "/files/", "pattern": "*.ttl"})
        assert [record.payload["title"] for record in records] == ["a"]

    def test_a_file_that_cannot_be_read_fails_the_source_so_that_nothing_is_withdrawn(self, read: Any, tmp_path: Path):
        (tmp_path / "a.ttl").write_text(turtle("a"))
        (tmp_path / "b.ttl").write_text("<broken")
        with pytest.raises(SourceMalformed) as error:
            read("dcat", {"url": str(tmp_path)})
        assert "b.ttl" in str(error.value)

    def test_a_file_that_the_server_keeps_to_itself_fails_the_source(self, read: Any, web: Any):
        web.pages["/files/"] = b'<a href="a.ttl">a</a>'
        web.pages["/files/a.ttl"] = lambda _handler: (403, {}, b"")
        with pytest.raises(SourceMalformed):
            read("dcat", {"url": web.url + "/files/", "pattern": "*.ttl"})
