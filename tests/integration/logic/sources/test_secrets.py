"""No secret of a source is to be seen anywhere: answers, pages, logs, database, findings."""

from __future__ import annotations

import json
import logging
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from cryptography.fernet import Fernet
from tests.integration.harvesters.conftest import Department

from ckanext.openhuizhou.harvesters import engine, report
from ckanext.openhuizhou.transport import secrets

from .conftest import TOKEN, City

KEYS = "ckanext.openhuizhou.secret_keys"


@pytest.fixture
def leaking(service: Department) -> Department:
    """A service that sends the token back in everything: its records, its rows and its errors."""
    service.add("A-1", 说明=f"sent with {service.token}", 关键词=service.token)
    service.rows["A-1"][0]["station"] = service.token
    service.add("A-2", columns="no list")
    service.rows["A-2"] = []
    service.web.pages["/data/A-2"] = lambda _handler: (500, {"X-Echo": service.token}, service.token.encode())
    return service


def config_of(service: Department) -> dict[str, Any]:
    data = {"url": service.web.url + "/data/{key}", "records": "list"}
    return {"url": service.web.url + "/catalog", "records": "list", "key": "id", "token": TOKEN, "data": data}


def rows_of_database() -> str:
    """Every row of our own tables, as text."""
    tables = [table for name, table in model.meta.metadata.tables.items() if name.startswith("openhuizhou_")]
    assert len(tables) > 10
    return "\n".join(str(row) for table in tables for row in model.Session.execute(sa.select(table)))


class TestNothingLeaks:
    def test_through_any_answer_page_log_or_column(self, city: City, leaking: Department, caplog: Any):
        caplog.set_level(logging.DEBUG)
        config = config_of(leaking)
        made = city.source(config=config)
        run_id = engine.run_source(made["id"])
        dry_id = engine.run_source(made["id"], "dry")
        ids = {"id": made["id"]}
        said = [
            made,
            city.call("editor", "openhuizhou_source_show", **ids),
            city.call("editor", "openhuizhou_source_list"),
            city.call("editor", "openhuizhou_source_kinds"),
            city.call("editor", "openhuizhou_source_patch", **ids, title="标题", config={**config, "token": ""}),
            city.call("editor", "openhuizhou_source_change_list", **ids),
            city.call("editor", "openhuizhou_source_test", **ids),
            city.call("editor", "openhuizhou_source_preview", **ids),
            city.call("editor", "openhuizhou_source_preview", kind="json-api", config=config,
                      organization_id=city.own["id"], mapping=made["mapping"]),
            city.call("officer", "openhuizhou_source_approve", **ids),
            city.call("editor", "openhuizhou_harvest_run_list"),
            city.call("editor", "openhuizhou_harvest_run_show", id=run_id),
            city.call("editor", "openhuizhou_harvest_run_differences", id=dry_id),
            city.call("editor", "openhuizhou_record_list", source_id=made["id"]),
            city.refusal("editor", "openhuizhou_source_patch", **ids, config={"url": 1, "token": TOKEN, "uri": "x"}),
            list(report.stream_findings(run_id)), list(report.stream_differences(dry_id)),
        ]  # fmt: skip
        assert TOKEN not in json.dumps(said[:-2], default=str, ensure_ascii=False)
        assert any("records" in answer and answer["records"] for answer in said if isinstance(answer, dict))
        assert TOKEN not in repr(said[-2:])
        assert TOKEN not in caplog.text
        stored = rows_of_database()
        assert made["name"] in stored
        assert TOKEN not in stored

    def test_through_any_page(self, city: City, leaking: Department):
        made = city.source(config=config_of(leaking))
        run_id = engine.run_source(made["id"])
        source, run = f"/harvest/source/{made['name']}", f"/harvest/run/{run_id}"
        bodies = {
            page: city.page("officer", page)
            for page in ["/harvest/", source, f"{source}/edit", run, *_addresses(made["name"], run_id)]
        }
        assert made["title"] in bodies[source]
        assert [page for page, body in bodies.items() if TOKEN in body] == []


def _addresses(name: str, run_id: str) -> list[str]:
    views = ("openhuizhou_harvest_mapping.edit", "openhuizhou_harvest_records.index")
    exports = ("openhuizhou_harvest_exports.findings", "openhuizhou_harvest_exports.differences")
    return [tk.h.url_for(view, id=name) for view in views] + [tk.h.url_for(view, id=run_id) for view in exports]


