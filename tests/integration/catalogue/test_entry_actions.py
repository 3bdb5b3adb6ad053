"""Entries through CKAN's own actions, and their two steps."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model

from ckanext.openhuizhou.domain.city_time import today
from ckanext.openhuizhou.model import catalogue

Values = Callable[..., dict[str, Any]]


def mistakes(site: Any, who: str, action_name: str, /, **params: Any) -> dict[str, Any]:
    with pytest.raises(tk.ValidationError) as caught:
        site.act(who, action_name, **params)
    return caught.value.error_dict


class TestPackageCreate:
    def test_a_draft_gets_a_code_and_a_name_made_of_it(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        assert re.fullmatch(r"211001/\d+", entry["catalogue_code"])
        assert entry["name"] == entry["catalogue_code"].replace("/", "-")
        assert (entry["entry_state"], entry["state"], entry["private"]) == ("draft", "draft", True)
        assert "issued" not in entry
        assert [item["column"] for item in entry["items"]][:2] == ["section_code", "section_name"]
        assert entry["items"][0]["length"] == 20
        assert entry["items"][0]["is_key"] is True

    def test_a_draft_needs_nothing_but_its_provider_and_a_title(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", title="噪声监测点位", owner_org="huanbaoju")
        assert entry["category"] == "313001"
        assert entry["catalogue_code"].startswith("313001/")

    def test_a_provider_outside_the_directory_files_under_the_city(self, site: Any):
        entry = site.act("platform", "package_create", title="别处的条目", owner_org="elsewhere")
        assert entry["category"] == "300001"

    def test_a_typed_code_is_refused_and_a_typed_name_is_not_used(self, site: Any, values: Values):
        assert "catalogue_code" in mistakes(site, "officer", "package_create", **values(catalogue_code="211001/999"))
        assert site.act("officer", "package_create", **values(name="my-name"))["name"] != "my-name"

    def test_a_wrong_one_names_every_field_and_cell(self, site: Any, values: Values):
        wrong = values(title="监测系统", share_way="database", notes=None, entry_state="published")
        wrong["items"][3]["column"] = "水质"
        wrong["items"][4]["length"] = "3位"
        found = mistakes(site, "platform", "package_create", **wrong)
        assert set(found) == {"title", "share_way", "notes", "items"}
        assert [set(row) for row in found["items"]] == [set(), set(), set(), {"column"}, {"length"}]

    def test_a_refused_one_takes_no_number(self, site: Any, values: Values):
        first = site.act("officer", "package_create", **values(category="211002"))
        mistakes(site, "officer", "package_create", **values(category="211002", data_level="core"))
        second = site.act("officer", "package_create", **values(category="211002"))
        numbers = [int(entry["catalogue_code"].split("/")[1]) for entry in (first, second)]
        assert numbers[1] == numbers[0] + 1

    def test_a_department_publishes_nothing(self, site: Any, values: Values):
        for who in ("officer", "reviewer"):
            assert set(mistakes(site, who, "package_create", **values(entry_state="published"))) == {"entry_state"}

    def test_the_platform_officer_publishes_at_once_for_any_department(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        assert (entry["state"], entry["private"], entry["issued"]) == ("active", False, today().isoformat())

    def test_what_is_not_open_is_private_though_published(self, site: Any, values: Values):
        closed = values(open_type="none", open_condition="保密规定（演示）", entry_state="published")
        assert site.act("platform", "package_create", **closed)["private"] is True

    @pytest.mark.parametrize("typed", [{"private": False}, {"state": "active"}, {"issued": "2018-01-01"}])
    def test_what_is_derived_cannot_be_typed(self, site: Any, values: Values, typed: dict[str, Any]):
        entry = site.act("officer", "package_create", **values(**typed))
        assert (entry["state"], entry["private"], entry.get("issued")) == ("draft", True, None)

    @pytest.mark.parametrize("who", ["citizen", "neighbour"])
    def test_nobody_files_for_another_department(self, site: Any, values: Values, who: str):
        with pytest.raises(tk.NotAuthorized):
            site.act(who, "package_create", **values())

    def test_related_codes_must_exist(self, site: Any, values: Values):
        code = site.act("officer", "package_create", **values())["catalogue_code"]
        assert site.act("officer", "package_create", **values(related_codes=[code]))["related_codes"] == [code]
        assert "related_codes" in mistakes(site, "officer", "package_create", **values(related_codes=f"{code} 9/9"))

    def test_unknown_parts_of_an_item_are_not_stored(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values(items=[{"name": "值", "column": "v", "odd": {"a": 1}}]))
        assert entry["items"] == [{"name": "值", "column": "v"}]

    @pytest.mark.parametrize("items", ["text", [["a"]], {"name": "a"}, ["a"]])
    def test_items_that_are_no_list_of_items_are_a_mistake(self, site: Any, values: Values, items: Any):
        assert "items" in mistakes(site, "officer", "package_create", **values(items=items))

    def test_five_hundred_items_are_stored_in_order(self, site: Any, values: Values):
        items = [{"name": f"第{n}列", "column": f"c{n}", "data_type": "string"} for n in range(500)]
        entry = site.act("platform", "package_create", **values(items=items, entry_state="published"))
        assert [item["column"] for item in entry["items"]] == [f"c{n}" for n in range(500)]


class TestPackageUpdate:
    def test_code_and_name_stay_when_category_and_title_change(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        changed = site.act("officer", "package_update", **values(id=entry["id"], category="211002", name="other"))
        assert changed["category"] == "211002"
        assert (changed["name"], changed["catalogue_code"]) == (entry["name"], entry["catalogue_code"])

    def test_a_department_edits_its_draft_and_not_what_is_published(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        site.act("officer", "package_patch", id=entry["id"], notes="改过")
        site.act("platform", "openhuizhou_entry_publish", id=entry["id"])
        for action_name in ("package_patch", "package_delete"):
            with pytest.raises(tk.NotAuthorized):
                site.act("officer", action_name, id=entry["id"], notes="再改")
        assert site.act("platform", "package_patch", id=entry["id"], notes="再改")["notes"] == "再改"

    def test_a_published_entry_stays_complete(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        assert set(mistakes(site, "platform", "package_patch", id=entry["id"], notes="")) == {"notes"}

    def test_the_date_of_publication_stays(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        changed = site.act("platform", "package_patch", id=entry["id"], issued="2018-01-01", notes="改过")
        assert changed["issued"] == entry["issued"]

    def test_nobody_sets_private_in_bulk(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        for who in ("reviewer", "platform", "sysadmin"):
            with pytest.raises(tk.NotAuthorized):
                site.act(who, "bulk_update_public", org_id=entry["owner_org"], datasets=[entry["id"]])

    def test_a_deleted_entry_stays_deleted_when_it_is_changed(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        site.act("officer", "package_delete", id=entry["id"])
        assert site.act("sysadmin", "package_patch", id=entry["id"], notes="改过")["state"] == "deleted"
        assert site.act("sysadmin", "package_patch", id=entry["id"], state="active")["state"] == "draft"


class TestEntryPublish:
    def test_makes_a_complete_draft_public(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        published = site.act("platform", "openhuizhou_entry_publish", id=entry["name"])
        assert (published["entry_state"], published["state"], published["private"]) == ("published", "active", False)
        assert published["issued"] == today().isoformat()
        assert site.act("visitor", "package_show", id=entry["name"])["items"] == entry["items"]

    def test_says_what_is_missing_and_leaves_the_draft(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values(theme=None, items=None))
        assert set(mistakes(site, "platform", "openhuizhou_entry_publish", id=entry["id"])) == {"theme", "items"}
        assert site.act("officer", "package_show", id=entry["id"])["entry_state"] == "draft"

    @pytest.mark.parametrize("who", ["visitor", "citizen", "officer", "reviewer", "neighbour"])
    def test_is_the_platform_officers(self, site: Any, values: Values, who: str):
        entry = site.act("officer", "package_create", **values())
        with pytest.raises(tk.NotAuthorized):
            site.act(who, "openhuizhou_entry_publish", id=entry["id"])

    def test_of_nothing_is_a_mistake(self, site: Any):
        assert "id" in mistakes(site, "platform", "openhuizhou_entry_publish", id="nothing-there")
        assert "id" in mistakes(site, "platform", "openhuizhou_entry_publish")

    def test_leaves_an_activity(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        site.act("platform", "openhuizhou_entry_publish", id=entry["id"])
        activities = site.act("sysadmin", "package_activity_list", id=entry["id"])
        assert activities[0]["user_id"] == site.users["platform"]["id"]


class TestEntryWithdraw:
    def test_takes_an_entry_out_of_sight_and_keeps_its_code(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        gone = site.act("platform", "openhuizhou_entry_withdraw", id=entry["id"], reason="数据有误")
        assert (gone["entry_state"], gone["state"], gone["private"]) == ("withdrawn", "active", True)
        assert (gone["withdraw_reason"], gone["withdrawn_on"]) == ("数据有误", today().isoformat())
        assert gone["catalogue_code"] == entry["catalogue_code"]
        with pytest.raises(tk.NotAuthorized):
            site.act("visitor", "package_show", id=entry["id"])

    def test_is_undone_by_publishing(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        site.act("platform", "openhuizhou_entry_withdraw", id=entry["id"], reason="数据有误")
        back = site.act("platform", "openhuizhou_entry_publish", id=entry["id"])
        assert (back["entry_state"], back["private"]) == ("published", False)
        assert "withdraw_reason" not in back
        assert "withdrawn_on" not in back

    def test_asks_for_a_reason(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        for reason in ("", "  "):
            found = mistakes(site, "platform", "openhuizhou_entry_withdraw", id=entry["id"], reason=reason)
            assert set(found) == {"reason"}

    def test_of_a_draft_is_no_step(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        found = mistakes(site, "platform", "openhuizhou_entry_withdraw", id=entry["id"], reason="数据有误")
        assert set(found) == {"entry_state"}


class TestApprovedSource:
    def test_writes_without_committing_and_is_undone_whole(self, site: Any, values: Values):
        context: Any = {
            "user": site.users["sysadmin"]["name"],
            "ignore_auth": True,
            "openhuizhou_approved_source": True,
            "defer_commit": True,
            "return_id_only": True,
        }
        entry = values(entry_state="published")
        with site.app.flask_app.test_request_context():
            package_id = tk.get_action("package_create")(dict(context), dict(entry))
            assert catalogue.title_holder(entry["owner_org"], "地表水水质月报") is None
            model.Session.rollback()
            assert model.Package.get(package_id) is None
            again = tk.get_action("package_create")(dict(context), dict(entry))
            model.Session.commit()
            stored = model.Package.get(again)
            assert stored is not None
            assert (stored.extras["entry_state"], stored.private) == ("published", False)

    def test_a_dry_run_takes_no_number(self, site: Any, values: Values):
        first = site.act("officer", "package_create", **values(category="209003"))
        with site.app.flask_app.test_request_context():
            context: Any = {
                "user": site.users["sysadmin"]["name"],
                "ignore_auth": True,
                "openhuizhou_dry_run": True,
                "defer_commit": True,
                "return_id_only": True,
            }
            dry = values(category="209003", name="dry-run")
            tk.get_action("package_create")(context, dry)
            model.Session.rollback()
        second = site.act("officer", "package_create", **values(category="209003"))
        assert [first["catalogue_code"], second["catalogue_code"]] == ["209003/1", "209003/2"]


class TestApplication:
    def test_is_submitted_by_any_user_and_published_by_the_platform_officer(self, site: Any):
        made = site.act(
            "citizen", "package_create", type="application", title="公交到站", notes="查公交", developer="演示开发者"
        )
        assert re.fullmatch(r"app-\d+", made["name"])
        assert (made["entry_state"], made["state"]) == ("draft", "draft")
        published = site.act("platform", "openhuizhou_entry_publish", id=made["id"])
        assert (published["state"], published["private"], published["issued"]) == ("active", False, today().isoformat())

    @pytest.mark.parametrize("who", ["citizen", "sysadmin"])
    def test_takes_no_files_and_no_tables(self, site: Any, who: str):
        wanted = {"type": "application", "title": "公交到站", "notes": "查公交", "developer": "演示开发者"}
        file = {"url": "https://example.org/a.csv", "name": "a"}
        assert set(mistakes(site, who, "package_create", **wanted, resources=[file])) == {"resources"}
        made = site.act(who, "package_create", **wanted)
        assert set(mistakes(site, who, "resource_create", package_id=made["id"], **file)) == {"url"}
        table = {"resource": {"package_id": made["id"]}, "fields": [{"id": "a", "type": "text"}]}
        assert "url" in mistakes(site, who, "datastore_create", **table)
        assert site.act(who, "package_show", id=made["id"])["resources"] == []

    def test_needs_a_name_a_text_and_a_developer(self, site: Any):
        found = mistakes(site, "citizen", "package_create", type="application")
        assert {"title", "notes", "developer"} <= set(found)

    def test_is_not_published_by_whoever_made_it(self, site: Any):
        found = mistakes(
            site, "citizen", "package_create", type="application", title="a", notes="b", developer="c",
            entry_state="published",
        )  # fmt: skip
        assert set(found) == {"entry_state"}

    def test_is_not_submitted_by_a_visitor(self, site: Any):
        with pytest.raises(tk.NotAuthorized):
            site.act("visitor", "package_create", type="application", title="a", notes="b", developer="c")
