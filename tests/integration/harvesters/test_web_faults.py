"""What web services do when they are ill, to whole runs of the kinds that read them.

Nothing that was published goes, the run says in a clear sentence what was wrong, and the next run of a service that is
well again is as if nothing had been.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import ckan.plugins.toolkit as tk
import pytest
from tests.integration.harvesters.conftest import MAPPING, Department, Feed, make_feed

from ckanext.openhuizhou.transport import http

Page = Callable[[Any], Any]
KINDS = ("json-api", "xml-service", "ckan")
KEYS = ("D-1", "D-2")
PATHS = {"json-api": "/list", "xml-service": "/list", "ckan": "/api/action/package_search"}


def titles(department: Department) -> dict[str, str]:
    return {key: f"{department.organization['title']}数据{key}" for key in KEYS}


def body_of(kind: str, named: dict[str, str], total: int | None = None) -> bytes:
    """The service's answer with these records; ``total``: how many it says there are."""
    count = len(named) if total is None else total
    if kind == "xml-service":
        records = "".join(f"<r><id>{key}</id><title>{title}</title></r>" for key, title in named.items())
        return f"<list total='{count}'>{records}</list>".encode()
    records = [{"id": key, "title": title, "resources": []} for key, title in named.items()]
    if kind == "ckan":
        return json.dumps({"success": True, "result": {"count": count, "results": records}}).encode()
    return json.dumps({"list": records, "total": count}).encode()


def config_of(kind: str, url: str) -> dict[str, Any]:
    if kind == "ckan":
        return {"url": url}
    paging = {"page": "page", "per_page": 2, "total": "//@total" if kind == "xml-service" else "total"}
    records = ".//r" if kind == "xml-service" else "list"
    return {"url": url + "/list", "records": records, "key": "id", "paging": paging}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def feed(kind: str, department: Department, monkeypatch: pytest.MonkeyPatch) -> Feed:
    """A source with two published entries."""
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [department.web.host])
    fields = {**MAPPING["fields"], "title": {"from": "title"}, "update_cycle": {"const": "daily"}}
    del fields["owner_org"], fields["tag_string"]
    items = [{"name": "站点", "column": "station"}]
    mapping = {"fields": fields, "datasets": {key: {"items": items} for key in KEYS}}
    department.web.pages[PATHS[kind]] = body_of(kind, titles(department))
    made = make_feed(department, kind=kind, config=config_of(kind, department.web.url), mapping=mapping)
    assert made.run()["counts"] == {"added": 2}
    return made


@pytest.fixture
def ill(kind: str, department: Department, feed: Feed) -> Iterator[Callable[[Any], dict[str, Any]]]:
    """``ill(page)`` runs the source while its service answers so; then it is well, and everything as before."""
    before = feed.found()

    def run(page: Any) -> dict[str, Any]:
        department.web.pages[PATHS[kind]] = page
        return feed.run()

    yield run
    assert feed.found() == before
    department.web.pages[PATHS[kind]] = body_of(kind, titles(department))
    healed = feed.run()
    assert (healed["state"], healed["counts"]) == ("done", {"unchanged": 2})


def told(run: dict[str, Any]) -> tuple[str, str, str]:
    (finding,) = run["findings"]
    return run["state"], finding.kind, str(finding.params.get("reason", ""))


def refused(status: int, _handler: Any) -> tuple[int, dict[str, str], bytes]:
    return status, {"Retry-After": "0"}, b"oops"


class TestPoint6EmptyList:
    def test_an_empty_list_holds_the_run(self, kind: str, ill: Any):
        assert told(ill(body_of(kind, {})))[:2] == ("held", "run-held-empty")


class TestPoint7Truncated:
    def test_half_an_answer_fails_the_run(self, kind: str, department: Department, ill: Any):
        run = ill(body_of(kind, titles(department))[:-9])
        assert told(run)[:2] == ("failed", "source-malformed")
        assert {"json-api": "no whole JSON", "xml-service": "no whole XML", "ckan": "as CKAN does"}[kind] in told(run)[
            2
        ]

    def test_half_a_list_fails_the_run(self, kind: str, department: Department, ill: Any):
        """Whole, but without what it says is there: the missing ones are not taken for gone."""

        def first_of_two(handler: Any) -> Any:
            query = parse_qs(urlsplit(handler.path).query)
            beyond = query.get("page", ["1"])[0] != "1" or "TO *]" in query.get("fq", [""])[0]
            named = {} if beyond else {KEYS[0]: titles(department)[KEYS[0]]}
            return 200, {}, body_of(kind, named, total=2)

        run = ill(first_of_two)
        assert told(run)[:2] == ("failed", "source-malformed")
        assert "of 2 records" in told(run)[2]


class TestPoint9Statuses:
    def test_each_status_fails_the_run_with_its_own_finding(self, ill: Any):
        expected = {
            404: "source-malformed",
            403: "source-denied",
            429: "source-unreachable",
            500: "source-unreachable",
            503: "source-unreachable",
        }
        runs = {status: told(ill(partial(refused, status))) for status in expected}
        assert {status: run[:2] for status, run in runs.items()} == {
            status: ("failed", finding) for status, finding in expected.items()
        }
        assert all(run[2].endswith(f"answers {status}") for status, run in runs.items())

    def test_too_many_requests_are_asked_again_after_the_time_that_the_server_names(
        self, kind: str, department: Department, ill: Any
    ):
        busy = iter([True, True])

        def answer(_handler: Any) -> Any:
            if next(busy, False):
                return 429, {"Retry-After": "0"}, b""
            return 200, {}, body_of(kind, titles(department))

        run = ill(answer)
        assert (run["state"], run["counts"]) == ("done", {"unchanged": 2})


class TestPoint9Time:
    @pytest.fixture
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What takes minutes in a run takes moments here."""
        monkeypatch.setattr(http, "Limits", partial(http.Limits, read=0.3, seconds=0.8, attempts=1))

    def test_no_answer_in_time_fails_the_run(self, ill: Any, impatient: None):
        answered = threading.Event()

        def late(_handler: Any) -> Any:
            answered.wait(20)
            return 200, {}, b""

        state, finding, reason = told(ill(late))
        answered.set()
        assert (state, finding) == ("failed", "source-unreachable")
        assert "in time" in reason

    def test_a_server_that_drips_fails_the_run(self, ill: Any, impatient: None):
        given_up = threading.Event()

        def drip(handler: Any) -> Any:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            with contextlib.suppress(OSError):
                while not given_up.wait(0.05):
                    handler.wfile.write(b" ")
                    handler.wfile.flush()
            return 200, {}, b""

        state, finding, reason = told(ill(drip))
        given_up.set()
        assert (state, finding) == ("failed", "source-unreachable")
        assert "too slow" in reason


class TestPoint24PageLoop:
    def test_the_same_page_twice_fails_the_run(self, kind: str, department: Department, ill: Any):
        run = ill(body_of(kind, titles(department), total=9))
        assert told(run)[:2] == ("failed", "source-malformed")
        assert "same page again" in told(run)[2]