class TestKeeping:
    def test_what_is_not_given_is_kept_and_what_is_taken_out_is_gone(self, city: City):
        made = city.source()
        assert made["secrets"] == ["token"]
        shown = city.call("editor", "openhuizhou_source_show", id=made["id"])["config"]
        assert "token" not in shown
        for config in (shown, {**shown, "token": ""}, {**shown, "token": None}):
            city.call("editor", "openhuizhou_source_patch", id=made["id"], config=config)
            row = city.row(made)
            assert secrets.open_config(row.config, row.secrets)["token"] == TOKEN
        removed = city.call("editor", "openhuizhou_source_patch", id=made["id"], secrets_removed=["token"])
        assert removed["secrets"] == []
        assert city.row(made).secrets == {}

    def test_a_new_one_takes_the_place_of_the_old(self, city: City):
        made = city.source()
        given = {**made["config"], "token": "another-token"}
        city.call("editor", "openhuizhou_source_patch", id=made["id"], config=given)
        row = city.row(made)
        assert secrets.open_config(row.config, row.secrets)["token"] == "another-token"

    @pytest.mark.parametrize(
        "config",
        [
            {"url": "https://user:passw0rd@data.example.gov.cn/", "key": "id"},
            {"url": "https://data.example.gov.cn/?token=abcdefgh", "key": "id"},
        ],
    )
    def test_none_is_kept_where_it_would_be_readable(self, city: City, config: dict[str, Any]):
        found = city.refusal("editor", "openhuizhou_source_create", **city.values(config=config))
        assert set(found) == {"config.url"}
        assert "passw0rd" not in str(found)
        assert "abcdefgh" not in str(found)

    def test_what_an_operator_wrote_out_comes_back_hidden_and_stays(self, city: City):
        made = city.source()
        row = city.row(made)
        before = {**row.config, "url": "https://user:passw0rd@data.example.gov.cn/catalog"}
        row.config = before
        model.Session.commit()
        shown = city.call("editor", "openhuizhou_source_show", id=made["id"])["config"]
        assert "passw0rd" not in str(shown)
        city.call("editor", "openhuizhou_source_patch", id=made["id"], config={**shown, "records": "data"})
        assert city.row(made).config == {**before, "records": "data"}


class TestAnotherServer:
    @pytest.mark.parametrize(
        "action", ["openhuizhou_source_patch", "openhuizhou_source_test", "openhuizhou_source_preview"]
    )
    @pytest.mark.parametrize("who", ["editor", "officer"])
    def test_gets_no_secret_that_was_meant_for_the_old_one(self, city: City, web: Any, who: str, action: str):
        made = city.source()
        for elsewhere in (
            {"url": web.url},
            {"data": {"url": web.url + "/{key}"}},
            {"url": "https://data.example.gov.cn:8443/"},
        ):
            given = {**made["config"], **elsewhere}
            assert set(city.refusal(who, action, id=made["id"], config=given)) == {"config.token"}
        assert web.requests == []

    def test_gets_what_is_typed_for_it(self, city: City, service: Department):
        made = city.source()
        service.add("A-1")
        found = city.call("editor", "openhuizhou_source_test", id=made["id"], config=config_of(service))
        assert (found["ok"], found["found"]["key"]) == (True, "A-1")

    def test_another_path_of_the_same_server_does(self, city: City):
        made = city.source()
        given = {**made["config"], "url": "https://data.example.gov.cn/v2"}
        assert city.call("editor", "openhuizhou_source_patch", id=made["id"], config=given)["secrets"] == ["token"]


class TestKeys:
    def test_without_a_key_nothing_is_stored_and_the_reason_is_told(self, city: City, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(tk.config, KEYS, [])
        values = city.values()
        found = city.refusal("editor", "openhuizhou_source_create", **values)
        assert KEYS in found["config"][0]
        assert TOKEN not in str(found)

    def test_a_lost_key_is_told_and_a_new_secret_mends_it(self, city: City, monkeypatch: pytest.MonkeyPatch):
        made = city.source()
        monkeypatch.setitem(tk.config, KEYS, [Fernet.generate_key().decode()])
        assert "token" in city.refusal("editor", "openhuizhou_source_test", id=made["id"])["config"][0]
        run_id = engine.run_source(made["id"])
        shown = city.call("editor", "openhuizhou_harvest_run_show", id=run_id)
        assert (shown["state"], [finding["kind"] for finding in shown["findings"]]) == (
            "failed",
            ["source-misconfigured"],
        )
        assert "token" in shown["findings"][0]["message"]
        given = {**made["config"], "token": TOKEN}
        city.call("editor", "openhuizhou_source_patch", id=made["id"], config=given)
        row = city.row(made)
        assert secrets.open_config(row.config, row.secrets)["token"] == TOKEN

    def test_rotation_encrypts_all_anew_and_names_what_no_key_opens(self, city: City, monkeypatch: pytest.MonkeyPatch):
        good, lost = city.source(), city.source()
        row = city.row(lost)
        row.secrets = {"token": Fernet(Fernet.generate_key()).encrypt(b"x").decode()}
        model.Session.commit()
        before = city.row(good).secrets["token"]
        new = Fernet.generate_key().decode()
        monkeypatch.setitem(tk.config, KEYS, [new, *tk.config[KEYS]])
        count, unopened = secrets.rotate_secrets()
        assert count >= 1
        assert f"{lost['name']}: token" in unopened
        assert city.row(good).secrets["token"] != before
        monkeypatch.setitem(tk.config, KEYS, [new])
        row = city.row(good)
        assert secrets.open_config(row.config, row.secrets)["token"] == TOKEN
        model.Session.rollback()
