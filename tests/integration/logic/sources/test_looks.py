"""Tests and previews that a person starts: real requests to a real server, guarded and counted."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib.redis import connect_to_redis
from tests.integration.harvesters.conftest import MAPPING, Department

from ckanext.openhuizhou.harvesters import engine
from ckanext.openhuizhou.model.harvest import Run

from .conftest import City
from .test_secrets import config_of

LIMIT = "ckanext.openhuizhou.looks_per_minute"


@pytest.fixture
def draft(city: City, service: Department) -> dict[str, Any]:
    """A source that is not saved."""
    service.add("A-1", "A-2", "A-3")
    return {
        "kind": "json-api",
        "organization_id": city.own["id"],
        "config": config_of(service),
        "mapping": MAPPING,
    }


@pytest.fixture(autouse=True)
def nothing_counted(city: City) -> None:
    connection = connect_to_redis()
    for key in connection.scan_iter(match="openhuizhou:*:look:*"):
        connection.delete(key)


class TestTest:
    def test_a_source_that_is_not_saved_is_asked(self, city: City, draft: dict[str, Any]):
        found = city.call("editor", "openhuizhou_source_test", **draft)
        assert (found["ok"], found["found"]["key"], found["findings"]) == (True, "A-1", [])
        assert found["requests"] >= 1

    def test_it_needs_no_mapping_yet(self, city: City, draft: dict[str, Any]):
        del draft["mapping"]
        assert city.call("editor", "openhuizhou_source_test", **draft)["ok"]

    def test_a_wrong_token_is_told_with_how_to_mend_it(self, city: City, draft: dict[str, Any]):
        draft["config"]["token"] = "wrong-token"
        found = city.call("editor", "openhuizhou_source_test", **draft)
        assert (found["ok"], [finding["kind"] for finding in found["findings"]]) == (False, ["source-denied"])
        assert found["findings"][0]["message"]
        assert found["findings"][0]["mend"]
        assert "wrong-token" not in str(found)

    @pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "10.0.0.1"])
    def test_no_address_inside_is_reached_and_the_operator_is_named(
        self, city: City, draft: dict[str, Any], service: Department, monkeypatch: pytest.MonkeyPatch, host: str
    ):
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [])
        port = service.web.url.rpartition(":")[2]
        draft["config"]["url"] = f"http://{host}:{port}/catalog"
        for action in ("openhuizhou_source_test", "openhuizhou_source_preview"):
            found = city.call("editor", action, **draft)
            assert [finding["kind"] for finding in found["findings"]] == ["address-refused"]
            assert "allowed_hosts" in found["findings"][0]["mend"]
        assert service.web.requests == []

    def test_what_is_missing_or_wrong_is_told_by_field_and_nobody_is_asked(
        self, city: City, draft: dict[str, Any], service: Department
    ):
        assert set(city.refusal("editor", "openhuizhou_source_test")) == {"kind", "organization_id"}
        draft["config"]["uri"] = "x"
        assert set(city.refusal("editor", "openhuizhou_source_test", **draft)) == {"config.uri"}
        assert set(city.refusal("editor", "openhuizhou_source_preview", **draft)) == {"config.uri"}
        assert service.web.requests == []


class TestPreview:
    def test_shows_what_would_become_of_the_first_records(self, city: City, draft: dict[str, Any]):
        found = city.call("editor", "openhuizhou_source_preview", **draft, limit=2)
        assert [record["key"] for record in found["records"]] == ["A-1", "A-2"]
        first = found["records"][0]
        assert (first["result"], first["rule"]) == ("added", "new")
        assert first["rule_text"]
        assert first["rows"][0] == {"station": "惠城", "reading": 1.5}
        assert first["entry"]["update_cycle"] == "daily"
        assert first["payload"]["更新频率"] == "每日"

    def test_one_record_by_its_key(self, city: City, draft: dict[str, Any]):
        found = city.call("editor", "openhuizhou_source_preview", **draft, key="A-3")
        assert [record["key"] for record in found["records"]] == ["A-3"]

    def test_nothing_is_written(self, city: City, draft: dict[str, Any]):
        def counts() -> list[int]:
            return [
                model.Session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                for name, table in sorted(model.meta.metadata.tables.items())
                if name.startswith("openhuizhou_") or name in ("package", "resource", "activity")
            ]

        before = counts()
        city.call("editor", "openhuizhou_source_preview", **draft)
        city.call("editor", "openhuizhou_source_test", **draft)
        assert counts() == before

    def test_a_stored_source_with_another_mapping(self, city: City, draft: dict[str, Any]):
        made = city.source(config=draft["config"])
        mapping = {**MAPPING, "fields": {**MAPPING["fields"], "title": {"const": "换一个标题"}}}
        found = city.call("editor", "openhuizhou_source_preview", id=made["id"], mapping=mapping, limit=1)
        assert found["records"][0]["title"] == "换一个标题"
        assert city.row(made).mapping == MAPPING

    @pytest.mark.parametrize(("limit", "count"), [(0, 1), (100, 3)])
    def test_the_limit_has_limits(self, city: City, draft: dict[str, Any], limit: int, count: int):
        assert len(city.call("editor", "openhuizhou_source_preview", **draft, limit=limit)["records"]) == count


class TestLimit:
    def test_one_user_is_refused_after_so_many_and_another_is_not(
        self, city: City, draft: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setitem(tk.config, LIMIT, 3)
        # both actions count together, in at most two minutes that follow one another
        actions = ["openhuizhou_source_test", "openhuizhou_source_preview"] * 4
        refused = [error for action in actions if (error := self.refused(city, action, draft))]
        assert 2 <= len(refused) <= 5
        assert all("3" in error["message"][0] for error in refused)
        assert city.call("admin", "openhuizhou_source_test", **draft)["ok"]

    @staticmethod
    def refused(city: City, action: str, draft: dict[str, Any]) -> dict[str, Any]:
        try:
            city.call("editor", action, **draft)
        except tk.ValidationError as error:
            return error.error_dict
        return {}

    def test_a_dead_valkey_refuses_nobody(self, city: City, draft: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(tk.config, LIMIT, 0)
        assert "message" in city.refusal("editor", "openhuizhou_source_test", **draft)
        monkeypatch.setitem(tk.config, "ckan.redis.url", "redis://127.0.0.1:1/0")
        monkeypatch.setattr("ckan.lib.redis._connection_pool", None)
        assert city.call("editor", "openhuizhou_source_test", **draft)["ok"]


class TestMapping:
    def test_check_names_place_and_line(self, city: City):
        found = city.call("member", "openhuizhou_mapping_check", mapping="fields:\n  title:\n    fro: x\n")
        assert (found["ok"], found["errors"][0]["line"]) == (False, 3)
        good = city.call("member", "openhuizhou_mapping_check", mapping="fields: {title: {from: 名称}}")
        assert (good["ok"], good["mapping"]) == (True, {"fields": {"title": {"from": "名称"}}})

    def test_a_mistake_in_the_yaml_itself_has_a_line(self, city: City):
        found = city.call("member", "openhuizhou_mapping_check", mapping="fields:\n  a: b: c\n")
        assert (found["ok"], found["mapping"], found["errors"][0]["line"]) == (False, None, 2)

    def test_try_shows_the_entry_with_labels(self, city: City):
        payload = {"名称": "空气质量", "更新频率": "每月", "columns": [{"name": "a", "label": "甲", "type": "文本"}]}
        found = city.call("editor", "openhuizhou_mapping_try", mapping=MAPPING, payload=payload, key="A")
        assert found["entry"]["title"] == "空气质量"
        assert found["labels"]["title"]
        assert [item["column"] for item in found["items"]] == ["a"]
        assert [finding["field"] for finding in found["findings"]] == ["update_cycle"]
        assert found["findings"][0]["message"]

    @pytest.mark.parametrize(("field", "value"), [("payload", "x"), ("payload", [1]), ("mapping", "a: b"), ("key", "")])
    def test_try_refuses_what_it_cannot_use(self, city: City, field: str, value: Any):
        asked = {"mapping": MAPPING, "payload": {}, "key": "A"} | {field: value}
        assert set(city.refusal("editor", "openhuizhou_mapping_try", **asked)) == {field}


class TestRuns:
    def test_an_editor_starts_pauses_resumes_and_cancels(self, city: City):
        made = city.source()
        run = city.call("editor", "openhuizhou_harvest_run", source_id=made["name"])
        assert (run["state"], run["trigger"]) == ("queued", "person")
        assert run["requested_by"]
        for action, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
            assert city.call("admin", "openhuizhou_harvest_run_control", id=run["id"], action=action)["state"] == state
        found = city.refusal("editor", "openhuizhou_harvest_run_control", id=run["id"], action="pause")
        assert set(found) == {"action"}

    @pytest.mark.parametrize(("decision", "state"), [("approved", "queued"), ("refused", "cancelled")])
    def test_a_held_run_is_decided_by_a_platform_officer(self, city: City, decision: str, state: str):
        made = city.approved()
        held = Run(source_id=made["id"], state="held")
        model.Session.add(held)
        model.Session.commit()
        run_id = held.id
        shown = city.call("officer", "openhuizhou_source_show", id=made["id"])
        assert (shown["health"], shown["waiting"]["held_runs"]) == ("held", [run_id])
        decided = city.call("officer", "openhuizhou_harvest_run_decide", id=run_id, decision=decision)
        assert (decided["state"], decided["decision"]) == (state, decision)
        assert "decision" in city.refusal("officer", "openhuizhou_harvest_run_decide", id=run_id, decision=decision)
        if state == "queued":
            city.call("officer", "openhuizhou_harvest_run_control", id=run_id, action="cancel")

    def test_a_dry_run_shows_its_differences_with_labels(self, city: City, draft: dict[str, Any]):
        made = city.source(config=draft["config"])
        run_id = engine.run_source(made["id"], "dry")
        found = city.call("member", "openhuizhou_harvest_run_differences", id=run_id, action="added", limit=2)
        assert (found["count"], len(found["results"])) == (3, 2)
        changes = {change["field"]: change["label"] for change in found["results"][0]["changes"]}
        assert changes["title"] not in ("", "title")
        assert all(label for label in changes.values())
        shown = city.call("member", "openhuizhou_harvest_run_show", id=run_id, severity="error")
        assert shown["findings_count"] <= sum(one["count"] for one in shown["findings_kinds"])
        assert [(rule["rule"], rule["count"]) for rule in shown["rules"]] == [("new", 3)]


class TestRecords:
    def test_are_found_by_state_text_and_columns_that_wait(
        self, city: City, draft: dict[str, Any], service: Department
    ):
        made = city.source(config=draft["config"])
        engine.run_source(made["id"])
        asked = {"source_id": made["id"]}
        assert city.call("member", "openhuizhou_record_list", **asked)["count"] == 3
        assert [r["key"] for r in city.call("member", "openhuizhou_record_list", **asked, q="a-2")["results"]] == [
            "A-2"
        ]
        assert city.call("member", "openhuizhou_record_list", **asked, q="%")["count"] == 0
        assert city.call("member", "openhuizhou_record_list", **asked, state="withdrawn")["count"] == 0
        assert city.call("member", "openhuizhou_record_list", **asked, limit=1, offset=1)["results"][0]["key"] == "A-2"
        service.change("A-1", columns=[{"name": "station", "label": "站点", "type": "文本"}], version="2")
        service.rows["A-1"] = [{"station": "惠城"}]
        engine.run_source(made["id"])
        [held] = city.call("member", "openhuizhou_record_list", **asked, held_columns=True)["results"]
        assert (held["key"], [column["column"] for column in held["held_columns"]]) == ("A-1", ["station"])
        assert held["findings"][0]["message"]
        assert city.call("officer", "openhuizhou_source_show", id=made["id"])["waiting"]["held_columns"] == 1
        city.call("officer", "openhuizhou_record_accept_columns", source_id=made["id"], key="A-1")
        assert "key" in city.refusal("officer", "openhuizhou_record_accept_columns", source_id=made["id"], key="A-1")
        with pytest.raises(tk.ObjectNotFound):
            city.call("officer", "openhuizhou_record_accept_columns", source_id=made["id"], key="none")
        engine.run_source(made["id"])
        assert city.call("member", "openhuizhou_record_list", **asked, held_columns=True)["count"] == 0
