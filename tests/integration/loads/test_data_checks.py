"""Checks of what an editor brings: who sees what they found, who decides, who says how strict they are."""

from __future__ import annotations

import csv
import io
from typing import Any

import ckan.plugins.toolkit as tk
import pytest

from .conftest import HEADER, ITEMS, Bureau, leftovers, live, rows

TWICE = HEADER + "001,一号,7.5\n001,一号,8.5\n=1+1,二号,\n"
ROLES = ("visitor", "citizen", "neighbour", "member", "editor", "platform", "sysadmin")


def allowed(bureau: Bureau, who: str, action: str, **params: Any) -> bool:
    try:
        bureau.act(who, action, **params)
    except tk.NotAuthorized:
        return False
    except tk.ValidationError:
        return True
    return True


@pytest.fixture
def held(bureau: Bureau, resource_id: str) -> str:
    """A resource whose published table is good, and whose next one waits."""
    assert bureau.load(resource_id, rows(1, 2)).state == "done"
    job = bureau.load(resource_id, TWICE)
    assert (job.state, [finding["kind"] for finding in job.findings]) == ("held", ["row-key-duplicate", "table-held"])
    return resource_id


class TestWhoMay:
    @pytest.mark.parametrize("who", ROLES)
    def test_decide(self, bureau: Bureau, held: str, who: str):
        may = allowed(bureau, who, "openhuizhou_data_check_decide", resource_id=held, decision="?")
        assert may == (who in ("platform", "sysadmin"))

    @pytest.mark.parametrize("who", ROLES)
    def test_say_how_strict(self, bureau: Bureau, make_entry: Any, who: str):
        """As who may change the entry: its department a draft, an officer what is published."""
        for state, editors in (("draft", {"editor", "platform", "sysadmin"}), ("published", {"platform", "sysadmin"})):
            package_id = make_entry(entry_state=state)["id"]
            may = allowed(bureau, who, "openhuizhou_data_check_rules_update", package_id=package_id, rules=[])
            assert may == (who in editors)

    @pytest.mark.parametrize("who", ROLES)
    def test_see_rows_that_are_not_published(self, bureau: Bureau, held: str, who: str):
        found = bureau.act(who, "openhuizhou_data_check_show", resource_id=held)
        assert (found["verdict"], found["waiting"]) == ("held", True)
        assert found["results"][0]["count"] == 1
        sees = who in ("member", "editor", "platform", "sysadmin")
        assert bool(found["results"][0]["findings"]) == sees
        assert found["rows_hidden"] != sees
        address = f"/dataset/{found['package_id']}/resource/{held}/checks"
        assert bureau.call(who, f"{address}/bad-rows.csv").status_code == (200 if sees else 403)
        page = bureau.call(who, address)
        assert ("“001”" in page.body) == sees


class TestDecide:
    def test_publish(self, bureau: Bureau, held: str):
        before = live(held)
        found = bureau.act("platform", "openhuizhou_data_check_decide", resource_id=held, decision="publish")
        assert (found["decision"], found["waiting"]) == ("publish", False)
        assert found["decided_by"]
        assert len(live(held)) == 3 != len(before)
        shown = bureau.act("visitor", "package_show", id=found["package_id"])
        assert shown["row_count"] == 3
        assert leftovers(held) == []

    def test_discard(self, bureau: Bureau, held: str):
        before = live(held)
        bureau.act("platform", "openhuizhou_data_check_decide", resource_id=held, decision="discard")
        assert live(held) == before
        assert leftovers(held) == []
        assert bureau.load(held, TWICE).state == "refused"

    def test_only_once(self, bureau: Bureau, held: str):
        bureau.act("platform", "openhuizhou_data_check_decide", resource_id=held, decision="discard")
        with pytest.raises(tk.ValidationError):
            bureau.act("platform", "openhuizhou_data_check_decide", resource_id=held, decision="publish")

    def test_by_the_page(self, bureau: Bureau, held: str):
        entry = bureau.act("platform", "openhuizhou_data_check_show", resource_id=held)["package_id"]
        address = f"/dataset/{entry}/resource/{held}/checks"
        answer = bureau.call("editor", f"{address}/decide", method="post", data={"decision": "publish"})
        assert answer.status_code == 403
        answer = bureau.call("platform", f"{address}/decide", method="post", data={"decision": "publish"})
        assert answer.status_code == 302
        assert len(live(held)) == 3


