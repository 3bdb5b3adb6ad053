"""The departments' servers over real HTTP: tokens, conditional requests, paging, faults, a clean end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
import requests
from lxml import etree

#: One page of each server that has a body worth a condition.
PAGES = {
    "huanbaoju": "/api/v1/datasets/HBJ-KQ-002/rows?page=2&size=50",
    "anjianju": "/files/",
    "jiaotongju": "/services/Exchange/resourceData?resourceId=JT-TJ-01&pageNo=2&pageSize=50",
}
NAMES = tuple(PAGES)
Servers = dict[str, Any]


@pytest.mark.parametrize("name", NAMES)
class TestEveryServer:
    def test_health_needs_no_token(self, name: str, servers: Servers) -> None:
        assert requests.get(f"{servers[name].url}/health", timeout=10).text == "ok\n"

    @pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic wrong", "Bearer 错"])
    def test_without_the_right_token_nothing_is_told(self, name: str, given: str, servers: Servers) -> None:
        answer = servers[name].get(PAGES[name], headers={"Authorization": given.encode().decode("latin-1")})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "演示" not in answer.content.decode()

    def test_etag_spares_an_unchanged_page(self, name: str, servers: Servers) -> None:
        first = servers[name].get(PAGES[name])
        again = servers[name].get(PAGES[name], headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        other = servers[name].get(PAGES[name], headers={"If-None-Match": '"other"'})
        assert (other.status_code, other.content) == (200, first.content)

    def test_last_modified_spares_an_unchanged_page(self, name: str, servers: Servers) -> None:
        modified = servers[name].get(PAGES[name]).headers["Last-Modified"]
        assert servers[name].get(PAGES[name], headers={"If-Modified-Since": modified}).status_code == 304
        before = "Mon, 01 Jan 2001 00:00:00 GMT"
        assert servers[name].get(PAGES[name], headers={"If-Modified-Since": before}).status_code == 200

    def test_etag_wins_over_last_modified(self, name: str, servers: Servers) -> None:
        modified = servers[name].get(PAGES[name]).headers["Last-Modified"]
        both = {"If-None-Match": '"other"', "If-Modified-Since": modified}
        assert servers[name].get(PAGES[name], headers=both).status_code == 200

    def test_unknown_paths_are_not_found(self, name: str, servers: Servers) -> None:
        for path in ("/nothing", "/files/..%2F.generated", "/services/Exchange/nothing"):
            assert servers[name].get(path).status_code == 404

    def test_sigterm_ends_it_with_success(self, name: str, start: Callable[..., Any]) -> None:
        running = start(name)
        running.get(PAGES[name])
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=10) == 0


class TestJsonService:
    def test_pages_hold_every_row_once_in_order(self, servers: Servers) -> None:
        rows, page = [], 1
        while True:
            data = servers["huanbaoju"].get(f"/api/v1/datasets/HBJ-SZ-001/rows?page={page}&size=500").json()["data"]
            if not data["list"]:
                break
            rows += data["list"]
            page += 1
        assert len(rows) == data["total"] == 1406
        assert len({(row["dmbh"], row["ny"]) for row in rows}) == 1406
        whole = servers["huanbaoju"].get("/api/v1/datasets/HBJ-SZ-001/rows?size=10000").json()["data"]["list"]
        assert rows == whole

    def test_catalogue_describes_columns_and_rows(self, servers: Servers) -> None:
        listed = servers["huanbaoju"].get("/api/v1/catalog?size=100").json()["data"]["list"]
        assert len(listed) == 10
        for entry in listed:
            path = f"/api/v1/datasets/{entry['数据集编号']}/rows?size=1"
            data = servers["huanbaoju"].get(path).json()["data"]
            assert list(data["list"][0]) == [column["name"] for column in entry["columns"]]
            assert data["total"] == entry["记录数"]

    def test_values_are_typed(self, servers: Servers) -> None:
        row = servers["huanbaoju"].get(PAGES["huanbaoju"]).json()["data"]["list"][0]
        assert (type(row["aqi"]), type(row["sfdb"])) == (int, bool)

    @pytest.mark.parametrize("query", ["page=0", "page=-1", "size=0", "size=10001", "page=x", "page=1.5"])
    def test_wrong_pages_are_bad_requests(self, query: str, servers: Servers) -> None:
        answer = servers["huanbaoju"].get(f"/api/v1/catalog?{query}")
        assert answer.status_code == 400
        assert answer.json()["msg"].startswith("参数错误")


class TestFileListing:
    def test_every_link_is_a_workbook(self, servers: Servers) -> None:
        page = etree.HTML(servers["anjianju"].get("/files/").text)
        links = [link for link in page.xpath("//a/@href") if link != "/"]
        assert len(links) == 8
        for link in links:
            assert servers["anjianju"].get(f"/files/{link}").content.startswith(b"PK")


class TestXmlService:
    ENVELOPE = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        "<resourceData><resourceId>JT-TJ-01</resourceId><pageNo>2</pageNo><pageSize>50</pageSize></resourceData>"
        "</s:Body></s:Envelope>"
    )

    def post(self, running: Any, body: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {running.token}", "Content-Type": "text/xml; charset=utf-8"}
        return requests.post(f"{running.url}/services/Exchange", data=body.encode(), headers=headers, timeout=30)

    def test_soap_and_get_give_the_same(self, servers: Servers) -> None:
        running = servers["jiaotongju"]
        assert self.post(running, self.ENVELOPE).content == running.get(PAGES["jiaotongju"]).content

    def test_pages_hold_every_resource(self, servers: Servers) -> None:
        keys = []
        for page in (1, 2, 3):
            answer = servers["jiaotongju"].get(f"/services/Exchange/resourceList?pageNo={page}&pageSize=3")
            keys += etree.fromstring(answer.content).xpath("//resource/@id")
        assert len(keys) == len(set(keys)) == 8

    @pytest.mark.parametrize(
        "body", ["", "<a", "<a/>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'], ids=["empty", "cut", "bare", "doctype"]
    )
    def test_wrong_requests_are_faults(self, body: str, servers: Servers) -> None:
        answer = self.post(servers["jiaotongju"], body)
        assert answer.status_code == 400
        assert "faultstring" in answer.text


class TestFaults:
    """``DEPARTMENT_FAULT`` makes a server misbehave from its start, for the tests of the harvest engine."""

    def test_token(self, start: Callable[..., Any]) -> None:
        assert start("anjianju", fault="token").get("/files/").status_code == 401

    def test_http500(self, start: Callable[..., Any]) -> None:
        assert start("anjianju", fault="http500").get("/files/").status_code == 500

    def test_truncated(self, start: Callable[..., Any]) -> None:
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
            start("anjianju", fault="truncated").get("/files/")

    def test_slow(self, start: Callable[..., Any]) -> None:
        running = start("anjianju", fault="slow")
        headers = {"Authorization": f"Bearer {running.token}"}
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(f"{running.url}/files/", headers=headers, timeout=0.5)
        assert requests.get(f"{running.url}/health", timeout=2).status_code == 200
