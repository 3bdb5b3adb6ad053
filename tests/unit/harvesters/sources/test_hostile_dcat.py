"""Catalogues in DCAT that mean harm: entities, contexts elsewhere, too much of everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ckanext.openhuizhou.errors import SourceDenied, SourceMalformed, SourceUnreachable
from ckanext.openhuizhou.harvesters import rdf_documents


class TestHostile:
    BOMB = (
        '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY a{n} "{f"&a{n - 1 if n > 1 else str()};" * 10}">' for n in range(1, 12))
        + ']><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&a11;</rdf:RDF>'
    )

    def test_entities_that_expand_are_refused_before_they_do(self, document: Any):
        with pytest.raises(SourceMalformed) as error:
            document(self.BOMB)
        assert "entities" in str(error.value)

    def test_files_of_this_machine_do_not_come_in_by_an_entity(self, document: Any, tmp_path: Path):
        (tmp_path / "secret").write_text("s3cret")
        with pytest.raises(SourceMalformed) as error:
            document(
                f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
                '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dct="http://purl.org/dc/terms/">'
                '<rdf:Description rdf:about="http://d.example/"><dct:title>&x;</dct:title></rdf:Description></rdf:RDF>'
            )
        assert "entities" in str(error.value)

    @pytest.mark.parametrize(
        "where",
        [
            {"@context": "{url}", "@id": "http://d.example/"},
            {"@context": [{}, "{url}"]},
            {"@context": {"x": {"@id": "http://x.example/", "@context": "{url}"}}},
            {"@graph": [{"@context": {"@import": "{url}"}}]},
        ],
        ids=["alone", "in a list", "inside a term", "as an import"],
    )
    def test_contexts_are_never_fetched(self, document: Any, web: Any, where: Any):
        web.pages["/context"] = b"{}"
        with pytest.raises(SourceMalformed) as error:
            document(json.dumps(where).replace("{url}", web.url + "/context"))
        assert "context" in str(error.value)
        assert [path for _method, path, _headers in web.requests] == ["/catalogue"]

    def test_contexts_may_be_given_in_the_configuration(self, document: Any):
        given = {"https://c.example/dcat": {"@context": {"title": "http://purl.org/dc/terms/title"}}}
        text = json.dumps(
            {
                "@context": "https://c.example/dcat",
                "@id": "http://d.example/1",
                "@type": "http://www.w3.org/ns/dcat#Dataset",
                "title": "甲",
            }
        )
        (record,) = document(text, contexts=given)
        assert record.payload["title"] == "甲"

    @pytest.mark.parametrize(
        "given",
        [
            "{url}",
            ["{url}"],
            {"@context": "{url}"},
            {"@context": {"@import": "{url}"}},
            {"@context": {"a": {"@id": "http://a.example/a", "@context": "{url}"}}},
        ],
        ids=["an address", "in a list", "another one", "as an import", "inside a term"],
    )
    def test_a_context_of_the_configuration_fetches_none_either(self, document: Any, web: Any, given: Any):
        web.pages["/context"] = b"{}"
        given = json.loads(json.dumps(given).replace("{url}", web.url + "/context"))
        with pytest.raises(SourceMalformed) as error:
            document(
                json.dumps({"@context": "https://c.example/", "a": {"a": 1}}), contexts={"https://c.example/": given}
            )
        assert "context" in str(error.value)
        assert [path for _method, path, _headers in web.requests] == ["/catalogue"]

    def test_a_short_document_of_very_many_statements(self, document: Any, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(rdf_documents, "MOST_STATEMENTS", 10_000)
        with pytest.raises(SourceMalformed) as error:
            document("<http://a> <http://b> " + ",".join(map(str, range(20_000))) + " .")
        assert "10000" in str(error.value)

    @pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "<http://a> <http://b> " + "[ <c> " * 100_000])
    def test_brackets_in_brackets(self, document: Any, text: str):
        with pytest.raises(SourceMalformed):
            document(text)

    def test_a_page_that_is_too_large(self, document: Any):
        with pytest.raises(SourceMalformed):
            document(b"#" * ((32 << 20) + 1))

    def test_a_server_that_denies_or_is_gone(self, read: Any, web: Any):
        web.pages["/c"] = lambda _handler: (401, {}, b"")
        with pytest.raises(SourceDenied):
            read("dcat", {"url": web.url + "/c"})
        web.stop()
        with pytest.raises(SourceUnreachable):
            read("dcat", {"url": web.url + "/c"})
