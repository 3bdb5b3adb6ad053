"""The harvests' pages are for officials: what each run refused, why, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.model.harvest import Run, RunFinding, Source

from .test_pages import text_of


@pytest.fixture
def run(portal: Any) -> Iterator[Run]:
    """A run of 2018 that refused one record."""
    with portal.app.flask_app.test_request_context():
        organization = tk.get_action("organization_show")({"ignore_auth": True}, {"id": "huanbaoju"})
        source = Source(
            id="4b7a3f0e-0000-4000-8000-000000000001",
            name="demo-source",
            title="演示数据服务",
            organization_id=organization["id"],
            kind="json-api",
            approved=True,
            config={},
            mapping={},
        )
        run = Run(source_id=source.id, state="done", started=utcnow(), finished=utcnow(), added=3, refused=1)
        model.Session.add(source)
        model.Session.flush()
        model.Session.add(run)
        model.Session.flush()
        finding = RunFinding(
            run_id=run.id,
            kind="provider-missing",
            severity="error",
            record="HB-07",
            title="没有提供方<script>",
            field="owner_org",
            params={"field": "提供单位"},
        )
        model.Session.add(finding)
        model.Session.commit()
        yield run
        model.Session.delete(source)
        model.Session.commit()


def official(portal: Any, address: str) -> str:
    response = portal.app.get(address, headers={"Authorization": portal.sysadmin["token"]})
    assert response.status_code == 200, response.body
    return response.get_data(as_text=True)


class TestVisitors:
    @pytest.mark.parametrize("address", ["/harvest/", "/harvest/run/{run}"])
    def test_may_not_see_harvests(self, portal: Any, run: Run, address: str) -> None:
        text = text_of(portal.page(address.format(run=run.id), 403).get_data(as_text=True))
        assert "演示数据服务" not in text
        assert "登录" in text

    def test_are_not_led_there(self, portal: Any) -> None:
        assert 'href="/harvest/"' not in portal.page("/").get_data(as_text=True)

    def test_cannot_start_one(self, portal: Any, run: Run) -> None:
        response = portal.app.post("/harvest/start/demo-source", follow_redirects=False)
        assert response.status_code in (401, 403)


class TestOfficials:
    def test_read_the_kind_of_a_source_in_words(self, portal: Any, run: Run) -> None:
        text = text_of(official(portal, "/harvest/"))
        assert "JSON 接口" in text
        assert "json-api" not in text

    def test_see_each_source_with_its_last_run(self, portal: Any, run: Run) -> None:
        html = official(portal, "/harvest/")
        assert "演示数据服务" in html
        assert f"/harvest/run/{run.id}" in html

    def test_read_what_was_refused_and_how_to_mend_it(self, portal: Any, run: Run) -> None:
        html = official(portal, f"/harvest/run/{run.id}")
        assert "没有提供方&lt;script&gt;" in html
        text = text_of(html)
        assert "HB-07" in text
        assert "信息资源提供方" in text
        assert "请在来源处的字段" in text

    def test_a_run_that_does_not_exist_is_not_there(self, portal: Any) -> None:
        response = portal.app.get("/harvest/run/none", headers={"Authorization": portal.sysadmin["token"]})
        assert response.status_code == 404
