"""Loads: readers see the old table or the new one, and a load that fails or is killed changes nothing for them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckanext.datastore.backend.postgres import get_read_engine, get_write_engine
from tests.integration.data.loads import (
    ITEMS,
    PACKAGE,
    file_version,
    leftovers,
    live_versions,
    publish,
    rows,
    verdict,
)

from ckanext.openhuizhou.data import datastore_tables, files, tables
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import StorageFull, TableRefused
from ckanext.openhuizhou.model import load


class TestPublish:
    def test_table_file_and_verdict_say_the_same(self, resource_id):
        result = publish(resource_id, 1)
        assert live_versions(resource_id) == [1] * 50
        assert file_version(resource_id) == "1"
        known = verdict(resource_id)
        assert (known.verdict, known.rows, known.digest) == ("ok", 50, result.digest)
        assert files.published_file(resource_id).stat().st_size == result.size_bytes == known.size_bytes
        assert load.verdicts([PACKAGE, "none"]) == {PACKAGE: "ok"}
        assert leftovers(resource_id) == []

    def test_a_second_load_replaces_the_first(self, resource_id):
        publish(resource_id, 1, 50)
        publish(resource_id, 2, 7)
        assert live_versions(resource_id) == [2] * 7
        assert file_version(resource_id) == "2"
        assert leftovers(resource_id) == []

    def test_the_same_rows_again_change_nothing(self, resource_id):
        assert publish(resource_id, 1).changed
        before = files.published_file(resource_id).stat().st_mtime_ns
        assert not publish(resource_id, 1).changed
        assert files.published_file(resource_id).stat().st_mtime_ns == before
        assert leftovers(resource_id) == []

    def test_new_labels_of_the_same_rows_are_published(self, resource_id):
        publish(resource_id, 1)
        described = [ITEMS[0], Item("站点名称", "station", "string", description="监测站的名称")]
        assert tables.publish_table(tables.stage_table(resource_id, described, rows(1)), PACKAGE).changed

    def test_a_staged_table_is_invisible_until_published(self, resource_id):
        staged = tables.stage_table(resource_id, ITEMS, rows(1))
        assert datastore_tables.live_mark(resource_id) is None
        assert not files.published_file(resource_id).exists()
        tables.discard_table(staged)
        assert leftovers(resource_id) == []

    def test_dropping_removes_everything_and_can_be_repeated(self, resource_id):
        publish(resource_id, 1)
        tables.drop_table(resource_id)
        tables.drop_table(resource_id)
        assert load.load_of(resource_id) is None
        assert not files.published_file(resource_id).exists()
        assert datastore_tables.live_mark(resource_id) is None

    def test_a_percent_sign_and_quotes_in_a_label_are_only_text(self, resource_id):
        items = [Item("占比%（:%s）'\"", "share", "number", description="a'b%d")]
        tables.publish_table(tables.stage_table(resource_id, items, [[1.5]]), PACKAGE)
        query = sa.text("SELECT col_description(to_regclass(:name), 3)")
        with get_read_engine().connect() as connection:
            comment = connection.scalar(query, {"name": f'"{resource_id}"'})
        assert comment == datastore_tables.column_comment(items[0])

    def test_a_column_of_nothing_and_a_column_of_one_are_kept_apart(self, resource_id):
        items = [Item("备注", "note", "text")]
        tables.publish_table(tables.stage_table(resource_id, items, [["\\."], [None], ["上\n下"]]), PACKAGE)
        table = sa.table(resource_id, sa.column("note"), sa.column("_id"))
        with get_read_engine().connect() as connection:
            notes = list(connection.scalars(sa.select(table.c.note).order_by(table.c._id)))
        assert notes == ["\\.", None, "上\n下"]


class TestLargest:
    @pytest.mark.parametrize("count", [99, 101, 1000])
    def test_a_table_of_many_columns_is_published_and_searched(self, resource_id, count):
        items = [Item(f"列{number}", f"c{number}", "integer") for number in range(count - 1)]
        cells = [[number % 9 for number in range(count - 1)] + ["惠城区"]]
        tables.publish_table(tables.stage_table(resource_id, [*items, Item("末列", "last", "string")], cells), PACKAGE)
        query = {"resource_id": resource_id, "q": "惠城区", "fields": ["last"]}
        assert tk.get_action("datastore_search")({"ignore_auth": True}, query)["records"] == [{"last": "惠城区"}]

    def test_a_text_longer_than_a_search_vector_is_published_whole(self, resource_id):
        outline = " ".join(f"{number}.1234567" for number in range(150_000))
        items = [Item("边界", "outline", "text")]
        tables.publish_table(tables.stage_table(resource_id, items, [[outline]]), PACKAGE)
        query = {"resource_id": resource_id, "fields": ["outline"]}
        assert tk.get_action("datastore_search")({"ignore_auth": True}, query)["records"] == [{"outline": outline}]


class TestRefusal:
    @pytest.mark.parametrize("column", ["_id", "Name", "站点", "a" * 64, "1st", "a-b", ""])
    def test_a_column_id_that_a_table_cannot_have(self, resource_id, column):
        with pytest.raises(TableRefused) as caught:
            tables.stage_table(resource_id, [Item("列", column, "string")], [])
        assert [finding.kind for finding in caught.value.findings] == ["column-invalid"]

    def test_a_refused_load_leaves_the_old_one(self, resource_id):
        publish(resource_id, 1)
        with pytest.raises(TableRefused) as caught:
            tables.stage_table(resource_id, ITEMS, [*rows(2), ["二", "站"]])
        tables.record_failure(resource_id, PACKAGE, caught.value.findings)
        assert live_versions(resource_id) == [1] * 50
        assert file_version(resource_id) == "1"
        known = verdict(resource_id)
        assert (known.verdict, known.rows) == ("failed", 50)
        assert known.findings[0]["kind"] == "cell-type"
        assert load.verdicts([PACKAGE]) == {PACKAGE: "failed"}
        assert leftovers(resource_id) == []

    def test_rows_that_break_off_leave_the_old_load(self, resource_id):
        publish(resource_id, 1)

        def broken():
            yield from rows(2, 5000)
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            tables.stage_table(resource_id, ITEMS, broken())
        assert live_versions(resource_id) == [1] * 50
        assert leftovers(resource_id) == []

    @pytest.mark.parametrize("column", ["ctid", "xmin", "tableoid"])
    def test_a_name_that_every_table_of_the_database_has(self, resource_id, column):
        with pytest.raises(TableRefused) as caught:
            tables.stage_table(resource_id, [Item("列", column, "string")], [])
        assert [finding.kind for finding in caught.value.findings] == ["column-invalid"]

    def test_an_entry_without_public_columns_has_no_table(self, resource_id):
        with pytest.raises(TableRefused) as caught:
            tables.stage_table(resource_id, [], [[]])
        assert [finding.kind for finding in caught.value.findings] == ["mapping-columns-missing"]

    def test_what_only_the_database_refuses_is_told_by_row_and_column(self, resource_id):
        publish(resource_id, 1)
        digits = "9" * 200_000
        with pytest.raises(TableRefused) as caught:
            tables.stage_table(resource_id, [Item("金额", "amount", "currency")], [["1"], [digits]])
        (finding,) = caught.value.findings
        assert (finding.kind, finding.row, finding.column) == ("row-unfit", 2, "金额")
        assert digits[:20] not in str(finding)
        assert live_versions(resource_id) == [1] * 50
        assert leftovers(resource_id) == []

    def test_more_columns_than_the_database_has_are_told_as_such(self, resource_id):
        items = [Item(f"列{number}", f"c{number}", "string") for number in range(1600)]
        with pytest.raises(TableRefused) as caught:
            tables.stage_table(resource_id, items, [])
        assert [finding.kind for finding in caught.value.findings] == ["table-unfit"]

    def test_a_full_disk_is_nobodys_fault_and_leaves_the_old_load(self, resource_id, monkeypatch):
        publish(resource_id, 1)
        full = files.writing_file(resource_id)
        full.symlink_to("/dev/full")  # the kernel's own disk that has no room
        with monkeypatch.context() as patch:
            patch.setattr(files, "writing_file", lambda _resource_id: full)
            with pytest.raises(StorageFull):
                tables.stage_table(resource_id, ITEMS, rows(2))
        assert live_versions(resource_id) == [1] * 50
        assert leftovers(resource_id) == []
        assert publish(resource_id, 2).rows == 50

    def test_a_number_that_the_column_cannot_hold_is_refused_before_the_database(self, resource_id):
        with pytest.raises(TableRefused) as caught:
            tables.stage_table(resource_id, ITEMS, [[10**20, "站"]])
        assert [(f.kind, f.row) for f in caught.value.findings] == [("cell-type", 1)]

    def test_a_load_that_another_one_overtook_is_not_published(self, resource_id):
        slow = tables.stage_table(resource_id, ITEMS, rows(1))
        fast = tables.stage_table(resource_id, ITEMS, rows(2))
        with pytest.raises(TableRefused):
            tables.publish_table(slow, PACKAGE)
        tables.publish_table(fast, PACKAGE)
        assert live_versions(resource_id) == [2] * 50
        tables.discard_table(slow)


class TestReaders:
    def test_never_see_a_missing_or_mixed_table(self, resource_id):
        publish(resource_id, 0)
        seen: list[list[int]] = []
        done = threading.Event()
        failures: list[BaseException] = []

        def read() -> None:
            try:
                while not done.is_set():
                    seen.append(live_versions(resource_id))
            except BaseException as error:  # noqa: BLE001 - handed to the test
                failures.append(error)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for version in range(1, 16):
            publish(resource_id, version)
        done.set()
        for reader in readers:
            reader.join()
        assert failures == []
        assert all(len(found) == 50 and len(set(found)) == 1 for found in seen)
        assert len({found[0] for found in seen}) > 1

    def test_a_reader_that_does_not_finish_makes_the_load_fail_and_keeps_its_table(self, resource_id, monkeypatch):
        monkeypatch.setattr(datastore_tables, "LOCK_TIMEOUT_MS", 50)
        monkeypatch.setattr(datastore_tables, "SWAP_ATTEMPTS", 2)
        publish(resource_id, 1)
        staged = tables.stage_table(resource_id, ITEMS, rows(2))
        with get_read_engine().connect() as connection:
            connection.execute(sa.select(sa.table(resource_id, sa.column("version")).c.version))
            with pytest.raises(TableRefused):
                tables.publish_table(staged, PACKAGE)
        assert live_versions(resource_id) == [1] * 50
        assert file_version(resource_id) == "1"
        known = verdict(resource_id)
        assert (known.verdict, known.findings[0]["kind"]) == ("failed", "load-failed")
        tables.discard_table(staged)


def _publish_and_die(resource_id: str, step: str) -> None:
    """In a child process: publish version 2 and be killed when ``step`` begins."""
    for engine in (get_write_engine(), model.meta.engine):
        assert engine is not None
        engine.dispose(close=False)

    def die(*_args: Any, **_kwargs: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    module, name = {
        "copy": (datastore_tables, "copy_to_staging"),
        "swap": (datastore_tables, "swap_in"),
        "file": (files, "move_in"),
        "verdict": (load, "record_ok"),
    }[step]
    setattr(module, name, die)
    publish(resource_id, 2)


def killed_at(resource_id: str, step: str) -> None:
    child = multiprocessing.get_context("fork").Process(target=_publish_and_die, args=(resource_id, step))
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL


class TestKill:
    @pytest.mark.parametrize("step", ["copy", "swap"])
    def test_before_the_swap_the_old_load_stays(self, resource_id, step):
        publish(resource_id, 1)
        killed_at(resource_id, step)
        assert resource_id not in tables.finish_interrupted()
        assert live_versions(resource_id) == [1] * 50
        assert file_version(resource_id) == "1"
        assert verdict(resource_id).verdict == "ok"

    @pytest.mark.parametrize("step", ["file", "verdict"])
    @pytest.mark.parametrize("finish", [tables.finish_publication, lambda _: tables.finish_interrupted()])
    def test_after_the_swap_the_new_load_is_finished(self, resource_id, step, finish: Callable[[str], object]):
        publish(resource_id, 1)
        killed_at(resource_id, step)
        assert finish(resource_id)
        assert live_versions(resource_id) == [2] * 50
        assert file_version(resource_id) == "2"
        known = verdict(resource_id)
        assert (known.verdict, known.digest) == ("ok", (datastore_tables.live_mark(resource_id) or {})["digest"])
        assert not finish(resource_id)

    @pytest.mark.parametrize("step", ["copy", "swap", "file", "verdict"])
    def test_a_repeated_load_ends_as_if_nothing_had_happened(self, resource_id, step):
        publish(resource_id, 1)
        killed_at(resource_id, step)
        publish(resource_id, 2)
        assert live_versions(resource_id) == [2] * 50
        assert file_version(resource_id) == "2"
        assert verdict(resource_id).verdict == "ok"
        assert leftovers(resource_id) == []

    def test_finishing_does_not_disturb_who_is_publishing(self, resource_id):
        publish(resource_id, 0)
        done = threading.Event()
        finished: list[str] = []

        def finish() -> None:
            while not done.is_set():
                finished.extend(tables.finish_interrupted())
            model.Session.remove()

        other = threading.Thread(target=finish)
        other.start()
        try:
            for version in range(1, 16):
                publish(resource_id, version)
        finally:
            done.set()
            other.join()
        assert resource_id not in finished
        assert verdict(resource_id).verdict == "ok"
        assert file_version(resource_id) == "15"


class TestVerdicts:
    def test_one_failed_table_fails_the_entry(self, resource_id):
        publish(resource_id, 1)
        other = resource_id[::-1]
        tables.record_failure(other, PACKAGE, [Finding("load-failed")])
        try:
            assert load.verdicts([PACKAGE]) == {PACKAGE: "failed"}
        finally:
            load.forget(other)
