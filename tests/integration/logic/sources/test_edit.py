"""Making and changing sources: what is checked, what takes the approval back, what is kept of it."""

from __future__ import annotations

import re
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from tests.factories import complete_entry
from tests.integration.harvesters.conftest import MAPPING

from ckanext.openhuizhou.harvesters import lease
from ckanext.openhuizhou.model.harvest import Record, Source, source_id_of

from .conftest import TOKEN, City

YAML = "fields:\n  title: {from: 名称}\n  notes: {from: 说明, as: dat}\n  tag_strin: {const: x}\n"


class TestCreate:
    def test_a_new_source_waits_for_approval(self, city: City):
        made = city.source(schedule=" 0 3  * * * ", contact_email="officer@example.org")
        assert made["id"] == source_id_of(made["name"])
        assert (made["approved"], made["active"], made["notify"], made["priority"]) == (False, True, "error", 100)
        assert (made["schedule"], made["health"]) == ("0 3 * * *", "unapproved")
        assert made["organization_title"] == city.own["title"]
        assert made["mapping"] == MAPPING
        assert city.call("member", "openhuizhou_source_show", id=made["name"]) == made

    def test_a_name_is_made_of_department_and_kind(self, city: City):
        values = city.values()
        del values["name"]
        first = city.call("editor", "openhuizhou_source_create", **values)
        assert first["name"] == "huanbaoju-json-api"
        assert city.call("editor", "openhuizhou_source_create", **values)["name"] == "huanbaoju-json-api-2"

    def test_the_department_may_be_named(self, city: City):
        assert city.source(organization_id="huanbaoju")["organization_id"] == city.own["id"]

    def test_everything_that_is_wrong_is_told_at_once(self, city: City):
        found = city.refusal(
            "editor",
            "openhuizhou_source_create",
            **city.values(
                title="",
                name="No Name",
                schedule="every day",
                notify="often",
                contact_email="nobody",
                priority=5,
                config={"key": "id", "records": 3, "uri": "x", "data": {"records": 1}},
                mapping=YAML,
            ),
        )
        assert {name for name in found if not name.startswith("config.")} == {
            "title", "name", "schedule", "notify", "contact_email", "priority", "mapping",
        }  # fmt: skip
        assert {name for name in found if name.startswith("config.")} == {
            "config.uri", "config.url", "config.records", "config.data.url", "config.data.records",
        }  # fmt: skip
        places = [re.match(r"([a-z._]+)\D+(\d+)", sentence) for sentence in found["mapping"]]
        assert [place.groups() for place in places if place] == [
            ("mapping.fields.tag_strin", "4"),
            ("mapping.fields.notes.as", "3"),
        ]
        assert all("{" not in sentence for sentences in found.values() for sentence in sentences)

    @pytest.mark.parametrize("missing", ["title", "organization_id", "kind", "mapping"])
    def test_what_is_needed_is_named(self, city: City, missing: str):
        values = city.values()
        del values[missing]
        who = "officer" if missing == "organization_id" else "editor"
        assert set(city.refusal(who, "openhuizhou_source_create", **values)) == {missing}

    def test_a_kind_with_a_mapping_of_its_own_needs_none(self, city: City):
        config = {"url": "https://data.example.gov.cn/drop/"}
        made = city.source(kind="catalogue-template", config=config, mapping={})
        assert made["mapping"] == {}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("title", "a\x00b"), ("title", "\ud800"), ("title", "x" * 201), ("name", "a"),
            ("name", "5f5c1d0e-6f0b-5d0a-9d0e-0b6f4f70656e"), ("config", '{"a":' * 100_000),
            ("schedule", "* * * * * *"),
            ("schedule", "0 3 30 2 *"), ("config", "no json"), ("config", [1]), ("config", {"key": "a\x00b"}),
            ("mapping", "a: &a [*a]"), ("mapping", "x" * 200_001), ("mapping", "[" * 100), ("mapping", "a: [1"),
            ("mapping", {"fields": {"title": {"const": "\x00"}}}), ("mapping", 7), ("priority", -1), ("priority", "x"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_kept_is_a_sentence(self, city: City, field: str, value: Any):
        who = "officer" if field == "priority" else "editor"
        found = city.refusal(who, "openhuizhou_source_create", **city.values(**{field: value}))
        assert {name.split(".")[0] for name in found} == {field}

    def test_a_name_that_is_taken_is_refused(self, city: City):
        name = city.source()["name"]
        assert set(city.refusal("editor", "openhuizhou_source_create", **city.values(name=name))) == {"name"}


class TestChange:
    def test_nothing_given_changes_nothing(self, city: City):
        made = city.source()
        assert city.call("editor", "openhuizhou_source_patch", id=made["id"]) == made

    def test_the_name_stays(self, city: City):
        made = city.source()
        assert set(city.refusal("editor", "openhuizhou_source_patch", id=made["id"], name="another")) == {"name"}

    @pytest.mark.parametrize(
        ("change", "approved"),
        [
            ({"mapping": {"fields": {"title": {"const": "演示"}}}}, False),
            ({"config": {"url": "https://data.example.gov.cn/other", "key": "id", "token": "another-token"}}, False),
            ({"title": "另一个演示来源"}, True),
            ({"schedule": "0 4 * * *", "notify": "always", "contact_email": "a@example.org"}, True),
            ({"active": False}, True),
        ],
    )
    def test_what_was_approved_is_approved_anew(self, city: City, change: dict[str, Any], approved: bool):
        made = city.approved()
        assert (made["approved"], made["approved_by"] is not None) == (True, True)
        changed = city.call("editor", "openhuizhou_source_patch", id=made["id"], **change)
        assert (changed["approved"], changed["approved_by"] is not None) == (approved, approved)

    @pytest.mark.parametrize("who", ["officer", "sysadmin"])
    def test_a_platform_officers_change_is_approved(self, city: City, who: str):
        made = city.approved()
        mapping = {"fields": {"title": {"const": "演示"}}}
        assert city.call(who, "openhuizhou_source_patch", id=made["id"], mapping=mapping, priority=7)["approved"]

    def test_update_is_the_whole_source(self, city: City):
        made = city.source(schedule="0 3 * * *", contact_email="a@example.org", active=False)
        values = city.values(id=made["id"], name=made["name"])
        changed = city.call("editor", "openhuizhou_source_update", **values)
        assert (changed["schedule"], changed["contact_email"], changed["active"]) == (None, None, True)
        assert changed["title"] == values["title"]

    def test_two_who_edit_at_once_do_not_overwrite_each_other(self, city: City):
        made = city.source()
        seen = made["modified"]
        city.call("editor", "openhuizhou_source_patch", id=made["id"], modified=seen, title="先改")
        for action, who in (("openhuizhou_source_patch", "admin"), ("openhuizhou_source_approve", "officer")):
            assert set(city.refusal(who, action, id=made["id"], modified=seen, title="后改")) == {"modified"}
        shown = city.call("editor", "openhuizhou_source_show", id=made["id"])
        assert (shown["title"], shown["approved"]) == ("先改", False)

    def test_what_was_remembered_of_another_address_is_forgotten(self, city: City):
        made = city.source()
        row = city.row(made)
        row.state, row.state_mapping = {"etag": "x"}, "digest"
        record = {
            "key": "A",
            "state": "refused",
            "last_result": "refused",
            "last_run_id": "",
            "kind_state": {"etag": "y"},
        }
        model.Session.add(Record(source_id=made["id"], **record))
        model.Session.commit()
        city.call("editor", "openhuizhou_source_patch", id=made["id"], title="标题")
        assert city.row(made).state == {"etag": "x"}
        config = {"url": "https://other.example.gov.cn/", "key": "id", "token": "another-token"}
        city.call("editor", "openhuizhou_source_patch", id=made["id"], config=config)
        assert (city.row(made).state, city.row(made).state_mapping) == ({}, None)
        assert model.Session.get_one(Record, (made["id"], "A")).kind_state == {}

    def test_the_address_stays_while_a_run_is_under_way(self, city: City):
        made = city.source()
        run_id, _new = lease.queue(made["id"])
        held = lease.claim(run_id)
        assert held is not None
        config = {"url": "https://other.example.gov.cn/", "key": "id", "token": "another-token"}
        assert city.refusal("editor", "openhuizhou_source_patch", id=made["id"], config=config).keys() == {"config"}
        assert city.call("editor", "openhuizhou_source_patch", id=made["id"], title="标题")["title"] == "标题"
        held.finish("done")
        model.Session.commit()
        assert (
            city.call("editor", "openhuizhou_source_patch", id=made["id"], config=config)["config"]["url"]
            == config["url"]
        )

    def test_a_source_can_be_stopped_whatever_has_become_of_its_kind(self, city: City):
        made = city.source()
        model.Session.execute(
            sa.update(Source).where(Source.id == made["id"]).values(config={"old": 1}, mapping={"old": 1})
        )
        model.Session.commit()
        assert city.call("editor", "openhuizhou_source_patch", id=made["id"], active=False)["active"] is False

    def test_a_new_schedule_is_planned_anew(self, city: City):
        made = city.source(schedule="0 3 * * *")
        row = city.row(made)
        row.next_run = row.modified
        model.Session.commit()
        city.call("editor", "openhuizhou_source_patch", id=made["id"], schedule="0 4 * * *")
        assert city.row(made).next_run is None


class TestWhatBelongsToTheOperator:
    @pytest.mark.parametrize(
        "config",
        [
            {"url": "${jiaotongju.url}/x", "key": "id"},
            {"url": "https://a.example/?t=${jiaotongju.token}", "key": "id"},
            {"url": "https://a.example/", "key": "id", "token": "${jiaotongju.token}"},
            {"url": "https://a.example/", "key": "id", "data": {"url": "https://a.example/${jiaotongju.token}"}},
        ],
    )
    def test_only_a_platform_officer_uses_variables(self, city: City, config: dict[str, Any]):
        found = city.refusal("editor", "openhuizhou_source_create", **city.values(config=config))
        assert all(name.startswith("config.") for name in found)
        assert "${name}" in str(found)
        # the same goes for a look at what is not saved
        asked = {"kind": "json-api", "organization_id": city.own["id"], "config": config}
        assert city.refusal("editor", "openhuizhou_source_test", **asked).keys() == found.keys()

    def test_a_variable_that_stands_there_stays_but_goes_nowhere_else(self, city: City):
        config = {"url": "${huanbaoju.url}/catalog", "key": "id", "token": "${huanbaoju.token}"}
        made = city.source("officer", config=config)
        shown = city.call("editor", "openhuizhou_source_show", id=made["id"])["config"]
        assert shown == config
        kept = city.call("editor", "openhuizhou_source_patch", id=made["id"], config={**shown, "records": "list"})
        assert kept["config"]["records"] == "list"
        for elsewhere in ({"url": "https://evil.example/catalog"}, {"data": {"url": "https://evil.example/"}}):
            given = {"id": made["id"], "config": {**shown, **elsewhere}}
            for action in ("openhuizhou_source_patch", "openhuizhou_source_test", "openhuizhou_source_preview"):
                assert set(city.refusal("editor", action, **given)) == {"config.token"}

    @pytest.mark.parametrize("url", ["/srv/drops/minzhengju", "file:///srv/drops", "drops", "../x"])
    def test_only_a_platform_officer_names_a_folder_of_the_machine(self, city: City, url: str):
        values = city.values(kind="csv", config={"url": url})
        assert set(city.refusal("editor", "openhuizhou_source_create", **values)) == {"config.url"}
        assert city.call("officer", "openhuizhou_source_create", **values)["config"] == {"url": url}


class TestDelete:
    def test_a_source_of_which_nothing_is_published_goes_with_its_records_and_leaves_a_trace(self, city: City):
        made = city.source()
        model.Session.add(Record(source_id=made["id"], key="A", state="refused", last_result="refused", last_run_id=""))
        model.Session.commit()
        city.call("editor", "openhuizhou_source_delete", id=made["name"])
        with pytest.raises(tk.ObjectNotFound):
            city.call("officer", "openhuizhou_source_show", id=made["id"])
        assert model.Session.get(Record, (made["id"], "A")) is None
        last = city.call("auditor", "openhuizhou_source_change_list", limit=1)["results"][0]
        assert (last["action"], last["source"], last["changed_by"]) == ("deleted", made["name"], city.people["editor"])

    def test_published_entries_keep_it(self, city: City):
        made = city.source()
        context = {"user": city.people["sysadmin"]}
        entry = complete_entry(owner_org=city.own["id"], title="留下的数据", entry_state="published")
        package = tk.get_action("package_create")(context, entry)
        record = {"state": "published", "last_result": "added", "last_run_id": "", "dataset_id": package["id"]}
        model.Session.add(Record(source_id=made["id"], key="A", **record))
        model.Session.commit()
        found = city.refusal("editor", "openhuizhou_source_delete", id=made["id"])
        assert "1" in found["message"][0]
        # nor may an unapproved source change what visitors see
        assert "source_id" in city.refusal("editor", "openhuizhou_harvest_run", source_id=made["id"])
        assert city.call("editor", "openhuizhou_harvest_run", source_id=made["id"], mode="dry")["mode"] == "dry"

    def test_a_run_under_way_keeps_it(self, city: City):
        made = city.source()
        run = city.call("editor", "openhuizhou_harvest_run", source_id=made["id"])
        assert "message" in city.refusal("editor", "openhuizhou_source_delete", id=made["id"])
        city.call("editor", "openhuizhou_harvest_run_control", id=run["id"], action="cancel")
        city.call("editor", "openhuizhou_source_delete", id=made["id"])


class TestChanges:
    def test_who_changed_what_is_kept_by_path_and_secrets_by_name(self, city: City):
        made = city.source()
        config = {**made["config"], "records": "data.list", "token": "another-token"}
        city.call("admin", "openhuizhou_source_patch", id=made["id"], config=config, title="新标题")
        city.call("officer", "openhuizhou_source_approve", id=made["id"])
        found = city.call("member", "openhuizhou_source_change_list", id=made["name"])
        assert [(one["action"], one["changed_by"]) for one in found["results"]] == [
            ("approved", city.people["officer"]),
            ("updated", city.people["admin"]),
            ("created", city.people["editor"]),
        ]
        changes = {change["field"]: (change["before"], change["after"]) for change in found["results"][1]["changes"]}
        assert changes == {
            "title": (made["title"], "新标题"),
            "config.records": ("list", "data.list"),
            "secrets.token": ("***", "***"),
        }
        assert {"field": "secrets.token", "before": None, "after": "***"} in found["results"][2]["changes"]
        assert TOKEN not in str(found)

    def test_approving_twice_is_approving_once(self, city: City):
        made = city.approved()
        assert city.call("sysadmin", "openhuizhou_source_approve", id=made["id"]) == made
