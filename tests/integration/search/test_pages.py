"""Whatever a person types or puts into the address of a page is a search, and never an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
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
