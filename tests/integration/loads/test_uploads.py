"""A table's file that comes with a resource, by CKAN's form or its actions."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model

from ckanext.openhuizhou.data import tables, uploads
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.model.data_job import loads
from ckanext.openhuizhou.model.harvest import Record, Source, dataset_id_of, resource_id_of, source_id_of

from .conftest import Bureau, live, published, rows, upload

Make = Callable[..., dict[str, Any]]


def jobs_of(resource_id: str) -> list[Any]:
    model.Session.rollback()
    return list(loads(20, 0, resource_id=resource_id)[1])


def post(bureau: Bureau, action: str, who: str = "platform", **data: Any) -> Any:
    """An action over HTTP with a file, as curl sends it."""
    address = f"/api/3/action/{action}"
    return bureau.call(who, address, method="post", data=data, content_type="multipart/form-data")


class TestNewResource:
    def test_its_file_is_closed_until_it_is_checked_and_then_a_table(self, bureau: Bureau, make_entry: Make):
        made = make_entry(resources=[])
        answer = post(
            bureau,
            "resource_create",
            package_id=made["id"],
            name="数据",
            upload=(BytesIO(rows(1, 2).encode()), "数据.csv"),
        )
        assert answer.status_code == 200, answer.body
        resource = answer.json["result"]
        address = f"/dataset/{made['name']}/resource/{resource['id']}/download/data.csv"
        assert bureau.call("visitor", address).status_code == 403
        [job] = jobs_of(resource["id"])
        asked = (job.state, job.mode, job.file_name, job.requested_by)
        assert asked == ("queued", "replace", "数据.csv", bureau.users["platform"]["id"])
        job_id = job.id
        bureau.work()
        assert bureau.job(job_id).state == "done"
        assert len(live(resource["id"])) == 2
        assert bureau.call("visitor", address).status_code == 200
        made["resources"].append(resource)

    def test_a_refused_file_stays_closed_and_is_there_for_the_department(self, bureau: Bureau, make_entry: Make):
        made = make_entry(resources=[])
        files = (BytesIO("别的\n1\n".encode()), "x.csv")
        resource = post(bureau, "resource_create", package_id=made["id"], name="数据", upload=files).json["result"]
        bureau.work()
        assert jobs_of(resource["id"])[0].state == "refused"
        address = f"/dataset/{made['name']}/resource/{resource['id']}/download/x.csv"
        assert bureau.call("visitor", address).status_code == 403
        assert bureau.call("editor", address).status_code == 200

    @pytest.mark.parametrize(
        ("changes", "name"),
        [({"items": None, "entry_state": "draft"}, "数据.csv"), ({}, "说明.pdf")],
        ids=["an entry without items", "a file that is no table"],
    )
    def test_what_is_no_table_is_left_alone(self, bureau: Bureau, make_entry: Make, changes: dict[str, Any], name: str):
        made = make_entry(resources=[], **changes)
        kept = len(list(uploads.folder().iterdir()))
        given = {"package_id": made["id"], "name": "数据", "upload": (BytesIO(b"a,b\n1,2\n"), name)}
        answer = post(bureau, "resource_create", **given)
        assert answer.status_code == 200, answer.body
        assert jobs_of(answer.json["result"]["id"]) == []
        assert len(list(uploads.folder().iterdir())) == kept

    def test_when_the_entry_is_not_saved_nothing_is_queued(self, bureau: Bureau, entry: dict[str, Any]):
        resource_id = entry["resources"][0]["id"]
        bureau.load(resource_id, rows(1))
        kept = len(list(uploads.folder().iterdir()))
        with pytest.raises(tk.ValidationError):
            bureau.act(
                "platform", "resource_patch", id=resource_id, upload=upload(rows(2)), cache_last_updated="no date"
            )
        assert len(jobs_of(resource_id)) == 1
        assert len(list(uploads.folder().iterdir())) == kept


class TestResourceWithTable:
    def test_what_is_published_stays_until_the_new_file_is_checked(
        self, bureau: Bureau, entry: dict[str, Any], resource_id: str
    ):
        bureau.load(resource_id, rows(1))
        before = bureau.act("visitor", "resource_show", id=resource_id)
        answer = post(
            bureau, "resource_patch", id=resource_id, upload=(BytesIO(rows(2, 3).encode()), "新.csv"), name="新名称"
        )
        assert answer.status_code == 200, answer.body
        assert published(resource_id) == ["001,1号断面,7.5"]
        after = bureau.act("visitor", "resource_show", id=resource_id)
        assert after["name"] == "新名称"
        assert {key: after[key] for key in ("url", "format", "size", "hash", "datastore_active")} == {
            key: before[key] for key in ("url", "format", "size", "hash", "datastore_active")
        }
        bureau.work()
        assert [row[0] for row in live(resource_id)] == ["002", "003"]

    def test_the_mode_stands_beside_the_file(self, bureau: Bureau, resource_id: str):
        bureau.load(resource_id, rows(1))
        given = {"id": resource_id, "load_mode": "append", "upload": (BytesIO(rows(2).encode()), "新.csv")}
        assert post(bureau, "resource_patch", **given).status_code == 200
        assert jobs_of(resource_id)[0].mode == "append"
        given = {"id": resource_id, "load_mode": "shuffle", "upload": (BytesIO(rows(2).encode()), "新.csv")}
        assert post(bureau, "resource_patch", **given).status_code == 409

    def test_a_file_of_another_kind_does_not_take_its_place(self, bureau: Bureau, resource_id: str):
        bureau.load(resource_id, rows(1))
        answer = post(bureau, "resource_patch", id=resource_id, upload=(BytesIO(b"%PDF-"), "说明.pdf"))
        assert answer.status_code == 409
        assert "upload" in answer.json["error"]
        assert len(published(resource_id)) == 1


def test_the_action_takes_a_file_over_http(bureau: Bureau, resource_id: str):
    """The example of docs/api.md."""
    given = {"resource_id": resource_id, "mode": "append", "file": (BytesIO(rows(1).encode()), "table.csv")}
    answer = post(bureau, "openhuizhou_load_start", "editor", **given)
    assert answer.status_code == 200, answer.body
    bureau.work()
    shown = bureau.call("editor", f"/api/3/action/openhuizhou_load_show?id={answer.json['result']['id']}").json[
        "result"
    ]
    assert (shown["state"], shown["file_name"], shown["findings"]) == ("done", "table.csv", [])


def test_a_table_of_the_harvest_is_corrected_at_its_source(bureau: Bureau, make_entry: Make):
    source_id, key = source_id_of("loads-demo"), "K-1"
    resource_id = resource_id_of(source_id, key)
    resource = {"id": resource_id, "name": "数据", "url": "data.csv", "url_type": "upload", "format": "CSV"}
    made = make_entry(id=dataset_id_of(source_id, key), resources=[resource])
    items = [Item("断面编号", "section_code", "string")]
    tables.publish_table(tables.stage_table(resource_id, items, [["1"]]), made["id"])
    source = Source(
        id=source_id,
        name="loads-demo",
        title="演示",
        organization_id=bureau.organization["id"],
        kind="csv-folder",
        config={},
        mapping={},
    )
    model.Session.add(source)
    model.Session.flush()
    record = Record(
        source_id=source_id, key=key, state="published", dataset_id=made["id"], last_result="added", last_run_id=""
    )
    model.Session.add(record)
    model.Session.commit()
    for ask in (
        lambda: bureau.act("platform", "openhuizhou_load_start", resource_id=resource_id, file=upload(rows(1))),
        lambda: bureau.act("platform", "resource_patch", id=resource_id, upload=upload(rows(1))),
    ):
        with pytest.raises(tk.ValidationError, match="upload"):
            ask()
    assert jobs_of(resource_id) == []
