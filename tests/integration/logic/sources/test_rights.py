"""Who may what, as one table: every role, every action, on sources of the own department, of another, and of none."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model

from ckanext.openhuizhou.harvesters import lease

from .conftest import City

ROLES = ("anonymous", "citizen", "member", "editor", "admin", "other", "auditor", "officer", "sysadmin")
NOBODY: set[str] = set()
OFFICERS = {"officer", "sysadmin"}
SEES_ALL = OFFICERS | {"auditor"}
SEES_OWN = SEES_ALL | {"member", "editor", "admin"}
EDITS_OWN = OFFICERS | {"editor", "admin"}
EDITS_ANYWHERE = EDITS_OWN | {"other"}
OFFICIALS = SEES_OWN | {"other"}

#: action → its parameters for a source or its run; who may on the own department's, another's, what is not there
TABLE: dict[str, tuple[dict[str, str], set[str], set[str], set[str]]] = {
    "openhuizhou_source_show": ({"id": "source"}, SEES_OWN, SEES_ALL | {"other"}, SEES_ALL),
    "openhuizhou_source_change_list": ({"id": "source"}, SEES_OWN, SEES_ALL | {"other"}, SEES_ALL),
    "openhuizhou_source_update": ({"id": "source"}, EDITS_OWN, OFFICERS | {"other"}, OFFICERS),
    "openhuizhou_source_patch": ({"id": "source"}, EDITS_OWN, OFFICERS | {"other"}, OFFICERS),
    "openhuizhou_source_delete": ({"id": "source"}, EDITS_OWN, OFFICERS | {"other"}, OFFICERS),
    "openhuizhou_source_test": ({"id": "source"}, EDITS_OWN, OFFICERS | {"other"}, OFFICERS),
    "openhuizhou_source_preview": ({"id": "source"}, EDITS_OWN, OFFICERS | {"other"}, OFFICERS),
    "openhuizhou_source_approve": ({"id": "source"}, OFFICERS, OFFICERS, OFFICERS),
    "openhuizhou_source_create": ({"organization_id": "department"}, EDITS_OWN, OFFICERS | {"other"}, OFFICERS),
    "openhuizhou_harvest_run": ({"source_id": "source"}, EDITS_OWN, OFFICERS | {"other"}, OFFICERS),
    "openhuizhou_harvest_run_list": ({"source_id": "source"}, SEES_OWN, SEES_ALL | {"other"}, SEES_ALL),
    "openhuizhou_harvest_run_show": ({"id": "run"}, SEES_OWN, SEES_ALL | {"other"}, SEES_ALL),
    "openhuizhou_harvest_run_differences": ({"id": "run"}, SEES_OWN, SEES_ALL | {"other"}, SEES_ALL),
    "openhuizhou_harvest_run_control": ({"id": "run"}, EDITS_OWN, OFFICERS | {"other"}, OFFICERS),
    "openhuizhou_harvest_run_decide": ({"id": "run"}, OFFICERS, OFFICERS, OFFICERS),
    "openhuizhou_record_list": ({"source_id": "source"}, SEES_OWN, SEES_ALL | {"other"}, SEES_ALL),
    "openhuizhou_record_accept_columns": ({"source_id": "source"}, OFFICERS, OFFICERS, OFFICERS),
}
#: actions that are about no source, and who may
WITHOUT_SOURCE = {
    "openhuizhou_source_kinds": OFFICIALS,
    "openhuizhou_source_list": OFFICIALS,
    "openhuizhou_source_change_list": SEES_ALL,
    "openhuizhou_harvest_run_list": OFFICIALS,
    "openhuizhou_source_create": EDITS_ANYWHERE,
    "openhuizhou_source_test": EDITS_ANYWHERE,
    "openhuizhou_source_preview": EDITS_ANYWHERE,
    "openhuizhou_mapping_check": OFFICIALS,
    "openhuizhou_mapping_try": EDITS_ANYWHERE,
    "openhuizhou_reconcile_status": SEES_ALL,
}
ACTIONS = sorted({*TABLE, *WITHOUT_SOURCE})


@pytest.fixture(scope="module")
def things(city: City) -> dict[str, dict[str, str]]:
    """Id of a source, a run and a department: the own ones, the other's, and of what is not there."""
    found = {}
    for whose, organization, who in (("own", city.own, "editor"), ("other", city.other, "other")):
        source = city.source(who, organization_id=organization["id"])
        run_id, _new = lease.queue(source["id"])
        found[whose] = {"source": source["id"], "run": run_id, "department": organization["id"]}
    model.Session.commit()
    return found | {"none": {"source": "nowhere", "run": "nowhere", "department": "nowhere"}}


