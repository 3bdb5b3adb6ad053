"""Links that lead elsewhere, asked of a real server: what counts as working, how often, and who is not asked at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests import factories, helpers
from tests.conftest import WebServer
from tests.factories import complete_entry

from ckanext.openhuizhou.data.links import Checked, check_due
from ckanext.openhuizhou.model import link as links
from ckanext.openhuizhou.model.database import engine

pytestmark = pytest.mark.usefixtures("with_request_context", "approved")

START = datetime(2026, 11, 24, 2)  # noqa: DTZ001 - as in the database


@pytest.fixture
def approved(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server may be asked; no links of other tests wait."""
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [web.host])
    model.Session.remove()
    with engine().begin() as connection:
        connection.execute(sa.text("UPDATE resource SET state = 'deleted'"))
        connection.execute(sa.text("DELETE FROM openhuizhou_link"))
        connection.execute(sa.text("DELETE FROM openhuizhou_link_check"))
    yield
    model.Session.remove()


def link_to(url: str) -> str:
    """A published entry with one file elsewhere; the resource's id."""
    fields = complete_entry(
        title=f"链接演示 {uuid.uuid4()}",
        owner_org=factories.Organization()["id"],
        entry_state="published",
        resources=[{"name": "数据", "url": url, "format": "CSV"}],
    )
    package = helpers.call_action("package_create", {"user": factories.Sysadmin()["name"]}, **fields)
    return package["resources"][0]["id"]


def check(days: float = 0) -> Checked:
    return check_due(lambda: START + timedelta(days=days), pause=0)


def state_of(resource_id: str) -> str:
    model.Session.remove()
    return links.links([resource_id])[resource_id].state


def status(code: int, **headers: str) -> Any:
    return lambda _handler: (code, headers, b"")


class TestAnswers:
    def test_one_that_works_is_asked_by_head_alone(self, web: WebServer):
        web.pages["/a.csv"] = b"1,2"
        made = link_to(f"{web.url}/a.csv")
        assert check() == Checked(1, 0)
        assert (state_of(made), [request[0] for request in web.requests]) == ("ok", ["HEAD"])

    def test_a_server_that_does_not_know_head_is_asked_again_and_its_file_is_not_read(self, web: WebServer):
        def page(handler: Any) -> Any:
            return (405, {}, b"") if handler.command == "HEAD" else (200, {}, b"x" * 10_000_000)

        web.pages["/a.csv"] = page
        made = link_to(f"{web.url}/a.csv")
        assert check() == Checked(1, 0)
        assert state_of(made) == "ok"

    def test_a_redirect_is_followed(self, web: WebServer):
        web.pages |= {"/old": status(301, Location="/new"), "/new": b"1"}
        made = link_to(f"{web.url}/old")
        check()
        assert state_of(made) == "ok"

    def test_a_redirect_to_where_nobody_may_go_is_not_followed(self, web: WebServer):
        web.pages["/old"] = status(302, Location="http://169.254.169.254/latest")
        made = link_to(f"{web.url}/old")
        check()
        assert state_of(made) == "refused"

    def test_an_address_that_nobody_approved_is_not_asked(self, web: WebServer, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [])
        made = link_to(f"{web.url}/a.csv")
        assert check() == Checked(1, 1)
        assert (state_of(made), web.requests) == ("refused", [])

    def test_it_is_broken_when_it_failed_twice(self, web: WebServer):
        made = link_to(f"{web.url}/gone.csv")
        check()
        assert state_of(made) == "unknown"
        check(days=0.5)
        assert state_of(made) == "broken"
        found = [(one.state, one.status) for one in links.history(made)]
        assert found == [("broken", 404), ("broken", 404)]

    def test_a_bad_minute_is_forgiven(self, web: WebServer):
        web.pages["/a.csv"] = b"1"
        made = link_to(f"{web.url}/a.csv")
        check()
        web.pages["/a.csv"] = status(404)
        check(days=8)
        assert state_of(made) == "ok"
        web.pages["/a.csv"] = b"1"
        check(days=9)
        assert (state_of(made), links.links([made])[made].failures) == ("ok", 0)


class TestTurns:
    def test_who_worked_is_asked_after_a_week_and_who_did_not_after_an_hour(self, web: WebServer):
        web.pages["/a.csv"] = b"1"
        link_to(f"{web.url}/a.csv")
        link_to(f"{web.url}/gone.csv")
        asked = [check(days).asked for days in (0, 0.03, 0.05, 1, 1.2, 6.9, 7.1)]
        assert asked == [2, 0, 1, 0, 1, 1, 1]

    def test_a_new_address_is_asked_at_once_and_a_resource_that_is_gone_never(self, web: WebServer):
        web.pages["/a.csv"] = b"1"
        made = link_to(f"{web.url}/a.csv")
        check()
        sysadmin = factories.Sysadmin()["name"]
        helpers.call_action("resource_patch", {"user": sysadmin}, id=made, url=f"{web.url}/b.csv")
        assert check() == Checked(1, 1)
        helpers.call_action("resource_delete", {"user": sysadmin}, id=made)
        assert check(days=30) == Checked(0, 0)
        assert links.links([made]) == {}

    def test_a_pause_between_two_questions_to_one_host(self, web: WebServer):
        web.pages["/a.csv"] = b"1"
        for _number in range(3):
            link_to(f"{web.url}/a.csv")
        began = datetime.now()  # noqa: DTZ005 - a duration
        check_due(lambda: START, pause=0.2)
        assert (datetime.now() - began).total_seconds() >= 0.4  # noqa: DTZ005

    @pytest.mark.parametrize("url", ["/data/a.csv", "ftp://x/a.csv", "javascript:alert(1)", "http://"])
    def test_what_is_no_web_address_is_not_asked(self, web: WebServer, url: str):
        made = link_to("https://example.com/a.csv")
        with engine().begin() as connection:
            connection.execute(sa.text("UPDATE resource SET url = :url WHERE id = :id"), {"url": url, "id": made})
        assert check() == Checked(0, 0)
