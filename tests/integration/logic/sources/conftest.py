"""A department with a real web service and people of every role; sources are made by the actions themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model, plugins
from ckan.tests import factories, helpers
from tests.integration.harvesters.conftest import MAPPING, Department

from ckanext.openhuizhou.model import role
from ckanext.openhuizhou.model.harvest import Source

NUMBERS = itertools.count(1)
TOKEN = "t0ken-of-the-department"


@dataclass
class City:
    """``people``: role → user name; ``own`` and ``other``: organizations."""

    people: dict[str, str]
    own: dict[str, Any]
    other: dict[str, Any]
    tokens: dict[str, str] = field(default_factory=dict)
    app: Any = None

    def call(self, who: str, action_name: str, /, **data: Any) -> Any:
        return helpers.call_action(action_name, {"user": self.people[who], "ignore_auth": False}, **data)

    def refusal(self, who: str, action_name: str, /, **data: Any) -> dict[str, Any]:
        """Why it was not done, by field."""
        with pytest.raises(tk.ValidationError) as caught:
            self.call(who, action_name, **data)
        return caught.value.error_dict

    def values(self, **changes: Any) -> dict[str, Any]:
        """What an editor gives for a new source."""
        config = {"url": "https://data.example.gov.cn/catalog", "records": "list", "key": "id", "token": TOKEN}
        number = next(NUMBERS)
        return {
            "name": f"demo-source-{number}",
            "title": f"演示来源{number}",
            "organization_id": self.own["id"],
            "kind": "json-api",
            "config": config,
            "mapping": MAPPING,
        } | changes

    def source(self, who: str = "editor", **changes: Any) -> dict[str, Any]:
        return self.call(who, "openhuizhou_source_create", **self.values(**changes))

    def approved(self, **changes: Any) -> dict[str, Any]:
        return self.call("officer", "openhuizhou_source_approve", id=self.source(**changes)["id"])

    def page(self, who: str, address: str) -> str:
        """A page as that person gets it, outside of the request that the tests themselves are in."""
        return Context().run(self._page, address, {"Authorization": self.tokens[who]})

    def _page(self, address: str, headers: dict[str, str]) -> str:
        response = self.app.flask_app.test_client(use_cookies=False).get(address, headers=headers)
        assert response.status_code == 200, address
        return response.get_data(as_text=True)

    @staticmethod
    def row(shown: dict[str, Any]) -> Source:
        model.Session.expire_all()
        return model.Session.get_one(Source, shown["id"])


@pytest.fixture(scope="package")
def city(empty_database: Callable[[], None], reset_index: Callable[[], None]) -> Iterator[City]:
    plugins.load_all()
    empty_database()
    reset_index()
    app = helpers._get_test_app()
    with app.flask_app.test_request_context():
        made = build()
        made.app = app
        yield made
    plugins.unload_all()


def build() -> City:
    roles = ("member", "editor", "admin", "other", "officer", "auditor", "citizen")
    users = {who: factories.UserWithToken() for who in roles} | {"sysadmin": factories.SysadminWithToken()}
    own = factories.Organization(
        name="huanbaoju",
        title="演示环境保护局",
        users=[{"name": users[who]["name"], "capacity": who} for who in ("member", "editor", "admin")],
    )
    other = factories.Organization(
        name="jiaotongju", title="演示交通运输局", users=[{"name": users["other"]["name"], "capacity": "editor"}]
    )
    role.grant(users["officer"]["id"], "platform_officer", None)
    role.grant(users["auditor"]["id"], "auditor", None)
    model.Session.commit()
    names = {who: user["name"] for who, user in users.items()} | {"anonymous": ""}
    return City(names, own, other, {who: user["token"] for who, user in users.items()})


class Service(Department):
    """Titles of its own for each test: one department has each title once."""

    def add(self, *keys: str, **fields: Any) -> None:
        for key in keys:
            super().add(key, **{"名称": f"演示数据{next(NUMBERS)}之{key}"} | fields)


@pytest.fixture
def service(city: City, web: Any, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The department's web service, on the operator's list."""
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [web.host])
    return Service(web, city.own, token=TOKEN)
