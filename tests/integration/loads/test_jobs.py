"""A file's way from an editor to readers."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import Any

import ckan.plugins.toolkit as tk
import openpyxl
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib import jobs as queue

from ckanext.openhuizhou.data import files, jobs, uploads
from ckanext.openhuizhou.model.data_job import DataJob
from ckanext.openhuizhou.model.load import load_of

from .conftest import HEADER, ITEMS, Bureau, leftovers, live, published, rows, upload


class TestLoad:
    def test_readers_get_table_file_and_figures(self, bureau: Bureau, entry: dict[str, Any], resource_id: str):
        job = bureau.load(resource_id, rows(1, 2))
        assert (job.state, job.rows, job.findings, job.attempts, job.step) == ("done", 2, [], 1, None)
        assert live(resource_id) == [("001", "1号断面", "7.5"), ("002", "2号断面", "7.5")]
        assert published(resource_id) == ["001,1号断面,7.5", "002,2号断面,7.5"]
        content = files.published_file(resource_id).read_bytes()
        shown = bureau.act("visitor", "package_show", id=entry["id"])
        resource = shown["resources"][0]
        assert (resource["format"], resource["size"], resource["datastore_active"]) == ("CSV", len(content), True)
        assert resource["hash"] == hashlib.sha256(content).hexdigest() == job.digest
        assert (shown["row_count"], shown["entry_state"]) == (2, "published")
        assert shown["data_modified"]
        assert leftovers(resource_id) == []
        downloaded = bureau.call("visitor", f"/dataset/{entry['name']}/resource/{resource_id}/download/data.csv")
        assert downloaded.data == content

    def test_the_index_tells_of_it(self, bureau: Bureau, entry: dict[str, Any], resource_id: str):
        bureau.load(resource_id, rows(1, 2, 3))
        found = bureau.act("visitor", "package_search", fq=f"id:{entry['id']}", fl="id,row_count,openhuizhou_data_ok")
        assert found["results"] == [{"id": entry["id"], "row_count": 3, "openhuizhou_data_ok": True}]

    def test_the_file_is_kept_as_it_came_and_nobody_who_visits_gets_it(self, bureau: Bureau, resource_id: str):
        text = rows(1).replace("断面编号,断面名称", "断面名称,断面编号").replace("001,1号断面", "1号断面,001")
        job = bureau.load(resource_id, text)
        assert uploads.kept_file(job.id).read_text() == text
        assert published(resource_id) == ["001,1号断面,7.5"]

    def test_columns_are_found_by_their_names(self, bureau: Bureau, resource_id: str):
        job = bureau.load(resource_id, "溶解氧,备注,断面编号,断面名称\n8,多,009,九号\n")
        assert live(resource_id) == [("009", "九号", "8")]
        assert job.state == "done"

    def test_a_bad_file_is_refused_with_row_and_column_and_the_old_table_stays(
        self, bureau: Bureau, entry: dict[str, Any], resource_id: str
    ):
        bureau.load(resource_id, rows(1, 2))
        job = bureau.load(resource_id, rows(1) + "002,二号,很高\n")
        assert job.state == "refused"
        [finding] = [one for one in job.findings if one["kind"] == "cell-type"]
        assert (finding["row"], finding["column"], finding["value"]) == (2, "溶解氧", "很高")
        assert len(live(resource_id)) == 2
        verdict = load_of(resource_id)
        assert verdict is not None
        assert (verdict.verdict, verdict.rows) == ("failed", 2)
        assert bureau.act("visitor", "package_show", id=entry["id"])["row_count"] == 2
        assert leftovers(resource_id) == []

    def test_a_first_file_that_is_refused_leaves_no_verdict(self, bureau: Bureau, resource_id: str):
        assert bureau.load(resource_id, "别的,列\n1,2\n").state == "refused"
        assert load_of(resource_id) is None
        assert leftovers(resource_id) == []

    def test_personal_data_is_refused(self, bureau: Bureau, resource_id: str):
        text = HEADER + "".join(f"{number},张三{number},13{number:09}\n" for number in range(123456789, 123456799))
        job = bureau.load(resource_id, text)
        assert job.state == "refused"
        assert "personal-data" in {one["kind"] for one in job.findings}

    def test_the_same_file_twice_changes_nothing(self, bureau: Bureau, entry: dict[str, Any], resource_id: str):
        bureau.load(resource_id, rows(1, 2))
        before = bureau.act("visitor", "package_show", id=entry["id"])
        assert bureau.load(resource_id, rows(1, 2)).state == "done"
        after = bureau.act("visitor", "package_show", id=entry["id"])
        assert after["data_modified"] == before["data_modified"]

    def test_items_that_are_not_public_stay_out(self, bureau: Bureau, make_entry: Any):
        contact = {"name": "联系人", "column": "contact", "data_type": "string", "open_type": "none"}
        made = make_entry(items=[*ITEMS, contact])
        resource_id = made["resources"][0]["id"]
        job = bureau.load(resource_id, "断面编号,断面名称,溶解氧,联系人\n1,一号,7,某\n")
        assert job.state == "done"
        assert published(resource_id) == ["1,一号,7"]


class TestQueue:
    def test_two_loads_of_one_resource_are_done_in_their_order(self, bureau: Bureau, resource_id: str):
        first = bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id, file=upload(rows(1)))
        second = bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id, file=upload(rows(2)))
        lease = jobs.claim_next()
        assert lease is not None
        assert lease.id == first["id"]
        assert jobs.claim_next() is None, "the second waits while the first is being loaded"
        jobs.execute(lease)
        assert bureau.work() >= 1
        assert [bureau.job(one["id"]).state for one in (first, second)] == ["done", "done"]
        assert live(resource_id)[0][0] == "002"

    def test_more_than_a_few_are_not_taken_and_their_file_is_not_kept(self, bureau: Bureau, resource_id: str):
        for _number in range(jobs.MOST_WAITING):
            bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id, file=upload(rows(1)))
        kept = len(list(uploads.folder().iterdir()))
        with pytest.raises(tk.ValidationError, match="upload"):
            bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id, file=upload(rows(1)))
        assert len(list(uploads.folder().iterdir())) == kept

    def test_a_worker_is_woken(self, bureau: Bureau, resource_id: str):
        queue.get_queue().empty()
        bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id, file=upload(rows(1)))
        assert [job.func for job in queue.get_queue().jobs] == [jobs.work]

    def test_the_scheduler_wakes_one_when_the_wake_was_lost(self, bureau: Bureau, resource_id: str):
        bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id, file=upload(rows(1)))
        queue.get_queue().empty()
        assert jobs.wake_if_needed()
        assert not jobs.wake_if_needed(), "one was asked already"
        bureau.work()
        queue.get_queue().empty()
        assert not jobs.wake_if_needed(), "nothing waits"


class TestDerive:
    def test_each_publication_that_changed_something_leaves_one_job(
        self, bureau: Bureau, resource_id: str, monkeypatch: pytest.MonkeyPatch
    ):
        done: list[str] = []
        monkeypatch.setattr(jobs.derive, "STEPS", [("演示", done.append)])
        bureau.load(resource_id, rows(1))
        assert done == [resource_id]
        bureau.load(resource_id, rows(1))
        assert done == [resource_id], "nothing changed"
        query = sa.select(sa.func.count()).where(DataJob.resource_id == resource_id, DataJob.kind == "derive")
        assert model.Session.scalar(query) == 0, "of what went well nothing is kept"

    def test_a_step_that_fails_keeps_no_other_from_being_done(
        self, bureau: Bureau, resource_id: str, monkeypatch: pytest.MonkeyPatch
    ):
        done: list[str] = []

        def fail(_resource_id: str) -> None:
            raise RuntimeError("演示")

        monkeypatch.setattr(jobs.derive, "STEPS", [("bad", fail), ("good", done.append)])
        bureau.load(resource_id, rows(1))
        assert done == [resource_id]
        job = model.Session.scalars(sa.select(DataJob).where(DataJob.kind == "derive", DataJob.state == "failed")).one()
        assert [(one["kind"], one["params"]) for one in job.findings] == [
            ("derive-failed", {"step": "bad", "reason": "RuntimeError"})
        ]


class TestCancel:
    def test_one_that_waits_is_cancelled_at_once(self, bureau: Bureau, resource_id: str):
        started = bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id, file=upload(rows(1)))
        assert bureau.act("editor", "openhuizhou_load_cancel", id=started["id"])["state"] == "cancelled"
        assert bureau.work() == 0
        with pytest.raises(tk.ValidationError):
            bureau.act("editor", "openhuizhou_load_cancel", id=started["id"])

    def test_one_that_is_being_read_stops_and_leaves_nothing(self, bureau: Bureau, resource_id: str):
        bureau.load(resource_id, rows(1))
        many = rows(*range(1, 30_001))
        started = bureau.act("editor", "openhuizhou_load_start", resource_id=resource_id, file=upload(many))
        lease = jobs.claim_next()
        assert lease is not None
        assert bureau.act("editor", "openhuizhou_load_cancel", id=started["id"])["state"] == "running"
        with bureau.app.flask_app.test_request_context():
            jobs.execute(lease)
        assert bureau.job(started["id"]).state == "cancelled"
        assert len(live(resource_id)) == 1
        assert leftovers(resource_id) == []


class TestModes:
    def test_rows_are_appended(self, bureau: Bureau, entry: dict[str, Any], resource_id: str):
        bureau.load(resource_id, rows(1, 2))
        job = bureau.load(resource_id, rows(3), "append")
        assert (job.state, job.rows) == ("done", 3)
        assert [row[0] for row in live(resource_id)] == ["001", "002", "003"]
        assert len(published(resource_id)) == 3
        assert bureau.act("visitor", "package_show", id=entry["id"])["row_count"] == 3

    def test_rows_are_updated_by_their_key(self, bureau: Bureau, resource_id: str):
        bureau.load(resource_id, rows(1, 2))
        job = bureau.load(resource_id, rows(2, 3, value=9), "upsert")
        assert (job.state, job.rows) == ("done", 3)
        assert {row[0]: row[2] for row in live(resource_id)} == {"001": "7.5", "002": "9", "003": "9"}

    @pytest.mark.parametrize("mode", ["append", "upsert"])
    def test_the_first_file_is_the_table(self, bureau: Bureau, resource_id: str, mode: str):
        assert bureau.load(resource_id, rows(1), mode).state == "done"
        assert len(live(resource_id)) == 1

    def test_a_workbook_is_a_table_too(self, bureau: Bureau, resource_id: str):
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for line in (["2026年10月地表水水质", None, None], ["断面编号", "断面名称", "溶解氧"], ["001", "剑潭", 7.1]):
            sheet.append(line)
        content = BytesIO()
        book.save(content)
        job = bureau.load(resource_id, content.getvalue(), name="水质.xlsx")
        assert (job.state, live(resource_id)) == ("done", [("001", "剑潭", "7.1")])