def may(city: City, action: str, data: dict[str, Any]) -> set[str]:
    allowed = set()
    for who in ROLES:
        try:
            tk.check_access(action, {"user": city.people[who], "model": model}, dict(data))
        except tk.NotAuthorized:
            continue
        allowed.add(who)
    return allowed


class TestTable:
    @pytest.mark.parametrize("whose", ["own", "other", "none"])
    @pytest.mark.parametrize("action", sorted(TABLE))
    def test_who_may(self, city: City, things: dict[str, dict[str, str]], action: str, whose: str):
        parameters, *allowed = TABLE[action]
        data = {name: things[whose][thing] for name, thing in parameters.items()}
        assert may(city, action, data) == allowed[["own", "other", "none"].index(whose)]

    @pytest.mark.parametrize("action", sorted(WITHOUT_SOURCE))
    def test_who_may_without_a_source(self, city: City, action: str):
        assert may(city, action, {}) == WITHOUT_SOURCE[action]

    @pytest.mark.parametrize("data", [{"id": None}, {"id": ["x"]}, {"id": {"a": 1}}, {"id": 7}, {"source_id": ["x"]}])
    @pytest.mark.parametrize("action", ACTIONS)
    def test_strange_parameters_give_nobody_more(self, city: City, action: str, data: dict[str, Any]):
        allowed = may(city, action, data)
        assert allowed <= WITHOUT_SOURCE.get(action, NOBODY) | SEES_ALL


class TestActions:
    @pytest.mark.parametrize("action", ACTIONS)
    def test_each_asks_for_the_right_before_anything_else(self, city: City, action: str):
        for who in ("anonymous", "citizen"):
            with pytest.raises(tk.NotAuthorized):
                city.call(who, action)

    @pytest.mark.parametrize("action", sorted(TABLE))
    def test_what_is_not_there_is_told_only_to_who_may_know(self, city: City, action: str):
        parameters, _own, _other, knowing = TABLE[action]
        if action == "openhuizhou_source_create":
            assert "organization_id" in city.refusal("officer", action, **city.values(organization_id="nowhere"))
            return
        data = dict.fromkeys(parameters, "nowhere")
        more = {"action": "pause", "decision": "refused", "key": "x"}
        with pytest.raises(tk.ObjectNotFound):
            city.call("officer", action, **(data if "differences" in action else more | data))
        for who in set(ROLES) - knowing:
            with pytest.raises(tk.NotAuthorized):
                city.call(who, action, **data)

    def test_a_source_is_not_given_to_a_department_where_one_does_not_edit(self, city: City, things: Any):
        with pytest.raises(tk.NotAuthorized):
            city.call("editor", "openhuizhou_source_patch", id=things["own"]["source"], organization_id="jiaotongju")
        with pytest.raises(tk.NotAuthorized):
            city.call("editor", "openhuizhou_source_test", id=things["own"]["source"], organization_id="jiaotongju")

    def test_lists_hold_what_is_theirs(self, city: City, things: Any):
        for who in SEES_ALL:
            found = {source["id"] for source in city.call(who, "openhuizhou_source_list")}
            assert {things["own"]["source"], things["other"]["source"]} <= found
        for who, whose in (("member", "own"), ("editor", "own"), ("other", "other")):
            organizations = {source["organization_id"] for source in city.call(who, "openhuizhou_source_list")}
            assert organizations == {things[whose]["department"]}
            runs = city.call(who, "openhuizhou_harvest_run_list")["results"]
            assert {run["organization_id"] for run in runs} == {things[whose]["department"]}
