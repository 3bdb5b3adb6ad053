"""Publish and withdraw from an entry's page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pytest

from .conftest import BASIC


@pytest.fixture
def draft(portal: Any) -> Iterator[dict[str, Any]]:
    items = [{"name": "名称", "column": "name", "data_type": "string"}]
    fields = {"title": "待发布条目", "owner_org": "huanbaoju", "entry_state": "draft", "items": items}
    as_sysadmin = {"user": portal.sysadmin["name"]}
    with portal.app.flask_app.test_request_context():
        made = tk.get_action("package_create")(dict(as_sysadmin), BASIC | fields)
    yield made
    with portal.app.flask_app.test_request_context():
        tk.get_action("dataset_purge")(dict(as_sysadmin), {"id": made["id"]})


def press(portal: Any, entry: dict[str, Any], button: str, **form: str) -> Any:
    headers = {"Authorization": portal.sysadmin["token"]}
    return portal.app.post(f"/dataset/{entry['name']}/{button}", data=form, headers=headers, follow_redirects=False)


class TestButtons:
    def test_publish_makes_it_public_and_withdraw_takes_it_back(self, portal: Any, draft: dict[str, Any]) -> None:
        address = f"/dataset/{draft['name']}"
        portal.page(address, 404)

        assert press(portal, draft, "publish").headers["Location"].endswith(address)
        assert "待发布条目" in portal.page(address).get_data(as_text=True)

        assert press(portal, draft, "withdraw", reason="数据有误").status_code == 302
        portal.page(address, 404)

    def test_an_official_sees_the_state_and_the_button_that_fits(self, portal: Any, draft: dict[str, Any]) -> None:
        headers = {"Authorization": portal.sysadmin["token"]}
        html = portal.app.get(f"/dataset/{draft['name']}", headers=headers).get_data(as_text=True)
        assert "草稿" in html
        assert f"/dataset/{draft['name']}/publish" in html
        assert f"/dataset/{draft['name']}/withdraw" not in html

    def test_withdrawing_without_a_reason_is_refused_and_said(self, portal: Any, draft: dict[str, Any]) -> None:
        press(portal, draft, "publish")
        press(portal, draft, "withdraw", reason="")
        portal.page(f"/dataset/{draft['name']}")

    def test_an_entry_that_is_not_there_is_not_found(self, portal: Any) -> None:
        assert press(portal, {"name": "no-such-entry"}, "publish").status_code in (403, 404)
