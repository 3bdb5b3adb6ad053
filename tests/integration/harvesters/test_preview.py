"""A look at a source before it is saved: through its real service, leaving nothing behind."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import replace
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from stdnum.cn import ric
from tests.integration.harvesters.conftest import MAPPING
from tests.integration.harvesters.world import changed, world

from ckanext.openhuizhou.harvesters import preview
from ckanext.openhuizhou.model.harvest import Source


@pytest.fixture
def draft(department: Any, monkeypatch: pytest.MonkeyPatch) -> preview.Draft:
    """Of a source that is not saved."""
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [department.web.host])
    config = {
        "url": department.web.url + "/catalog",
        "token": department.token,
        "records": "list",
        "key": "id",
        "digest": "version",
        "covers_data": True,
        "data": {"url": department.web.url + "/data/{key}", "records": "list"},
    }
    return preview.Draft("json-api", config, copy.deepcopy(MAPPING), department.organization["id"])


def saved(feed: Any) -> preview.Draft:
    source = model.Session.get_one(Source, feed.source_id)
    return preview.Draft(
        source.kind, source.config, source.mapping, source.organization_id, source.approved, source.id, source.name
    )


def kinds(findings: list[Any]) -> list[str]:
    return [finding.kind for finding in findings]


class TestPreview:
    def test_shows_entry_rows_and_changes_of_a_source_that_is_not_saved(self, department: Any, draft: Any):
        department.add("D-1", "D-2", "D-3")
        department.rows["D-1"] = [{"station": f"站{number}", "reading": number} for number in range(8)]
        found = preview.preview(draft, limit=2)
        assert (found["findings"], [one["key"] for one in found["records"]]) == ([], ["D-1", "D-2"])
        first = found["records"][0]
        assert (first["result"], first["rule"], first["findings"]) == ("added", "new", [])
        assert first["title"] == first["entry"]["title"] == department.records[0]["名称"]
        assert [item["column"] for item in first["items"]] == ["station", "reading"]
        assert first["rows"] == [{"station": f"站{number}", "reading": number} for number in range(5)]
        assert {"field": "update_cycle", "before": None, "after": "daily"} in first["changes"]
        assert first["payload"]["更新频率"] == "每日"
        assert not first["sampled"]
        json.dumps(first["entry"] | {"rows": first["rows"], "payload": first["payload"], "changes": first["changes"]})

    def test_leaves_nothing_behind(self, department: Any, draft: Any, feed: Any):
        department.add("D-1", "D-2")
        feed.run()
        department.change("D-1", version="2", 更新频率="每周")
        department.rows["D-1"].append({"station": "龙门", "reading": None})
        model.Session.remove()
        before = world()
        assert [one["result"] for one in preview.preview(draft)["records"]] == ["refused", "refused"]
        found = preview.preview(saved(feed))
        assert [one["result"] for one in found["records"]] == ["changed", "unchanged"]
        assert {"field": "update_cycle", "before": "daily", "after": "weekly"} in found["records"][0]["changes"]
        preview.test(draft)
        model.Session.remove()
        assert changed(before, world()) == set()

    def test_one_record_by_its_key(self, department: Any, draft: Any):
        department.add("D-1", "D-2", "D-3")
        assert [one["key"] for one in preview.preview(draft, key="D-3")["records"]] == ["D-3"]
        assert preview.preview(draft, key="D-9")["records"] == []

    def test_at_most_twenty(self, department: Any, draft: Any):
        department.add(*(f"D-{number:02}" for number in range(25)))
        assert len(preview.preview(draft, limit=1000)["records"]) == 20

    def test_each_record_says_what_is_wrong_with_it(self, department: Any, draft: Any):
        department.add("good")
        department.add("nobody", 提供单位="")
        department.add("type", "gone")
        department.rows["type"] = [{"station": "惠城", "reading": "很高"}]
        department.web.pages["/data/gone"] = b'{"list": [{"sta'
        told = {one["key"]: (one["result"], kinds(one["findings"])) for one in preview.preview(draft)["records"]}
        assert told == {
            "good": ("added", []),
            "nobody": ("refused", ["provider-missing"]),
            "type": ("refused", ["cell-type"]),
            "gone": ("failed", ["source-malformed"]),
        }

    def test_what_ckans_validation_would_refuse(self, department: Any, draft: Any):
        department.add("D-1")
        draft.mapping["datasets"] = {"D-1": {"fields": {"contact_email": {"const": "no address"}}}}
        only = preview.preview(draft)["records"][0]
        assert (only["result"], [(f.kind, f.field) for f in only["findings"]]) == (
            "refused",
            [("entry-invalid", "contact_email")],
        )

    def test_personal_data_is_not_shown(self, department: Any, draft: Any):
        department.add("D-1")
        number = "44139119000101000"  # of a place that is none
        number += ric.calc_check_digit(number + "0")
        department.rows["D-1"] = [{"station": number, "reading": 1} for _row in range(5)]
        only = preview.preview(draft)["records"][0]
        assert kinds(only["findings"]) == ["personal-data"]
        assert only["rows"] == [{"reading": 1}] * 5

    def test_a_long_table_is_looked_at_in_part(self, department: Any, draft: Any):
        department.add("D-1")
        department.rows["D-1"] = [{"station": "惠城", "reading": 1}] * 500 + [{"station": "惠城", "reading": "很高"}]
        only = preview.preview(draft)["records"][0]
        assert (only["result"], only["sampled"], len(only["rows"])) == ("added", True, 5)

    def test_a_wrong_token_and_a_broken_answer_are_findings_without_secrets(self, department: Any, draft: Any):
        department.add("D-1")
        department.token = "another"
        found = preview.preview(draft)
        assert (found["records"], kinds(found["findings"])) == ([], ["source-denied"])
        assert "t0ken" not in repr(found)
        department.token = "t0ken"
        department.broken = b'{"list": [{"id": "D-1", "'
        assert kinds(preview.preview(draft)["findings"]) == ["source-malformed"]

    def test_an_address_that_nobody_approved_is_refused(
        self, department: Any, draft: Any, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [])
        assert kinds(preview.preview(draft)["findings"]) == ["address-refused"]
        assert department.web.requests == []

    def test_a_wrong_configuration_or_mapping_is_a_finding(self, draft: Any):
        draft.config["tokn"] = "x"
        assert kinds(preview.preview(draft)["findings"]) == ["source-misconfigured"]
        del draft.config["tokn"]
        draft.mapping["fields"]["titel"] = {"const": "x"}
        assert kinds(preview.preview(draft)["findings"]) == ["source-misconfigured"]

    def test_time_runs_out_and_what_came_is_shown(self, department: Any, draft: Any, monkeypatch: pytest.MonkeyPatch):
        """A paged source that goes on for ever."""
        monkeypatch.setattr(preview, "_SECONDS", 0.5)
        draft.config.update(url=department.web.url + "/endless", paging={"page": "page", "per_page": 1})
        department.add("D-1")
        record = department.records[0]

        def endless(_handler: Any) -> Any:
            number = len(department.web.requests)
            body = json.dumps({"list": [{**record, "id": f"D-{number}", "名称": f"{record['名称']}{number}"}]})
            return 200, {}, body.encode()

        department.web.pages["/endless"] = endless
        started = time.monotonic()
        found = preview.preview(draft, key="never")
        assert time.monotonic() - started < 10
        assert (found["records"], kinds(found["findings"])) == ([], ["preview-out-of-time"])

    def test_a_database_that_takes_its_time_is_not_waited_for(self, draft: Any, monkeypatch: pytest.MonkeyPatch):
        url = sa.make_url(tk.config["sqlalchemy.url"])
        monkeypatch.setattr(preview, "_LIMITS", replace(preview._LIMITS, seconds=1))
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [f"{url.host}:{url.port}"])
        database = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with database.connect() as connection:
            connection.exec_driver_sql("CREATE SCHEMA slow CREATE VIEW mx AS SELECT pg_sleep(60)::text AS station")
            try:
                config = {"dsn": url.render_as_string(hide_password=False), "schema": "slow"}
                started = time.monotonic()
                found = preview.preview(replace(draft, kind="sql", config=config))
            finally:
                connection.exec_driver_sql("DROP SCHEMA slow CASCADE")
        database.dispose()
        assert time.monotonic() - started < 30
        assert [one["key"] for one in found["records"]] == ["mx"]
        assert str(url.password) not in repr(found)

    def test_a_record_without_a_key_is_a_finding_of_the_source(self, department: Any, draft: Any):
        department.records = [{"名称": "无编号"}]
        found = preview.preview(draft)
        assert (found["records"], kinds(found["findings"])) == ([], ["key-missing"])


class TestTest:
    def test_a_source_that_answers(self, department: Any, draft: Any):
        department.add("D-1", "D-2")
        found = preview.test(draft)
        title = department.records[0]["名称"]
        assert (found["ok"], found["found"], found["requests"]) == (True, {"key": "D-1", "title": title}, 1)

    @pytest.mark.parametrize("mapping", [{}, {"fields": {"titel": {"const": "x"}}}])
    def test_needs_no_mapping(self, department: Any, draft: Any, mapping: dict[str, Any]):
        department.add("D-1")
        draft.mapping.clear()
        draft.mapping.update(mapping)
        found = preview.test(draft)
        assert (found["ok"], found["found"]) == (True, {"key": "D-1", "title": None})

    def test_a_source_that_is_down(self, department: Any, draft: Any):
        department.token = "another"
        found = preview.test(draft)
        assert (found["ok"], found["found"], kinds(found["findings"])) == (False, None, ["source-denied"])

    def test_an_empty_source_answers(self, draft: Any):
        found = preview.test(draft)
        assert (found["ok"], found["found"], found["findings"]) == (True, None, [])
