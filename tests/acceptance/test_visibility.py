"""What is not open is nowhere for a visitor: no page, search, count, ``package_show``, ``datastore_search``, file."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from ckanapi import NotAuthorized, RemoteCKAN
from tests.factories import complete_entry

#: A letter that no department writes, so that a search for it finds these entries or nothing.
RARE = "鱻"


@dataclass(frozen=True, slots=True)
class Hidden:
    """An entry of 市环境保护局 with a table and a file that a visitor must not find."""

    entry: dict[str, Any]
    table: str
    file: str


def entry(**changes: Any) -> dict[str, Any]:
    """What an officer fills in at least."""
    title = f"{RARE}{uuid.uuid4().hex[:8]}测试目录"
    values = {"title": title, "notes": f"{title}，只为验收测试", "owner_org": "huanbaoju", "contact_name": "验收测试"}
    return complete_entry(**{**values, **changes})


def with_data(officer: RemoteCKAN, made: dict[str, Any]) -> Hidden:
    fields = [{"id": "name", "type": "text"}]
    table = officer.action.datastore_create(
        resource={"package_id": made["id"], "name": "表"}, fields=fields, records=[{"name": RARE}]
    )
    upload = io.BytesIO(RARE.encode())
    upload.name = "a.csv"
    file = officer.action.resource_create(package_id=made["id"], name="文件", format="CSV", upload=upload)
    return Hidden(made, table["resource_id"], urlsplit(file["url"]).path)


@pytest.fixture(scope="module")
def hidden(account: Callable[[str], RemoteCKAN]) -> dict[str, Hidden]:
    """A draft, and a published entry that is 不予开放."""
    officer, platform = account("huanbaoju_officer"), account("platform_officer")
    draft = with_data(officer, officer.action.package_create(**entry()))
    closed = with_data(
        officer,
        officer.action.package_create(
            **entry(
                open_type="none",
                open_condition="《测试条例》第一条",
                share_type="none",
                share_condition="《测试条例》第二条",
            )
        ),
    )
    published = platform.action.openhuizhou_entry_publish(id=closed.entry["id"])
    assert published["entry_state"] == "published"
    return {"draft": draft, "closed": closed}


@pytest.mark.parametrize("kind", ["draft", "closed"])
class TestVisitor:
    def test_meets_no_page(self, kind: str, hidden: dict[str, Hidden], get: Callable[..., requests.Response]):
        made = hidden[kind].entry
        for path in (
            f"/dataset/{made['name']}",
            f"/dataset/{made['id']}",
            f"/dataset/{made['id']}/resource/{hidden[kind].table}",
        ):
            answer = get(path)
            assert answer.status_code in {403, 404}, path
            assert made["title"] not in answer.text

    def test_finds_nothing_by_searching(
        self, kind: str, hidden: dict[str, Hidden], anonymous: RemoteCKAN, get: Callable[..., requests.Response]
    ):
        made = hidden[kind].entry
        assert anonymous.action.package_search(q=made["title"], fq=f"id:{made['id']}", rows=0)["count"] == 0
        assert anonymous.action.package_search(q=RARE, include_drafts=True, include_private=True)["count"] == 0
        page = get("/dataset/", q=RARE).text
        assert made["title"] not in page
        assert f"/dataset/{made['name']}" not in page

    def test_is_in_no_list(self, kind: str, hidden: dict[str, Hidden], anonymous: RemoteCKAN):
        made = hidden[kind].entry
        assert made["name"] not in anonymous.action.package_list()
        assert anonymous.action.resource_search(query="name:文件")["count"] == 0
        assert made["id"] not in str(anonymous.action.current_package_list_with_resources(limit=1000))

    def test_is_in_no_count(self, kind: str, hidden: dict[str, Hidden], anonymous: RemoteCKAN):
        found = anonymous.action.package_search(
            rows=1000, fq="organization:huanbaoju", **{"facet.field": ["organization"]}
        )
        assert found["count"] == len(found["results"])
        assert hidden[kind].entry["id"] not in {dataset["id"] for dataset in found["results"]}
        departments = {item["name"]: item["count"] for item in anonymous.action.openhuizhou_department_list()}
        assert departments["huanbaoju"] == found["count"]

    def test_is_refused_by_package_show(
        self, kind: str, hidden: dict[str, Hidden], get: Callable[..., requests.Response]
    ):
        made = hidden[kind].entry
        for name, key in (
            ("package_show", made["id"]),
            ("package_show", made["name"]),
            ("resource_show", hidden[kind].table),
        ):
            answer = get(f"/api/3/action/{name}", id=key)
            assert answer.status_code in {403, 404}
            assert RARE not in answer.text

    def test_reads_no_rows(self, kind: str, hidden: dict[str, Hidden], get: Callable[..., requests.Response]):
        table = hidden[kind].table
        for path in (
            f"/api/3/action/datastore_search?resource_id={table}",
            f"/api/3/action/datastore_info?id={table}",
            f"/datastore/dump/{table}",
            "/api/3/action/datastore_search?resource_id=_table_metadata",
        ):
            answer = get(path)
            assert answer.status_code in {400, 403, 404} or table not in answer.text, path
            assert RARE not in answer.text

    def test_gets_no_file(self, kind: str, hidden: dict[str, Hidden], get: Callable[..., requests.Response]):
        answer = get(hidden[kind].file)
        assert answer.status_code in {403, 404}
        assert RARE not in answer.text


class TestOthers:
    def test_the_departments_officer_sees_the_draft(
        self, hidden: dict[str, Hidden], account: Callable[[str], RemoteCKAN]
    ):
        officer = account("huanbaoju_officer")
        assert officer.action.package_show(id=hidden["draft"].entry["id"])["entry_state"] == "draft"
        assert officer.action.datastore_search(resource_id=hidden["draft"].table)["total"] == 1

    def test_another_departments_officer_sees_the_closed_entry_but_not_its_data(
        self, hidden: dict[str, Hidden], account: Callable[[str], RemoteCKAN]
    ):
        officer = account("minzhengju_officer")
        assert officer.action.package_show(id=hidden["closed"].entry["id"])["open_type"] == "none"
        with pytest.raises(NotAuthorized):
            officer.action.datastore_search(resource_id=hidden["closed"].table)

    def test_a_department_officer_cannot_publish(self, hidden: dict[str, Hidden], account: Callable[[str], RemoteCKAN]):
        with pytest.raises(NotAuthorized):
            account("huanbaoju_officer").action.openhuizhou_entry_publish(id=hidden["draft"].entry["id"])
