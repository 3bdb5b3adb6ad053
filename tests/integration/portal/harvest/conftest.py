"""Officials of two departments, a platform officer and an auditor at the harvest's pages; a real service to read."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import CKANTestApp
from cryptography.fernet import Fernet
from tests.integration.harvesters.conftest import MAPPING, Department
from tests.integration.portal.test_pages import text_of

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.harvesters import engine
from ckanext.openhuizhou.model import role
from ckanext.openhuizhou.model.harvest import Record, Source, resource_id_of

NUMBERS = itertools.count(1)


@dataclass
class Office:
    """``tokens``: person → API token. Persons: own (editor of the department), other (of another one), platform,
    auditor; anonymous has none."""

    app: Any
    department: Department
    tokens: dict[str, str]
    sources: list[str] = field(default_factory=list)

    def get(self, person: str, address: str, status: int = 200, *, htmx: bool = False) -> Any:
        """A page as that person gets it."""
        response = self._browser().get(address, headers=self._headers(person, htmx), follow_redirects=False)
        assert response.status_code == status, response.get_data(as_text=True)
        return response

    def html(self, person: str, address: str, status: int = 200) -> str:
        return self.get(person, address, status).get_data(as_text=True)

    def text(self, person: str, address: str, status: int = 200) -> str:
        return text_of(self.html(person, address, status))

    def post(self, person: str, address: str, *, htmx: bool = False, follow: bool = False, **form: Any) -> Any:
        headers = self._headers(person, htmx)
        return self._browser().post(address, data=form, headers=headers, follow_redirects=follow)

    def source(self, **changes: Any) -> dict[str, Any]:
        """A stored source that reads the department's service, approved unless ``changes`` say otherwise."""
        with self.app.flask_app.test_request_context():
            name = f"office-{next(NUMBERS)}"
            approved = changes.pop("approved", True)
            asked = {
                "name": name,
                "title": "演示来源",
                "organization_id": self.department.organization["id"],
                "kind": "json-api",
                "config": self.config(),
                "mapping": MAPPING,
                "schedule": "0 3 * * *",
            }
            made = tk.get_action("openhuizhou_source_create")({"ignore_auth": True}, asked | changes)
            stored = model.Session.get_one(Source, made["id"])
            stored.approved = approved
            model.Session.commit()
            self.sources.append(made["id"])
            return made

    def config(self) -> dict[str, Any]:
        web = self.department.web
        return {
            "url": web.url + "/catalog",
            "token": self.department.token,
            "records": "list",
            "key": "id",
            "digest": "version",
            "covers_data": True,
            "data": {"url": web.url + "/data/{key}", "records": "list"},
        }

    def run(self, source_id: str, mode: str = "normal") -> dict[str, Any]:
        """Read the source now, in this process."""
        with self.app.flask_app.test_request_context():
            run_id = engine.run_source(source_id, mode)
            assert run_id is not None
            model.Session.remove()
            return tk.get_action("openhuizhou_harvest_run_show")({"ignore_auth": True}, {"id": run_id})

    def show(self, source_id: str) -> dict[str, Any]:
        with self.app.flask_app.test_request_context():
            return tk.get_action("openhuizhou_source_show")({"ignore_auth": True}, {"id": source_id})

    def _browser(self) -> Any:
        """A new one each time: the cookie of a message is nobody else's."""
        return CKANTestApp(self.app.app)

    def _headers(self, person: str, htmx: bool) -> dict[str, str]:
        headers = {"HX-Request": "true"} if htmx else {}
        return headers | ({"Authorization": self.tokens[person]} if person in self.tokens else {})


@pytest.fixture(scope="package")
def tokens(portal: Any) -> dict[str, Any]:
    """Tokens of the persons, and the organization of ``own``."""
    with portal.app.flask_app.test_request_context():
        users = {name: factories.UserWithToken() for name in ("own", "other", "platform", "auditor")}
        role.grant(users["platform"]["id"], "platform_officer", None)
        role.grant(users["auditor"]["id"], "auditor", None)
        model.Session.commit()
        editors = {name: [{"name": users[name]["name"], "capacity": "editor"}] for name in ("own", "other")}
        own = factories.Organization(name="office-own", title="演示一局", users=editors["own"])
        factories.Organization(name="office-other", title="演示二局", users=editors["other"])
        return {name: user["token"] for name, user in users.items()} | {"organization": own}


@pytest.fixture
def office(portal: Any, tokens: dict[str, Any], web: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [web.host])
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.secret_keys", [Fernet.generate_key().decode()])
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.looks_per_minute", 1000)
    people = {name: token for name, token in tokens.items() if name != "organization"}
    made = Office(portal.app, Department(web, tokens["organization"]), people)
    yield made
    with portal.app.flask_app.test_request_context():
        model.Session.remove()
        for source_id in made.sources:
            remove(source_id)


def remove(source_id: str) -> None:
    """The source, its entries and their tables."""
    rows = model.Session.execute(sa.select(Record.key, Record.dataset_id).where(Record.source_id == source_id)).all()
    for key, dataset_id in rows:
        tables.drop_table(resource_id_of(source_id, key))
        if dataset_id and model.Package.get(dataset_id):
            site_user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
            tk.get_action("dataset_purge")({"user": site_user, "ignore_auth": True}, {"id": dataset_id})
    source = model.Session.get(Source, source_id)
    if source is not None:
        model.Session.delete(source)
    model.Session.commit()


def form_of(office: Office, **changes: str) -> dict[str, str]:
    """What a person types into the form of a JSON interface."""
    config = office.config()
    typed = {
        "title": "新的演示来源",
        "organization_id": office.department.organization["id"],
        "notify": "error",
        "priority": "100",
        "schedule_choice": "0 3 * * *",
        "active": "true",
        "mapping": json.dumps(MAPPING, ensure_ascii=False),
        "config.url": config["url"],
        "config.token": config["token"],
        "config.records": "list",
        "config.key": "id",
        "config.digest": "version",
        "config.covers_data": "true",
        "config.data.url": config["data"]["url"],
        "config.data.records": "list",
        "do": "save",
    }
    return typed | changes