class TestRules:
    def test_only_what_differs_is_a_change(self, bureau: Bureau, entry: dict[str, Any]):
        rules = [
            {"check": "length", "level": "warn", "threshold": "0"},
            {"check": "unique-key", "level": "refuse", "threshold": "0.02"},
        ]
        told = bureau.act("platform", "openhuizhou_data_check_rules_update", package_id=entry["name"], rules=rules)
        assert [(one["check"], one["level"], one["threshold"]) for one in told if one["changed"]] == [
            ("unique-key", "refuse", 0.02)
        ]
        assert bureau.act("visitor", "openhuizhou_data_check_rules", package_id=entry["id"]) == told

    def test_what_is_not_named_is_the_default_again(self, bureau: Bureau, entry: dict[str, Any]):
        rules = [{"check": "length", "level": "ignore"}]
        bureau.act("platform", "openhuizhou_data_check_rules_update", package_id=entry["id"], rules=rules)
        told = bureau.act("platform", "openhuizhou_data_check_rules_update", package_id=entry["id"], rules=[])
        assert not any(one["changed"] for one in told)

    @pytest.mark.parametrize(
        ("rule", "place"),
        [
            ({"check": "nothing", "level": "warn"}, "check"),
            ({"check": "type", "level": "ignore"}, "level"),
            ({"check": "length", "level": "loud"}, "level"),
            ({"check": "length", "level": "warn", "threshold": "1.5"}, "threshold"),
            ({"check": "length", "level": "warn", "threshold": "-1"}, "threshold"),
            ({"check": "length", "level": "warn", "threshold": "NaN"}, "threshold"),
            ({"check": "length", "level": "warn", "threshold": "many"}, "threshold"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(
        self, bureau: Bureau, entry: dict[str, Any], rule: dict[str, str], place: str
    ):
        with pytest.raises(tk.ValidationError) as caught:
            bureau.act("platform", "openhuizhou_data_check_rules_update", package_id=entry["id"], rules=[rule])
        assert place in caught.value.error_dict["rules"][0]

    def test_a_rule_decides_the_next_load(self, bureau: Bureau, entry: dict[str, Any], resource_id: str):
        rules = [{"check": "unique-key", "level": "warn"}]
        bureau.act("platform", "openhuizhou_data_check_rules_update", package_id=entry["id"], rules=rules)
        assert bureau.load(resource_id, TWICE).state == "done"
        found = bureau.act("visitor", "openhuizhou_data_check_show", resource_id=resource_id)
        assert found["verdict"] == "warned"
        assert found["results"][0]["findings"][0]["value"] == "001"

    def test_the_form(self, bureau: Bureau, entry: dict[str, Any], resource_id: str):
        address = f"/dataset/{entry['name']}/resource/{resource_id}/checks"
        form = {"level-length": "hold", "threshold-length": "7", "unit-length": "percent", "level-range": "ignore"}
        assert bureau.call("platform", f"{address}/rules", method="post", data=form).status_code == 302
        told = bureau.act("visitor", "openhuizhou_data_check_rules", package_id=entry["id"])
        changed = {one["check"]: (one["level"], one["threshold"]) for one in told if one["changed"]}
        assert changed == {"length": ("hold", 0.07), "range": ("ignore", 0)}
        assert 'value="7"' in bureau.call("platform", address).body
        bureau.call("platform", f"{address}/rules", method="post", data={**form, "default": "1"})
        told = bureau.act("visitor", "openhuizhou_data_check_rules", package_id=entry["id"])
        assert not any(one["changed"] for one in told)


class TestBadRows:
    def test_are_a_file_without_formulas(self, bureau: Bureau, make_entry: Any):
        items = [{**ITEMS[0], "is_key": False, "length": 3}, *ITEMS[1:]]
        entry = make_entry(items=items)
        resource_id = entry["resources"][0]["id"]
        bureau.load(resource_id, HEADER + "=1+1,一号,7.5\n编号20180001,二号,8\n")
        answer = bureau.call("visitor", f"/dataset/{entry['name']}/resource/{resource_id}/checks/bad-rows.csv")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Cache-Control"].startswith("private")
        _header, first, second = csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff")))
        assert first[:3] == ["1", "断面编号", "'=1+1"]
        assert second[:3] == ["2", "断面编号", "编号…"]
