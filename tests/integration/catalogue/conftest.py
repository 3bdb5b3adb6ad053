"""A site with two departments and a person of each role; tests tell their entries apart by title."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model, plugins
from ckan.tests import factories, helpers
from tests.factories import complete_entry

from ckanext.openhuizhou.model import role

PASSWORD = "Demo-12345"
ITEMS = [
    {"name": "断面编号", "column": "section_code", "data_type": "string", "length": 20, "is_key": True},
    {"name": "断面名称", "column": "section_name", "data_type": "string"},
    {"name": "监测日期", "column": "observed_on", "data_type": "date"},
    {"name": "水质类别", "column": "quality_class", "data_type": "string"},
    {"name": "溶解氧", "column": "dissolved_oxygen", "data_type": "number", "unit": "毫克/升"},
]


@dataclass
class Site:
    """``users``: role → user dict; ``organizations``: name → dict."""

    app: Any
    organizations: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    browsers: dict[str, Any] = field(default_factory=dict)

    def act(self, who: str, action_name: str, /, **params: Any) -> Any:
        """An action with the rights of that person and no others."""
        with self.app.flask_app.test_request_context():
            model.Session.rollback()
            name = self.users[who]["name"] if who != "visitor" else ""
            return tk.get_action(action_name)({"user": name, "ignore_auth": False}, params)

    def get(self, who: str, address: str) -> Any:
        """A page as that person sees it in a browser."""
        return self._browser(who).get(address)

    def post(self, who: str, address: str, form: dict[str, Any], page: str | None = None, token: str = "") -> Any:
        """Open a page in a browser, and send a form with the CSRF token that stands in it (or another)."""
        browser = self._browser(who)
        shown = browser.get(page or address)
        assert shown.status_code == 200, shown.text
        return browser.post(address, data={**form, "_csrf_token": token or _token(shown.text)}, follow_redirects=False)

    def _browser(self, who: str) -> Any:
        """A browser in which that person has logged in."""
        if who not in self.browsers:
            browser = self.app.flask_app.test_client()
            form = {"login": self.users[who]["name"], "password": PASSWORD}
            token = _token(browser.get("/user/login").text)
            entered = browser.post("/user/login", data={**form, "_csrf_token": token}, follow_redirects=False)
            assert entered.status_code == 302, entered.text
            self.browsers[who] = browser
        return self.browsers[who]


def _token(page: str) -> str:
    return re.findall(r'name="_csrf_token"[^>]*(?:content|value)="([^"]+)"', page)[0]


@pytest.fixture(scope="package")
def site(empty_database: Any, reset_index: Any) -> Iterator[Site]:
    plugins.load_all()
    empty_database()
    reset_index()
    made = Site(helpers._get_test_app())
    made.app.flask_app.config["WTF_CSRF_ENABLED"] = True  # as in production; the tests' settings turn it off
    try:
        with made.app.flask_app.test_request_context():
            _people(made)
        yield made
    finally:
        plugins.unload_all()


def _people(site: Site) -> None:
    sysadmin = factories.Sysadmin(password=PASSWORD)
    for name, title in (("huanbaoju", "惠州市环境保护局"), ("jiaotongju", "惠州市交通运输局"), ("elsewhere", "别处")):
        site.organizations[name] = tk.get_action("organization_create")(
            {"user": sysadmin["name"]}, {"name": name, "title": title}
        )
    site.users = {
        who: factories.User(password=PASSWORD) for who in ("citizen", "officer", "reviewer", "neighbour", "platform")
    }
    site.users["sysadmin"] = sysadmin
    for who, organization, capacity in (
        ("officer", "huanbaoju", "editor"),
        ("reviewer", "huanbaoju", "admin"),
        ("neighbour", "jiaotongju", "editor"),
    ):
        tk.get_action("organization_member_create")(
            {"user": sysadmin["name"]},
            {"id": site.organizations[organization]["id"], "username": site.users[who]["name"], "role": capacity},
        )
    role.grant(site.users["platform"]["id"], "platform_officer", sysadmin["id"])
    model.Session.commit()


_numbers = itertools.count(1)


@pytest.fixture
def values(site: Site) -> Callable[..., dict[str, Any]]:
    """``values(title=…)``: everything that publication needs, with a title of its own unless one is given."""

    def make(**changes: Any) -> dict[str, Any]:
        entry = {
            "title": f"地表水水质月报{next(_numbers)}号",
            "owner_org": site.organizations["huanbaoju"]["id"],
            "notes": "每月监测结果，演示数据。",
            "update_cycle": "monthly",
            "items": [dict(item) for item in ITEMS],
        }
        return complete_entry(**{**entry, **changes})

    return make
