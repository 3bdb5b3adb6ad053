"""Whatever a person types or puts into the address of a page is a search, and never an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan.tests import factories
from ckan.tests.helpers import CKANTestApp

STRINGS = [
    "title:养老 AND (",
    '"',
    "\\",
    "{!func}ord(title)",
    "_query_:x",
    "*:*",
    "-养老",
    "AND OR NOT",
    "??",
    "[* TO",
    "name:[a TO b}",
    "😀 𠮷",
    "的" * 300,
    "".join(chr(code) for code in range(0x4E00, 0x4E00 + 300)),
    "\x00\x1f",
    "<script>alert(1)</script>",
]


FILTER_NAMES = ["tags", "theme", "utm_source", "a b", "capacity:private OR x", "ext_a"]
FILTER_VALUES = ['"', "\\", '") OR capacity:("private', "a:b", "[* TO"]
SORTS = ["title_string asc", "nothing asc", "score", "exists(query({!v='a'})) asc", '"']

ADDRESSES: list[dict[str, str]] = [
    *({"q": typed} for typed in STRINGS),
    *({name: value} for name in FILTER_NAMES for value in FILTER_VALUES),
    *({"sort": sort} for sort in SORTS),
]


@pytest.fixture
def page(catalogue: Any, app: CKANTestApp) -> Callable[..., str]:
    """``page(q="养老")`` is the search page's HTML. The app is made after the plugins were loaded."""

    def get(**params: str) -> str:
        response = app.get("/dataset/", query_string=params)
        assert response.status_code == 200
        return response.get_data(as_text=True)

    return get


def test_any_address_is_a_page(page: Callable[..., str], caplog: pytest.LogCaptureFixture) -> None:
    failed = []
    for address in ADDRESSES:
        caplog.clear()
        page(**address)
        if "search error" in caplog.text:
            failed.append(address)
    assert failed == []


def test_a_tracking_parameter_hides_nothing(page: Callable[..., str], catalogue: Any) -> None:
    title = catalogue.datasets["nursing-homes"]["title"]
    assert title in page(q="养老", utm_source="weixin")


def test_a_filter_is_one(page: Callable[..., str], catalogue: Any) -> None:
    found = page(q="养老", organization="rensheju")
    assert catalogue.datasets["pension-insurance"]["title"] in found
    assert catalogue.datasets["nursing-homes"]["title"] not in found


class TestApi:
    """A program speaks Solr's language, over HTTP too."""

    def search(self, app: CKANTestApp, **params: str) -> Any:
        return app.get("/api/3/action/package_search", query_string=params)

    def test_fields_can_be_named(self, catalogue: Any, app: CKANTestApp) -> None:
        answer = self.search(app, q="title:养老 AND organization:minzhengju").json
        assert [found["name"] for found in answer["result"]["results"]] == [catalogue.datasets["nursing-homes"]["name"]]

    def test_words_are_found_as_on_pages(self, catalogue: Any, app: CKANTestApp) -> None:
        assert self.search(app, q="交通運輸").json["result"]["count"] == 5

    @pytest.mark.parametrize("q", ["title:(养老", "{!func}ord(title)", "_query_:x", "{!edismax"])
    def test_malformed_syntax_is_refused_in_ckans_way(self, catalogue: Any, app: CKANTestApp, q: str) -> None:
        answer = self.search(app, q=q)
        assert answer.status_code in (400, 409)
        assert answer.json["success"] is False


class TestOfficials:
    """An officer's pages list the drafts of the own department; nobody else's do."""

    def titles(self, app: CKANTestApp, user: dict[str, Any] | None) -> str:
        headers = {"Authorization": user["token"]} if user else {}
        return app.get("/dataset/", query_string={"q": "未完成"}, headers=headers).get_data(as_text=True)

    def test_drafts_are_listed_for_their_department_only(self, catalogue: Any, app: CKANTestApp) -> None:
        own, other = factories.UserWithToken(), factories.UserWithToken()
        for user, name in ((own, "minzhengju"), (other, "jiaotongju")):
            tk.get_action("organization_member_create")(
                {"user": catalogue.sysadmin}, {"id": name, "username": user["name"], "role": "editor"}
            )
        tk.get_action("package_create")(
            {"user": own["name"]}, {"type": "dataset", "title": "未完成的条目", "owner_org": "minzhengju"}
        )
        assert "未完成的条目" in self.titles(app, own)
        assert "未完成的条目" not in self.titles(app, other)
        assert "未完成的条目" not in self.titles(app, None)
