"""Codes, fields, departments and roles as the API gives them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
import pytest

from ckanext.openhuizhou.domain.credit_code import demo_credit_code
from ckanext.openhuizhou.domain.roles import ROLES
from ckanext.openhuizhou.model import role

Values = Callable[..., dict[str, Any]]


class TestCatalogueCodeShow:
    def test_leads_from_a_code_to_its_entry(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        shown = site.act("visitor", "openhuizhou_catalogue_code_show", code=entry["catalogue_code"])
        assert (shown["package_id"], shown["name"], shown["title"]) == (entry["id"], entry["name"], entry["title"])
        assert shown["organization"] == {"name": "huanbaoju", "title": "惠州市环境保护局"}
        assert [node["label"]["zh"] for node in shown["classification"]] == ["主题信息资源", "生态环保", "环境质量"]

    def test_of_a_draft_is_nothing_to_a_visitor(self, site: Any, values: Values):
        code = site.act("officer", "package_create", **values())["catalogue_code"]
        assert site.act("officer", "openhuizhou_catalogue_code_show", code=code)["entry_state"] == "draft"
        for who in ("visitor", "citizen"):
            with pytest.raises(tk.ObjectNotFound):
                site.act(who, "openhuizhou_catalogue_code_show", code=code)

    @pytest.mark.parametrize("code", ["211001/987654", "x", "' OR 1=1"])
    def test_of_a_code_that_nobody_has_is_not_found(self, site: Any, code: str):
        with pytest.raises(tk.ObjectNotFound):
            site.act("visitor", "openhuizhou_catalogue_code_show", code=code)

    def test_without_a_code_is_a_mistake(self, site: Any):
        with pytest.raises(tk.ValidationError):
            site.act("visitor", "openhuizhou_catalogue_code_show")


class TestThemeList:
    def test_counts_what_the_caller_sees(self, site: Any, values: Values):
        def count(who: str) -> int:
            lists = site.act(who, "openhuizhou_theme_list")
            return {theme["key"]: theme["count"] for each in lists for theme in each["themes"]}["geospatial"]

        before = count("visitor")
        site.act("platform", "package_create", **values(theme="geospatial", entry_state="published"))
        site.act("platform", "package_create", **values(theme="geospatial"))
        closed = values(theme="geospatial", open_type="none", open_condition="依据（演示）", entry_state="published")
        site.act("platform", "package_create", **closed)
        assert count("visitor") == before + 1

    def test_has_the_two_lists_in_order(self, site: Any):
        lists = site.act("visitor", "openhuizhou_theme_list")
        assert [(each["key"], len(each["themes"])) for each in lists] == [("social-governance", 11), ("livelihood", 12)]
        assert lists[1]["themes"][0]["label"] == {"en": "Transport", "zh": "交通运输"}


class TestDepartmentList:
    def test_counts_what_is_open_by_department(self, site: Any, values: Values):
        def count() -> int:
            return {each["name"]: each["count"] for each in site.act("visitor", "openhuizhou_department_list")}[
                "elsewhere"
            ]

        before = count()
        elsewhere = site.organizations["elsewhere"]["id"]
        site.act("platform", "package_create", **values(owner_org=elsewhere, entry_state="published"))
        site.act("platform", "package_create", **values(owner_org=elsewhere))
        assert count() == before + 1

    def test_says_level_region_and_parent(self, site: Any):
        made = site.act(
            "sysadmin", "organization_create", name="county-one", title="演示甲县人民政府", short_name="甲县",
            level="county", region="441322", credit_code="11441322DEM003848H", credit_code_demo=True,
            groups=[{"name": "elsewhere"}],
        )  # fmt: skip
        counties = site.act("visitor", "openhuizhou_department_list", level="county")
        assert {each["level"] for each in counties} == {"county"}
        (shown,) = [each for each in counties if each["name"] == "county-one"]
        assert shown | {"count": 0} == {
            "id": made["id"],
            "name": "county-one",
            "title": "演示甲县人民政府",
            "short_name": "甲县",
            "level": "county",
            "region": "441322",
            "credit_code": "11441322DEM003848H",
            "credit_code_demo": True,
            "parent": "elsewhere",
            "count": 0,
        }

    def test_of_an_unknown_level_is_a_mistake(self, site: Any):
        with pytest.raises(tk.ValidationError):
            site.act("visitor", "openhuizhou_department_list", level="village")


class TestOrganization:
    @pytest.mark.parametrize(
        ("name", "value"), [("credit_code", "11441322DEM0038480"), ("level", "village"), ("region", "440100")]
    )
    def test_with_a_wrong_value_is_refused_beside_its_field(self, site: Any, name: str, value: str):
        with pytest.raises(tk.ValidationError) as caught:
            site.act("sysadmin", "organization_create", name="wrong-one", title="错的", **{name: value})
        assert set(caught.value.error_dict) == {name}

    def test_keeps_parent_level_and_the_mark_of_a_made_up_code_when_its_form_is_sent(self, site: Any):
        code = demo_credit_code("441323", "383")
        made = site.act(
            "sysadmin", "organization_create", name="county-two", title="演示乙县人民政府", level="county",
            region="441323", credit_code=code, groups=[{"name": "elsewhere"}],
        )  # fmt: skip
        assert made["credit_code_demo"] is True
        address = "/organization/edit/county-two"
        form = {
            "title": "演示乙县 人民政府",
            "name": "county-two",
            "level": "county",
            "region": "441323",
            "credit_code": code,
        }
        sent = site.post("sysadmin", address, {**form, "save": ""})
        assert sent.status_code == 302
        (shown,) = [each for each in site.act("visitor", "openhuizhou_department_list") if each["name"] == "county-two"]
        assert (shown["title"], shown["parent"], shown["level"]) == ("演示乙县 人民政府", "elsewhere", "county")
        assert shown["credit_code_demo"] is True

    def test_with_a_real_code_bears_no_mark(self, site: Any):
        real = "91350100M000100Y43"  # the example of GB 32100-2015
        made = site.act(
            "sysadmin", "organization_create", name="real", title="演示单位", credit_code=real, credit_code_demo=True
        )
        assert made["credit_code_demo"] is False


class TestRoles:
    def test_are_granted_and_revoked_and_listed(self, site: Any, caplog: pytest.LogCaptureFixture):
        user = site.users["citizen"]
        with caplog.at_level(logging.INFO, "ckanext.openhuizhou.logic.action.role"):
            granted = site.act("sysadmin", "openhuizhou_role_grant", user=user["name"], role="auditor")
            assert granted == {"user_id": user["id"], "user_name": user["name"], "role": "auditor", "changed": True}
            assert site.act("sysadmin", "openhuizhou_role_grant", user=user["id"], role="auditor")["changed"] is False
        assert sum("auditor granted" in line for line in caplog.messages) == 1
        with site.app.flask_app.test_request_context():
            assert role.roles_of(user["id"]) == {"auditor"}
            assert role.has_role(user["id"], "auditor")
            assert not role.has_role(user["id"], "platform_officer")
        listed = site.act("citizen", "openhuizhou_role_list")
        assert (user["name"], "auditor") in [(each["user_name"], each["role"]) for each in listed]
        assert site.act("sysadmin", "openhuizhou_role_revoke", user=user["name"], role="auditor")["changed"] is True
        assert site.act("sysadmin", "openhuizhou_role_revoke", user=user["name"], role="auditor")["changed"] is False
        with pytest.raises(tk.NotAuthorized):
            site.act("citizen", "openhuizhou_role_list")

    @pytest.mark.parametrize("who", ["visitor", "citizen", "officer", "reviewer", "platform"])
    @pytest.mark.parametrize("action_name", ["openhuizhou_role_grant", "openhuizhou_role_revoke"])
    def test_are_a_sysadmins_to_give(self, site: Any, who: str, action_name: str):
        with pytest.raises(tk.NotAuthorized):
            site.act(who, action_name, user=site.users["officer"]["name"], role="platform_officer")

    @pytest.mark.parametrize(("user", "name"), [("nobody-there", ROLES[0]), (None, ROLES[0]), ("citizen", "king")])
    def test_of_unknown_people_or_kinds_are_mistakes(self, site: Any, user: str | None, name: str):
        wanted = site.users["citizen"]["name"] if user == "citizen" else user
        with pytest.raises(tk.ValidationError):
            site.act("sysadmin", "openhuizhou_role_grant", user=wanted, role=name)

    def test_of_a_user_who_is_deleted_count_for_nothing(self, site: Any):
        user = site.act("sysadmin", "user_create", name="gone-soon", email="gone@example.com", password="Demo-12345")
        site.act("sysadmin", "openhuizhou_role_grant", user=user["id"], role="platform_officer")
        site.act("sysadmin", "user_delete", id=user["id"])
        with site.app.flask_app.test_request_context():
            assert role.roles_of(user["id"]) == frozenset()
