"""Many tables published at once end as if each had been published alone, whatever becomes of one of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from ckanext.datastore.backend.postgres import get_read_engine, get_write_engine
from tests.integration.data.loads import ITEMS, PACKAGE, file_version, leftovers, live_versions, publish, rows, verdict

from ckanext.openhuizhou.data import datastore_tables, files, tables
from ckanext.openhuizhou.model import load


@pytest.fixture
def resource_ids(with_plugins: None) -> Iterator[list[str]]:
    """More than are swapped at once."""
    ids = [str(uuid.uuid4()) for _ in range(5)]
    yield ids
    for resource_id in ids:
        tables.drop_table(resource_id)


@pytest.fixture(autouse=True)
def few_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "TOGETHER", 3)


def staged(resource_ids: list[str], version: int) -> list[tuple[tables.StagedTable, str]]:
    return [(tables.stage_table(resource_id, ITEMS, rows(version)), PACKAGE) for resource_id in resource_ids]


def state(resource_id: str) -> tuple[set[int], str, str]:
    """Versions of the live table and of the file, and the verdict."""
    return set(live_versions(resource_id)), file_version(resource_id), verdict(resource_id).verdict


class TestTogether:
    def test_new_changed_and_unchanged_ones_are_published(self, resource_ids: list[str]):
        publish(resource_ids[0], 1)
        publish(resource_ids[1], 2)
        publish(resource_ids[4], 2)
        assert tables.publish_tables(staged(resource_ids, 2)) == {}
        for resource_id in resource_ids:
            assert state(resource_id) == ({2}, "2", "ok")
            assert leftovers(resource_id) == []
            known = verdict(resource_id)
            assert (known.package_id, known.rows, known.digest) == (
                PACKAGE, 50, (datastore_tables.live_mark(resource_id) or {})["digest"],
            )  # fmt: skip

    def test_they_are_what_one_published_alone_is(self, resource_ids: list[str]):
        alone = str(uuid.uuid4())
        publish(alone, 1)
        tables.publish_tables(staged(resource_ids, 1))
        try:
            for resource_id in resource_ids:
                assert _relations(resource_id) == _relations(alone)
        finally:
            tables.drop_table(alone)

    def test_nothing_to_do_is_no_error(self, resource_ids: list[str]):
        for resource_id in resource_ids:
            publish(resource_id, 1)
        before = [verdict(resource_id).checked_at for resource_id in resource_ids]
        assert tables.publish_tables(staged(resource_ids, 1)) == {}
        assert all(verdict(id_).checked_at > moment for id_, moment in zip(resource_ids, before, strict=True))
        assert tables.publish_tables([]) == {}


def _relations(resource_id: str) -> list[str]:
    query = sa.text(
        "SELECT relkind::text || ' ' || relname FROM pg_class WHERE relname LIKE :name"
        " UNION ALL SELECT 'stats ' || (stats::text) FROM _table_stats WHERE resource_id = :id"
        " UNION ALL SELECT 'index ' || split_part(indexdef, ' ON ', 2) FROM pg_indexes WHERE tablename = :id"
    )
    with get_write_engine().connect() as connection:
        told = connection.scalars(query, {"name": f"%{resource_id}%", "id": resource_id})
        return sorted(line.replace(resource_id, "TABLE") for line in told)


class TestOneThatFails:
    def test_a_lost_staging_table_takes_no_other_with_it(self, resource_ids: list[str]):
        waiting = staged(resource_ids, 1)
        datastore_tables.drop_staging(resource_ids[1])
        refused = tables.publish_tables(waiting)
        assert {id_: error.findings[0].kind for id_, error in refused.items()} == {resource_ids[1]: "load-failed"}
        assert verdict(resource_ids[1]).verdict == "failed"
        for resource_id in resource_ids[:1] + resource_ids[2:]:
            assert state(resource_id) == ({1}, "1", "ok")

    def test_a_lost_file_takes_no_other_with_it(self, resource_ids: list[str]):
        waiting = staged(resource_ids, 1)
        waiting[2][0].csv_path.unlink()
        assert list(tables.publish_tables(waiting)) == [resource_ids[2]]
        assert verdict(resource_ids[2]).verdict == "failed"
        for resource_id in resource_ids[:2] + resource_ids[3:]:
            assert state(resource_id) == ({1}, "1", "ok")

    def test_a_reader_keeps_only_his_table_back(self, resource_ids: list[str], monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(datastore_tables, "LOCK_TIMEOUT_MS", 50)
        monkeypatch.setattr(datastore_tables, "SWAP_ATTEMPTS", 2)
        for resource_id in resource_ids:
            publish(resource_id, 1)
        waiting = staged(resource_ids, 2)
        with get_read_engine().connect() as connection:
            connection.execute(sa.select(sa.table(resource_ids[0], sa.column("version")).c.version))
            assert list(tables.publish_tables(waiting)) == [resource_ids[0]]
        assert state(resource_ids[0]) == ({1}, "1", "failed")
        for resource_id in resource_ids[1:]:
            assert state(resource_id) == ({2}, "2", "ok")
        tables.discard_table(waiting[0][0])


def _own_connections() -> None:
    for engine in (get_write_engine(), model.meta.engine):
        assert engine is not None
        engine.dispose(close=False)


def _publish_and_die(resource_ids: list[str], step: str) -> None:
    _own_connections()
    waiting = staged(resource_ids, 2)
    moved: list[str] = []

    def die(*_args: Any, **_kwargs: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def move_one_and_die(resource_id: str, source: Any, move: Any = files.move_in) -> None:
        if moved:
            die()
        moved.append(resource_id)
        move(resource_id, source)

    module, name, last = {
        "swap": (datastore_tables, "swap_in_together", die),
        "file": (files, "move_in", move_one_and_die),
        "verdict": (load, "record_ok", die),
    }[step]
    setattr(module, name, last)
    tables.publish_tables(waiting)


def _publish_again_and_again(resource_ids: list[str], version: int) -> None:
    _own_connections()
    for _ in range(5):
        with datastore_tables.publication_lock(*resource_ids):
            load.record_ok(*(load.Published(id_, PACKAGE, version, "d", 1, []) for id_ in sorted(resource_ids)))


def _child(target: Any, *arguments: Any) -> Any:
    child = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    child.start()
    return child


class TestKill:
    @pytest.mark.parametrize("step", ["swap", "file", "verdict"])
    def test_each_table_is_old_or_new_and_can_be_finished(self, resource_ids: list[str], step: str):
        for resource_id in resource_ids:
            publish(resource_id, 1)
        child = _child(_publish_and_die, resource_ids, step)
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
        tables.finish_interrupted()
        swapped = [] if step == "swap" else resource_ids[:3]
        for resource_id in resource_ids:
            version = 2 if resource_id in swapped else 1
            assert state(resource_id) == ({version}, str(version), "ok")
        assert tables.publish_tables(staged(resource_ids, 2)) == {}
        for resource_id in resource_ids:
            assert state(resource_id) == ({2}, "2", "ok")
            assert leftovers(resource_id) == []


class TestTwoAtOnce:
    def test_who_locks_the_same_tables_in_another_order_waits_for_nobody_for_ever(self, resource_ids: list[str]):
        orders = (resource_ids, resource_ids[::-1])
        children = [_child(_publish_again_and_again, ids, version) for version, ids in enumerate(orders)]
        for child in children:
            child.join(60)
        assert [child.exitcode for child in children] == [0, 0]
