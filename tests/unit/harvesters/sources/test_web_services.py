"""json-api and xml-service against a real server."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ckanext.openhuizhou.errors import SourceDenied, SourceMalformed
from ckanext.openhuizhou.harvesters import paging
from ckanext.openhuizhou.harvesters.paging import address_of

RECORDS = [{"id": f"D-{number}", "名称": f"数据{number}", "sum": f"v{number}"} for number in range(5)]


def paged(members: list[Any], size: int = 2, token: str | None = None) -> Any:
    """A page of a JSON listing."""

    def answer(handler: Any) -> Any:
        if token and handler.headers.get("Authorization") != f"Bearer {token}":
            return 401, {}, b""
        query = parse_qs(urlsplit(handler.path).query)
        start = (int(query.get("page", ["1"])[0]) - 1) * size
        page = {"data": {"list": members[start : start + size], "total": len(members)}}
        return 200, {}, json.dumps(page, ensure_ascii=False).encode()

    return answer


@pytest.fixture
def api(web: Any) -> dict[str, Any]:
    web.pages["/catalog"] = paged(RECORDS)
    web.pages["/data/D-1"] = paged([{"a": 1}, {"a": 2}, {"a": 3}])
    return {
        "url": web.url + "/catalog",
        "records": "data.list",
        "key": "id",
        "digest": "sum",
        "paging": {"page": "page", "size": "size", "per_page": 2, "total": "data.total"},
        "data": {"url": web.url + "/data/{key}", "records": "data.list", "paging": {"page": "page", "per_page": 2}},
    }


class TestJsonApi:
    def test_reads_every_page_once(self, read: Any, table: Any, web: Any, api: dict[str, Any]):
        records = read("json-api", api)
        assert [record.key for record in records] == [f"D-{number}" for number in range(5)]
        assert len(web.requests) == 3
        assert table(records[1]) == [{"a": 1}, {"a": 2}, {"a": 3}]

    def test_a_changed_checksum_is_a_changed_digest(self, read: Any, web: Any, api: dict[str, Any]):
        before = read("json-api", api)
        web.pages["/catalog"] = paged([{**RECORDS[0], "sum": "new"}, *RECORDS[1:]])
        after = read("json-api", api)
        assert [b.data_digest == a.data_digest for b, a in zip(before, after, strict=True)] == [False] + [True] * 4

    def test_follows_next_links_on_the_same_service(self, read: Any, web: Any, api: dict[str, Any]):
        web.pages["/catalog"] = json.dumps({"list": RECORDS[:2], "next": "/more"}).encode()
        web.pages["/more"] = json.dumps({"list": RECORDS[2:]}).encode()
        records = read("json-api", {**api, "records": "list", "paging": {"next": "next"}})
        assert len(records) == 5

    def test_follows_no_next_link_to_another_server(self, read: Any, web: Any, other_web: Any, api: dict[str, Any]):
        """The token would go there."""
        web.pages["/catalog"] = json.dumps({"list": RECORDS[:2], "next": other_web.url + "/more"}).encode()
        other_web.pages["/more"] = json.dumps({"list": RECORDS[2:]}).encode()
        with pytest.raises(SourceMalformed, match="another server"):
            read("json-api", {**api, "records": "list", "paging": {"next": "next"}, "token": "right"})
        assert other_web.requests == []

    def test_a_wrong_token_is_denied(self, read: Any, web: Any, api: dict[str, Any]):
        web.pages["/catalog"] = paged(RECORDS, token="right")
        with pytest.raises(SourceDenied):
            read("json-api", {**api, "token": "wrong"})
        assert len(read("json-api", {**api, "token": "right"})) == 5

    @pytest.mark.parametrize(
        "body",
        [
            b'{"data": {"list": [{"id": "D',
            b"<html>Login</html>",
            b'{"data": []}',
            b"\xff\xfe\xff",
            b"[" * 9000,
        ],
        ids=["truncated", "a page for people", "another shape", "no text", "nested without end"],
    )
    def test_an_answer_that_is_not_whole_is_malformed(self, read: Any, web: Any, api: dict[str, Any], body: bytes):
        web.pages["/catalog"] = body
        with pytest.raises(SourceMalformed):
            read("json-api", api)

    def test_fewer_records_than_promised_is_malformed(self, read: Any, web: Any, api: dict[str, Any]):
        web.pages["/catalog"] = json.dumps({"data": {"list": [], "total": 7}}).encode()
        with pytest.raises(SourceMalformed, match="0 of 7"):
            read("json-api", api)

    def test_the_same_page_again_is_malformed(self, read: Any, web: Any, api: dict[str, Any]):
        web.pages["/catalog"] = json.dumps({"data": {"list": RECORDS[:2]}}).encode()
        with pytest.raises(SourceMalformed, match="same page"):
            read("json-api", api)

    def test_next_pages_that_go_in_a_circle_are_malformed(self, read: Any, web: Any, api: dict[str, Any]):
        for name, following in (("catalog", "/b"), ("b", "/c"), ("c", "/b")):
            page = {"data": {"list": [{"id": name, "sum": name}]}, "next": following}
            web.pages[f"/{name}"] = json.dumps(page).encode()
        with pytest.raises(SourceMalformed, match="same page"):
            read("json-api", api | {"paging": {"next": "next"}})
        assert len(web.requests) == 3

    def test_pages_without_end_are_malformed(
        self, read: Any, web: Any, api: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(paging, "_MOST_PAGES", 20)

        def endless(handler: Any) -> Any:
            following = f"{urlsplit(handler.path).path}?after={len(web.requests)}"
            return 200, {}, json.dumps({"data": {"list": []}, "next": following}).encode()

        web.pages["/catalog"] = endless
        with pytest.raises(SourceMalformed, match="without end"):
            read("json-api", api | {"paging": {"next": "next"}})
        assert len(web.requests) == 20

    def test_the_etag_of_the_data_stands_for_the_rows(self, read: Any, web: Any, api: dict[str, Any]):
        def rows(handler: Any) -> Any:
            if handler.headers.get("If-None-Match") == '"1"':
                return 304, {}, b""
            return 200, {"ETag": '"1"'}, b'{"data": {"list": []}}'

        web.pages["/catalog"] = paged(RECORDS[:1])
        web.pages["/data/D-0"] = rows
        config = {**api, "digest": None, "data": {**api["data"], "etag": True}}
        (first,) = read("json-api", config)
        (again,) = read("json-api", config, {"D-0": first.state})
        assert first.data_digest
        assert again.data_digest == first.data_digest

    def test_a_key_cannot_reach_another_address(self):
        assert address_of("http://h/data/{key}/rows", "../../admin?x#y") == "http://h/data/..%2F..%2Fadmin%3Fx%23y/rows"


LIST = """<s:Envelope xmlns:s="urn:soap"><s:Body><list total="2">
<resource id="R-1"><Name>公交线路</Name><fields><field code="xl" type="VARCHAR2"/><field code="cd"/></fields></resource>
<resource id="R-2"><Name>客运站</Name><fields><field code="zm"/></fields></resource>
</list></s:Body></s:Envelope>"""


@pytest.fixture
def xml(web: Any) -> dict[str, Any]:
    web.pages["/list"] = LIST.encode()
    web.pages["/data"] = "<rows><row n='1'><xl>1路</xl><cd>12.5</cd></row><row><xl>2路</xl></row></rows>".encode()
    return {
        "url": web.url + "/list",
        "records": ".//resource",
        "key": "@id",
        "columns": "fields.field",
        "data": {"url": web.url + "/data?id={key}", "rows": ".//row"},
    }


class TestXmlService:
    def test_children_and_attributes_are_fields(self, read: Any, table: Any, xml: dict[str, Any]):
        first, second = read("xml-service", xml)
        assert (first.key, first.payload["Name"]) == ("R-1", "公交线路")
        assert [column["code"] for column in first.payload["columns"]] == ["xl", "cd"]
        assert [column["code"] for column in second.payload["columns"]] == ["zm"]
        assert table(first) == [{"xl": "1路", "cd": "12.5", "@n": "1", "n": "1"}, {"xl": "2路"}]

    def test_a_soap_envelope_is_posted_with_its_placeholders_filled(self, read: Any, web: Any, xml: dict[str, Any]):
        bodies: list[bytes] = []

        def answer(handler: Any) -> Any:
            bodies.append(handler.sent)
            return 200, {}, LIST.encode()

        web.pages["/list"] = answer
        envelope = "<q><page>{page}</page><size>{size}</size></q>"
        paging = {"page": "p", "per_page": 50, "total": "//@total"}
        assert len(read("xml-service", {**xml, "post": envelope, "paging": paging})) == 2
        assert bodies == [b"<q><page>1</page><size>50</size></q>"]

    @pytest.mark.parametrize(
        "body",
        [
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
            b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>',
            b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/evil.dtd"><a/>',
            b"<list><resource id='R-1'>",
            b"",
            b"<a>" * 100_000,
            b"<a>\xff</a>",
        ],
        ids=["outside entity", "entities", "outside type", "truncated", "empty", "deep", "no text"],
    )
    def test_hostile_and_broken_answers_are_malformed(self, read: Any, web: Any, xml: dict[str, Any], body: bytes):
        web.pages["/list"] = body
        with pytest.raises(SourceMalformed):
            read("xml-service", xml)

    def test_a_path_has_no_regular_expressions(self, read: Any, xml: dict[str, Any]):
        """EXSLT's may take for ever."""
        path = "//*[re:test(string(.), '(a+)+$')]"
        with pytest.raises(SourceMalformed):
            read("xml-service", {**xml, "records": path, "namespaces": {"re": "http://exslt.org/regular-expressions"}})

    def test_an_error_that_the_service_reports_is_passed_on(self, read: Any, web: Any, xml: dict[str, Any]):
        web.pages["/list"] = "<r><code>7</code><message>令牌过期</message></r>".encode()
        with pytest.raises(SourceMalformed, match="令牌过期"):
            read("xml-service", {**xml, "error": "//message"})
