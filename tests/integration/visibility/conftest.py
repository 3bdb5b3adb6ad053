"""A small city: entries of every kind with tables and files, and people of every role, made once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model, plugins
from ckan.tests import factories, helpers
from tests.factories import complete_entry

from ckanext.openhuizhou.data import checks, quality, tables, versions
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.model import role

ITEMS = [Item("站点名称", "station", "string"), Item("读数", "reading", "number")]
#: kind of entry: open type, share type, state
KINDS = {
    "open": ("unconditional", "unconditional", "published"),
    "conditional, shared": ("conditional", "unconditional", "published"),
    "conditional, shared on conditions": ("conditional", "conditional", "published"),
    "conditional, not shared": ("conditional", "none", "published"),
    "closed, shared": ("none", "unconditional", "published"),
    "closed, shared on conditions": ("none", "conditional", "published"),
    "closed, not shared": ("none", "none", "published"),
    "draft": ("unconditional", "unconditional", "draft"),
    "withdrawn": ("unconditional", "unconditional", "withdrawn"),
}


@dataclass
class World:
    """``entries``: kind → package dict; ``tokens``: role → API token (None for a visitor)."""

    app: Any
    organization: dict[str, Any]
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str | None] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)

    def get(self, who: str, address: str, **params: Any) -> Any:
        token = self.tokens[who]
        headers = {"Authorization": token} if token else {}
        return self.app.get(address, query_string=params, headers=headers, follow_redirects=False)

    def action(self, who: str, action_name: str, /, **params: Any) -> Any:
        """The result of an action over HTTP, or None when it is refused or there is no such thing."""
        response = self.get(who, f"/api/3/action/{action_name}", **params)
        assert response.status_code in (200, 403, 404), response.body
        return response.json["result"] if response.status_code == 200 else None

    def kinds(self, ids_or_names: Any) -> set[str]:
        """The kinds of the entries that are named by id, name, resource id or tag."""
        wanted = set(ids_or_names)
        return {
            kind
            for kind, entry in self.entries.items()
            if wanted & {entry["id"], entry["name"], entry["resources"][0]["id"], *(t["name"] for t in entry["tags"])}
        }


@pytest.fixture(scope="package")
def world(empty_database: Any, reset_index: Any) -> Iterator[World]:
    plugins.load_all()
    empty_database()
    reset_index()
    app = helpers._get_test_app()  # CKAN's `app` fixture makes a new one for each test
    made = None
    try:
        with app.flask_app.test_request_context():
            made = build(app)
        yield made
    finally:
        for entry in made.entries.values() if made else ():
            tables.drop_table(entry["resources"][0]["id"])
        plugins.unload_all()


def build(app: Any) -> World:
    sysadmin = factories.SysadminWithToken()
    as_sysadmin = {"user": sysadmin["name"], "ignore_auth": True}
    own, other = (
        tk.get_action("organization_create")(dict(as_sysadmin), {"name": name, "title": f"演示{title}"})
        for name, title in (("huanbaoju", "环境保护局"), ("jiaotongju", "交通运输局"))
    )
    world = World(app, own)
    people = {who: factories.UserWithToken() for who in ("citizen", "other department", "own department", "platform")}
    for who, organization in (("other department", other), ("own department", own)):
        membership = {"id": organization["id"], "username": people[who]["name"], "role": "editor"}
        tk.get_action("organization_member_create")(dict(as_sysadmin), membership)
    role.grant(people["platform"]["id"], "platform_officer", sysadmin["id"])
    model.Session.commit()
    world.users = {**people, "sysadmin": sysadmin}
    world.tokens = {"visitor": None, **{who: user["token"] for who, user in world.users.items()}}
    for kind in KINDS:
        world.entries[kind] = entry(kind, own["id"], sysadmin["name"])
    quality.refresh([made["id"] for made in world.entries.values()])
    return world


def entry(kind: str, organization_id: str, sysadmin: str, title: str = "", *, load: bool = True) -> dict[str, Any]:
    """One entry with a table and a file, unless ``load`` says that nothing was loaded; the withdrawn one was public."""
    open_type, share_type, state = KINDS[kind]
    resource_id = str(uuid.uuid4())
    resource = {
        "id": resource_id,
        "name": "数据",
        "url": "data.csv",
        "url_type": "upload",
        "format": "CSV",
        "datastore_active": True,
    }
    package = tk.get_action("package_create")(
        {"user": sysadmin},
        complete_entry(
            title=title or f"空气质量 {kind}",
            owner_org=organization_id,
            tags=[{"name": title or f"空气 {kind.replace(',', '')}"}],
            open_type=open_type,
            open_condition="须经申请（演示数据）",
            share_type=share_type,
            share_condition="须经申请（演示数据）",
            items=[{"name": item.name, "column": item.column, "data_type": item.data_type} for item in ITEMS],
            entry_state="draft" if state == "draft" else "published",
            resources=[resource] if load else [],
        ),
    )
    if not load:
        return package
    rows = [["惠城站", 1.5]]
    staged = checks.checked(
        resource_id, package["id"], lambda inspection: tables.stage_table(resource_id, ITEMS, rows, inspection)
    )
    tables.publish_table(staged, package["id"])
    versions.derive(resource_id)
    if state == "withdrawn":
        withdrawal = {"id": package["id"], "reason": "演示"}
        package = tk.get_action("openhuizhou_entry_withdraw")({"user": sysadmin}, withdrawal)
    return package
