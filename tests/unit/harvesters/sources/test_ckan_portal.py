"""Kind ``ckan`` against a server that answers as CKAN 2.8 to 2.12 do, and as a broken one does."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ckanext.openhuizhou.errors import SourceMalformed, SourceUnreachable
from ckanext.openhuizhou.harvesters.records import Link

#: CKAN 2.8: revisions, states, sizes as text, no organization.
OLD = {
    "id": "a1",
    "name": "jingdian",
    "title": "旅游景点",
    "metadata_modified": "2018-03-01T08:00:00.123456",
    "revision_id": "r",
    "organization": None,
    "tracking_summary": {"total": 7},
    "tags": [{"name": "旅游", "display_name": "旅游", "state": "active", "vocabulary_id": None}],
    "groups": [],
    "extras": [
        {"key": "更新周期", "value": "每年", "state": "active", "id": "e", "revision_id": "r"},
        {"key": "gone", "value": "x", "state": "deleted"},
        {"key": "a.b", "value": "with a dot"},
    ],
    "resources": [
        {
            "id": "x1",
            "url": "http://h/a.csv",
            "name": None,
            "format": "CSV",
            "size": "1024",
            "created": "2018-02-01T00:00:00",
        },
        {"id": "x2", "url": "", "name": "empty"},
        {"id": "x3", "url": "http://h/b", "name": "b", "size": "12 kB", "last_modified": "2018-02-02T00:00:00"},
    ],
}
#: CKAN 2.12, with a table.
NEW = {
    "id": "b2",
    "name": "xuexiao",
    "title": "学校",
    "metadata_modified": "2018-03-02T08:00:00",
    "organization": {"name": "jiaoyu", "title": "教育局"},
    "tags": [],
    "groups": [{"name": "minsheng", "title": "民生"}],
    "extras": [],
    "resources": [{"id": "t1", "url": "http://h/t1.csv", "name": "学校", "datastore_active": True}],
}
FIELDS = [
    {"id": "_id", "type": "int"},
    {"id": "xxmc", "type": "text", "info": {"label": "学校名称", "notes": "全称"}},
    {"id": "xss", "type": "text", "info": {"type_override": "numeric"}},
]


def answer(result: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {}, json.dumps({"success": status == 200, "result": result}, ensure_ascii=False).encode()


class Portal:
    """Answers as the actions do that the kind asks."""

    def __init__(self, web: Any, packages: list[dict[str, Any]]) -> None:
        self.packages = packages
        self.rows: list[dict[str, Any]] = [{"_id": 1, "xxmc": "演示一小", "xss": "180"}]
        self.asked: list[dict[str, str]] = []
        self.total: int | None = None
        web.pages["/api/action/package_search"] = self.search
        web.pages["/api/action/datastore_search"] = self.table

    def search(self, handler: Any) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        self.asked.append(query)
        after = re.search(r'id:\{"(.*)" TO \*\]', query["fq"])
        found = sorted((p for p in self.packages if not after or p["id"] > after[1]), key=lambda p: p["id"])
        return answer({"count": self.total or len(found), "results": found[: int(query["rows"])]})

    def table(self, handler: Any) -> Any:
        query = parse_qs(urlsplit(handler.path).query)
        start, limit = int(query.get("offset", ["0"])[0]), int(query["limit"][0])
        return answer({"fields": FIELDS, "total": len(self.rows), "records": self.rows[start : start + limit]})


@pytest.fixture
def portal(web: Any) -> Portal:
    return Portal(web, [OLD, NEW])


class TestShapes:
    def test_an_old_portal(self, read: Any, web: Any, portal: Portal):
        record = read("ckan", {"url": web.url})[0]
        assert (record.key, record.modified) == ("a1", "2018-03-01T08:00:00.123456+00:00")
        assert record.payload["extras.更新周期"] == "每年"
        assert record.payload["extras.a.b"] == "with a dot"
        assert "extras.gone" not in record.payload
        assert (record.payload["tags"], record.payload["groups"]) == (["旅游"], [])
        assert record.rows is None
        assert record.links == (
            Link("http://h/a.csv", format="CSV", size=1024, modified="2018-02-01T00:00:00+00:00"),
            Link("http://h/b", name="b", modified="2018-02-02T00:00:00+00:00"),
        )

    def test_a_new_portal_and_its_table(self, read: Any, table: Any, web: Any, portal: Portal):
        record = read("ckan", {"url": web.url + "/", "tables": True, "key": "name"})[1]
        assert (record.key, record.payload["groups"], record.links) == ("xuexiao", ["minsheng"], ())
        assert record.payload["columns"] == [
            {"name": "xxmc", "label": "学校名称", "type": "text", "description": "全称"},
            {"name": "xss", "label": "xss", "type": "numeric", "description": ""},
        ]
        assert table(record) == [{"xxmc": "演示一小", "xss": "180"}]

    def test_without_being_asked_for_no_table_is_read(self, read: Any, web: Any, portal: Portal):
        record = read("ckan", {"url": web.url})[1]
        assert record.rows is None
        assert [link.url for link in record.links] == ["http://h/t1.csv"]

    def test_visits_are_no_change(self, read: Any, web: Any, portal: Portal):
        (before, _new) = read("ckan", {"url": web.url})
        portal.packages = [{**OLD, "tracking_summary": {"total": 8}}, NEW]
        assert read("ckan", {"url": web.url})[0].payload == before.payload

    @pytest.mark.parametrize("change", ["a row more", "another file", "another column"])
    def test_a_table_that_changed_has_another_digest(self, read: Any, web: Any, portal: Portal, change: str):
        config = {"url": web.url, "tables": True}
        before = read("ckan", config)[1]
        assert (read("ckan", config)[1].data_digest, before.data_rule) == (before.data_digest, "version")
        if change == "a row more":
            portal.rows.append({"_id": 2, "xxmc": "演示二小", "xss": "200"})
        elif change == "another file":
            resource = {**NEW["resources"][0], "last_modified": "2018-04-01T00:00:00"}
            portal.packages = [OLD, {**NEW, "resources": [resource]}]
        else:
            web.pages["/api/action/datastore_search"] = lambda _h: answer({"fields": FIELDS[:2], "total": 1})
        assert read("ckan", config)[1].data_digest != before.data_digest


class TestPages:
    def test_every_package_comes_once_whatever_the_size_of_a_page(self, read: Any, web: Any, portal: Portal):
        portal.packages = [{**OLD, "id": f"p{number:03d}"} for number in range(25)]
        records = read("ckan", {"url": web.url, "page_size": 7})
        assert [record.key for record in records] == [f"p{number:03d}" for number in range(25)]
        assert len(portal.asked) == 4

    def test_filters_are_quoted(self, read: Any, web: Any, portal: Portal):
        config = {"url": web.url, "query": "学校", "organizations": ['a"b', "c"], "groups": ["g"]}
        read("ckan", config)
        (query,) = portal.asked
        assert query["q"] == "学校"
        assert query["fq"] == '+dataset_type:("dataset") +organization:("a\\"b" OR "c") +groups:("g")'

    def test_the_token_goes_as_ckan_wants_it(self, read: Any, web: Any, portal: Portal):
        read("ckan", {"url": web.url, "token": "t0ken"})
        assert {headers["Authorization"] for _method, _path, headers in web.requests} == {"t0ken"}

    def test_a_portal_that_does_not_know_the_filter_goes_in_a_circle(self, read: Any, web: Any, portal: Portal):
        web.pages["/api/action/package_search"] = lambda _handler: answer({"count": 9, "results": [OLD, NEW]})
        with pytest.raises(SourceMalformed, match="same page"):
            read("ckan", {"url": web.url})

    def test_fewer_packages_than_promised_is_malformed(self, read: Any, web: Any, portal: Portal):
        portal.total = 7
        with pytest.raises(SourceMalformed, match="0 of 7"):
            read("ckan", {"url": web.url})

    def test_a_table_that_changes_while_it_is_read_is_not_taken_for_whole(
        self, read: Any, table: Any, web: Any, portal: Portal
    ):
        record = read("ckan", {"url": web.url, "tables": True})[1]
        totals = iter([3, 2])
        web.pages["/api/action/datastore_search"] = lambda _h: answer({"total": next(totals), "records": portal.rows})
        with pytest.raises(SourceMalformed, match="changed while"):
            table(record)


class TestFaults:
    @pytest.mark.parametrize(
        "page",
        [
            b"<html>Login</html>",
            b'{"success": true, "result": {"count": 1, "results"',
            b'{"success": true, "result": []}',
            b'{"success": true, "result": {"count": "1", "results": []}}',
            b'{"success": true, "result": {"count": 1, "results": ["x"]}}',
            b'{"success": false, "error": {"__type": "Search Query Error", "message": "secret"}}',
            b'{"success": false, "error": "Socrata"}',
            b"[]",
            b"\xff\xfe\xff",
            b'{"result": ' * 9000,
        ],
        ids=["page for people", "truncated", "list", "count", "members", "error", "other", "array", "no text", "deep"],
    )
    def test_an_answer_that_is_not_ckans_is_malformed(self, read: Any, web: Any, page: bytes):
        web.pages["/api/action/package_search"] = page
        with pytest.raises(SourceMalformed) as error:
            read("ckan", {"url": web.url})
        assert "secret" not in str(error.value)

    def test_a_portal_that_fails_is_unreachable(self, read: Any, web: Any):
        web.pages["/api/action/package_search"] = lambda _handler: (500, {}, b"oops")
        with pytest.raises(SourceUnreachable, match="500"):
            read("ckan", {"url": web.url})

    @pytest.mark.parametrize("status", [403, 404])
    def test_a_table_that_cannot_be_read_refuses_its_own_record_only(
        self, read: Any, web: Any, portal: Portal, status: int
    ):
        web.pages["/api/action/datastore_search"] = lambda _handler: (status, {}, b"{}")
        old, new = read("ckan", {"url": web.url, "tables": True})
        assert old.findings == ()
        assert [(finding.kind, finding.value) for finding in new.findings] == [("table-missing", "学校")]
