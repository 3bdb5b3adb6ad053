"""Who asks for loads, sees them and cancels them; and the page that does so."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import ckan.plugins.toolkit as tk
import pytest

from .conftest import ITEMS, Bureau, live, rows, upload

Make = Callable[..., dict[str, Any]]
#: role → may it load, may it look
RIGHTS = {
    "visitor": (False, False),
    "citizen": (False, False),
    "neighbour": (False, False),
    "member": (False, True),
    "editor": (True, True),
    "platform": (True, True),
    "sysadmin": (True, True),
}


def allowed(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except tk.NotAuthorized:
        return False
    return True


class TestRights:
    @pytest.mark.parametrize("who", RIGHTS)
    def test_each_role(self, bureau: Bureau, resource_id: str, who: str):
        may_load, may_look = RIGHTS[who]
        job_id = bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id, file=upload(rows(1)))["id"]
        given = {"resource_id": resource_id, "file": upload(rows(2))}
        assert allowed(lambda: bureau.act(who, "openhuizhou_load_start", **given)) == may_load
        assert allowed(lambda: bureau.act(who, "openhuizhou_load_show", id=job_id)) == may_look
        assert allowed(lambda: bureau.act(who, "openhuizhou_load_list", resource_id=resource_id)) == may_look
        assert allowed(lambda: bureau.act(who, "openhuizhou_load_cancel", id=job_id)) == may_load

    def test_values_of_cells_are_for_those_who_may_see_the_data(self, bureau: Bureau, make_entry: Make):
        made = make_entry(open_type="conditional", share_type="none", open_condition="演示", share_condition="演示")
        job = bureau.load(made["resources"][0]["id"], rows(1) + "002,二号,很高\n")
        by = {who: bureau.act(who, "openhuizhou_load_show", id=job.id)["findings"] for who in ("editor", "platform")}
        assert "很高" in by["editor"][0]["message"]
        assert "很高" not in str(by["platform"])
        assert by["platform"][0]["row"] == 2


class TestStart:
    def test_what_has_no_table_is_refused(self, bureau: Bureau, make_entry: Make):
        elsewhere = make_entry(resources=[{"name": "别处", "url": "https://example.org/a.csv"}])
        bare = make_entry(items=None, entry_state="draft")
        for made in (elsewhere, bare):
            given = {"resource_id": made["resources"][0]["id"], "file": upload(rows(1))}
            with pytest.raises(tk.ValidationError):
                bureau.act("editor", "openhuizhou_load_start", **given)

    def test_rows_cannot_be_updated_without_a_key(self, bureau: Bureau, make_entry: Make):
        made = make_entry(items=[{**item, "is_key": False} for item in ITEMS])
        given = {"resource_id": made["resources"][0]["id"], "mode": "upsert", "file": upload(rows(1))}
        with pytest.raises(tk.ValidationError) as refused:
            bureau.act("editor", "openhuizhou_load_start", **given)
        assert set(refused.value.error_dict) == {"mode"}

    def test_without_a_file_the_last_one_is_loaded_once_more(self, bureau: Bureau, resource_id: str):
        with pytest.raises(tk.ValidationError):
            bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id)
        bureau.load(resource_id, rows(1))
        again = bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id)
        bureau.work()
        assert bureau.job(again["id"]).state == "done"

    def test_a_file_that_is_too_large_is_not_kept(
        self, bureau: Bureau, resource_id: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setitem(tk.config, "ckan.max_resource_size", 1)
        with pytest.raises(tk.ValidationError) as refused:
            bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id, file=upload("断" * 600_000))
        assert set(refused.value.error_dict) == {"upload"}

    def test_a_list_is_the_newest_first(self, bureau: Bureau, entry: dict[str, Any], resource_id: str):
        first, second = (bureau.load(resource_id, rows(n)).id for n in (1, 2))
        for given in ({"resource_id": resource_id}, {"package_id": entry["name"]}):
            listed = bureau.act("editor", "openhuizhou_load_list", **given)
            assert (listed["count"], [one["id"] for one in listed["results"]]) == (2, [second, first])
        mine = bureau.act("editor", "openhuizhou_load_list", mine=True, limit=1)
        assert mine["results"][0]["id"] == second
        assert bureau.act("platform", "openhuizhou_load_list")["count"] == 0


class TestPage:
    def address(self, entry: dict[str, Any]) -> str:
        return f"/dataset/{entry['name']}/resource/{entry['resources'][0]['id']}/load"

    @pytest.mark.parametrize(("who", "status"), [("visitor", 403), ("citizen", 403), ("member", 200), ("editor", 200)])
    def test_is_for_the_department(self, bureau: Bureau, entry: dict[str, Any], who: str, status: int):
        shown = bureau.call(who, self.address(entry))
        assert shown.status_code == status or (who == "visitor" and shown.status_code == 302)
        assert ('type="file"' in shown.text) == (who == "editor")

    def test_a_file_is_brought_and_its_findings_are_shown(self, bureau: Bureau, entry: dict[str, Any]):
        form = {"mode": "replace", "file": (BytesIO((rows(1) + "002,二号,很高\n").encode()), "水质.csv")}
        sent = bureau.call("editor", self.address(entry), method="post", data=form, content_type="multipart/form-data")
        assert sent.status_code == 302
        waiting = bureau.call("editor", self.address(entry)).text
        assert "hx-get" in waiting
        assert "load-cancel" in waiting
        bureau.work()
        shown = bureau.call("editor", self.address(entry)).text
        assert "hx-get" not in shown
        assert "很高" in shown
        assert "load-again" in shown

    def test_progress_says_when_it_has_ended(self, bureau: Bureau, entry: dict[str, Any], resource_id: str):
        job = bureau.load(resource_id, rows(1))
        answer = bureau.call("editor", f"{self.address(entry)}/{job.id}/progress")
        assert answer.headers["HX-Refresh"] == "true"
        assert bureau.call("neighbour", f"{self.address(entry)}/{job.id}/progress").status_code == 403

    def test_the_file_as_it_came_is_for_editors(self, bureau: Bureau, entry: dict[str, Any], resource_id: str):
        job = bureau.load(resource_id, rows(1))
        address = f"{self.address(entry)}/{job.id}/file"
        assert bureau.call("editor", address).data.decode() == rows(1)
        assert bureau.call("member", address).status_code == 403
        assert bureau.call("citizen", address).status_code == 403
        assert live(resource_id)
