"""Each load of a table is a version: its rows outlive the next load, and what changed is told by key."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pyarrow.parquet as pq
import pytest
from ckan.tests import factories, helpers
from tests.factories import complete_entry

from ckanext.openhuizhou.data import files, tables, versions
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.model import load, table_version
from ckanext.openhuizhou.model.load import Origin

pytestmark = pytest.mark.usefixtures("with_request_context")

ITEMS = (
    Item("站点编号", "code", "string", is_key=True),
    Item("读数", "reading", "number", unit="μg/m³"),
    Item("日期", "day", "date"),
)
FIRST = [["A1", "1.5", "2026-01-01"], ["A2", None, "2026-01-01"], ["A3", "3", "2026-01-01"]]
SECOND = [["A2", "2.25", "2026-01-02"], ["A3", "3", "2026-01-01"], ["A4", "4", "2026-01-02"]]


@pytest.fixture
def resource_id() -> Iterator[str]:
    made = str(uuid.uuid4())
    yield made
    tables.drop_table(made)


def publish(resource_id: str, rows: list[Any], items: Any = ITEMS, **origin: str) -> None:
    tables.publish_table(tables.stage_table(resource_id, items, rows), "a-package", Origin(**origin))


def rows_of(resource_id: str, number: int) -> list[dict[str, Any]]:
    version = table_version.version(resource_id, number)
    assert version is not None
    path = versions.parquet_of(version)
    assert path is not None
    return pq.read_table(path).to_pylist()


class TestRecording:
    def test_a_load_that_changes_the_table_is_a_version(self, resource_id: str):
        publish(resource_id, FIRST, run_id="a-run")
        publish(resource_id, FIRST, run_id="another")
        publish(resource_id, SECOND, job_id="a-job")
        found = [(one.number, one.rows, one.run_id, one.job_id) for one in table_version.versions(resource_id)]
        assert found == [(2, 3, None, "a-job"), (1, 3, "a-run", None)]

    def test_columns_are_kept_as_they_were(self, resource_id: str):
        publish(resource_id, FIRST)
        publish(resource_id, [["A1"]], ITEMS[:1])
        assert [one.items for one in table_version.versions(resource_id)] == [ITEMS[:1], ITEMS]

    def test_many_tables_together(self, resource_id: str):
        other = str(uuid.uuid4())
        staged = [(tables.stage_table(each, ITEMS, FIRST), "a-package") for each in (resource_id, other)]
        assert tables.publish_tables(staged, Origin(run_id="a-run")) == {}
        assert [table_version.count(each) for each in (resource_id, other)] == [1, 1]
        tables.drop_table(other)

    def test_a_publication_that_was_killed_after_the_swap_is_a_version_when_it_is_finished(
        self, resource_id: str, monkeypatch: pytest.MonkeyPatch
    ):
        publish(resource_id, FIRST)
        staged = tables.stage_table(resource_id, ITEMS, SECOND)
        with monkeypatch.context() as killed:
            killed.setattr(files, "move_in", lambda *_arguments: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                tables.publish_table(staged, "a-package")
        assert table_version.count(resource_id) == 1
        assert tables.finish_publication(resource_id)
        versions.derive(resource_id)
        assert [row["code"] for row in rows_of(resource_id, 2)] == ["A2", "A3", "A4"]

    def test_a_publication_that_was_killed_before_its_verdict(self, resource_id: str, monkeypatch: pytest.MonkeyPatch):
        staged = tables.stage_table(resource_id, ITEMS, FIRST)
        with monkeypatch.context() as killed:
            killed.setattr(load, "record_ok", lambda *_arguments: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                tables.publish_table(staged, "a-package")
        load.record_failed(resource_id, "a-package", [])
        assert tables.finish_publication(resource_id)
        versions.derive(resource_id)
        assert len(rows_of(resource_id, 1)) == 3

    def test_a_table_that_is_gone_has_none(self, resource_id: str):
        publish(resource_id, FIRST)
        versions.derive(resource_id)
        tables.drop_table(resource_id)
        assert (table_version.count(resource_id), versions.files_of(resource_id)) == (0, [])


class TestDerive:
    def test_rows_of_every_version_are_kept_though_the_next_came_before_they_were_read(self, resource_id: str):
        publish(resource_id, FIRST)
        publish(resource_id, SECOND)
        versions.derive(resource_id)
        first, second = (rows_of(resource_id, number) for number in (1, 2))
        assert [str(row["reading"]) for row in first] == ["1.5", "None", "3.0"]
        assert [row["day"].isoformat() for row in second] == ["2026-01-02", "2026-01-01", "2026-01-02"]
        assert {path.name for path in versions.files_of(resource_id)} == {"1.parquet", "2.parquet"}

    def test_what_changed_is_told_by_key(self, resource_id: str):
        publish(resource_id, FIRST)
        publish(resource_id, SECOND)
        versions.derive(resource_id)
        newest, oldest = table_version.versions(resource_id)
        assert oldest.changes is None
        assert newest.changes == {
            "added": 1, "removed": 1, "changed": 1, "columns": {"reading": 1, "day": 1}, "key": ["code"],
            "columns_added": [], "columns_removed": [],
        }  # fmt: skip

    def test_the_same_again_makes_nothing_new(self, resource_id: str):
        publish(resource_id, FIRST)
        versions.derive(resource_id)
        before = {path: path.stat().st_mtime_ns for path in versions.files_of(resource_id)}
        versions.derive(resource_id)
        assert {path: path.stat().st_mtime_ns for path in versions.files_of(resource_id)} == before

    def test_a_table_that_comes_back_to_what_it_was_keeps_all_its_versions(self, resource_id: str):
        for rows in (FIRST, SECOND, FIRST):
            publish(resource_id, rows)
        versions.derive(resource_id)
        assert rows_of(resource_id, 1) == rows_of(resource_id, 3)

    def test_only_the_last_ones_are_kept(self, resource_id: str, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.keep_versions", 2)
        for number in range(4):
            publish(resource_id, [[f"A{number}", "1", "2026-01-01"]])
            versions.derive(resource_id)
        states = [(one.number, one.state) for one in table_version.versions(resource_id)]
        assert states == [(4, "kept"), (3, "kept"), (2, "dropped"), (1, "dropped")]
        assert {path.name for path in versions.files_of(resource_id)} == {"3.parquet", "4.parquet"}

    def test_rows_that_somebody_deleted_are_said_to_be_gone(self, resource_id: str):
        publish(resource_id, FIRST)
        for path in versions.files_of(resource_id):
            path.unlink()
        versions.derive(resource_id)
        assert [one.state for one in table_version.versions(resource_id)] == ["dropped"]


@pytest.fixture
def open_table(resource_id: str) -> str:
    """Two versions of a table that is open to everybody."""
    fields = complete_entry(
        title=f"版本演示 {resource_id}",
        owner_org=factories.Organization()["id"],
        entry_state="published",
        items=[{"name": item.name, "column": item.column, "data_type": item.data_type} for item in ITEMS],
        resources=[{"id": resource_id, "url": "data.csv", "url_type": "upload", "format": "CSV"}],
    )
    package = helpers.call_action("package_create", {"user": factories.Sysadmin()["name"]}, **fields)
    for rows in (FIRST, SECOND):
        tables.publish_table(tables.stage_table(resource_id, ITEMS, rows), package["id"])
    versions.derive(resource_id)
    return resource_id


class TestTableVersionChanges:
    def call(self, resource_id: str, **asked: Any) -> dict[str, Any]:
        context = {"ignore_auth": False, "user": ""}
        asked = {"resource_id": resource_id, "number": 2, **asked}
        return helpers.call_action("openhuizhou_table_version_changes", context, **asked)

    def test_rows_of_each_kind(self, open_table: str):
        found = {kind: self.call(open_table, kind=kind) for kind in ("added", "removed", "changed")}
        assert {kind: (each["count"], len(each["results"])) for kind, each in found.items()} == dict.fromkeys(
            found, (1, 1)
        )
        changed = found["changed"]["results"][0]
        assert (changed["columns"], changed["after"]["reading"]) == (["reading", "day"], "2.25")
        assert found["changed"]["against"] == 1

    def test_the_first_has_none_before_it(self, open_table: str):
        with pytest.raises(tk.ObjectNotFound):
            self.call(open_table, number=1, kind="added")

    @pytest.mark.parametrize(
        "wrong", [{"kind": "x"}, {}, {"kind": "added", "number": "0"}, {"kind": "added", "limit": -1}]
    )
    def test_what_is_no_question(self, open_table: str, wrong: dict[str, Any]):
        with pytest.raises(tk.ValidationError):
            self.call(open_table, **wrong)

    def test_unknown(self, open_table: str):
        with pytest.raises(tk.ObjectNotFound):
            self.call(open_table, number=3, kind="added")
        with pytest.raises(tk.ObjectNotFound):
            self.call(str(uuid.uuid4()), kind="added")
