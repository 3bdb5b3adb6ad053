"""Tables and files that are not what was published, and what belongs to nobody."""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa
from ckan import model
from ckanext.datastore.backend.postgres import identifier
from tests.integration.harvesters.reconcile.steps import (
    delete,
    document,
    execute,
    found,
    heals,
    in_datastore,
)

from ckanext.openhuizhou.data import datastore_tables, files
from ckanext.openhuizhou.harvesters import lease
from ckanext.openhuizhou.harvesters.reconcile import reconcile
from ckanext.openhuizhou.model import load
from ckanext.openhuizhou.model.harvest import dataset_id_of, resource_id_of


class TestTables:
    def table(self, feed: Any) -> str:
        return identifier(resource_id_of(feed.source_id, "D-1"))

    def test_a_dropped_table_is_published_again(self, harvested: Any):
        in_datastore(f"DROP TABLE {self.table(harvested)}")
        heals(harvested, table_missing=1)
        assert len(harvested.table("D-1")) == 2

    def test_meanwhile_nobody_is_told_that_it_can_be_read(self, harvested: Any):
        in_datastore(f"DROP TABLE {self.table(harvested)}")
        reconcile()
        assert document(dataset_id_of(harvested.source_id, "D-1"))["openhuizhou_data_ok"] is False

    def test_a_lost_file_is_published_again(self, harvested: Any):
        path = files.published_file(resource_id_of(harvested.source_id, "D-1"))
        content = path.read_bytes()
        path.unlink()
        heals(harvested, file_wrong=1)
        assert path.read_bytes() == content

    def test_another_file_is_replaced(self, harvested: Any):
        path = files.published_file(resource_id_of(harvested.source_id, "D-1"))
        content = path.read_bytes()
        path.write_bytes(content + b"more\r\n")
        heals(harvested, file_wrong=1)
        assert path.read_bytes() == content

    def test_a_deep_comparison_sees_other_bytes_of_the_same_length(self, harvested: Any):
        path = files.published_file(resource_id_of(harvested.source_id, "D-1"))
        content = path.read_bytes()
        path.write_bytes(content[:-3] + b"9\r\n")
        assert found() == {}
        assert found(deep=True) == {"file-wrong": 1}
        harvested.run()
        assert path.read_bytes() == content
        assert found(deep=True) == {}

    def test_a_deep_comparison_counts_rows(self, harvested: Any):
        in_datastore(f"DELETE FROM {self.table(harvested)} WHERE _id = 1")
        assert found() == {}
        assert found(deep=True) == {"table-tampered": 1}
        harvested.run()
        assert len(harvested.table("D-1")) == 2
        assert found(deep=True) == {}

    def test_an_interrupted_publication_is_completed(self, harvested: Any):
        resource_id = resource_id_of(harvested.source_id, "D-1")
        execute(sa.update(load.Load).where(load.Load.resource_id == resource_id).values(digest="older"))
        heals(harvested, publication_interrupted=1)

    def test_a_table_without_resource_goes(self, harvested: Any):
        orphan = "00000000-0000-4000-8000-000000000001"
        in_datastore(f"CREATE TABLE {identifier(orphan)} (_id serial)")
        heals(harvested, table_orphan=1)
        assert datastore_tables.live_mark(orphan) is None

    def test_the_table_of_a_purged_entry_goes_with_its_file_and_its_load(self, harvested: Any):
        resource_id = resource_id_of(harvested.source_id, "D-1")
        execute(sa.delete(model.Resource).where(model.Resource.id == resource_id))
        assert found()["load-orphan"] == 1
        assert datastore_tables.live_mark(resource_id) is None
        assert not files.published_file(resource_id).exists()
        assert load.load_of(resource_id) is None

    def test_the_table_of_a_deleted_entry_stays(self, harvested: Any):
        """Its entry may come back."""
        delete(dataset_id_of(harvested.source_id, "D-1"))
        reconcile()
        assert datastore_tables.live_mark(resource_id_of(harvested.source_id, "D-1")) is not None

    def test_what_a_killed_load_left_goes(self, harvested: Any):
        resource_id = "00000000-0000-4000-8000-000000000002"
        stage = identifier(datastore_tables.staging_name(resource_id))
        in_datastore(f"CREATE TABLE {stage} (_id serial)")
        old, young = files.writing_file(resource_id), files.writing_file("00000000-0000-4000-8000-000000000003")
        for path in (old, young):
            path.write_text("x")
        os.utime(old, (0, 0))
        try:
            assert found() == {"staging-left": 2}
            assert not old.exists()
            assert young.exists()
            assert found() == {}
        finally:
            young.unlink()

    def test_while_a_run_works_nothing_that_is_staged_is_touched(self, harvested: Any):
        resource_id = "00000000-0000-4000-8000-000000000004"
        stage = identifier(datastore_tables.staging_name(resource_id))
        in_datastore(f"CREATE TABLE {stage} (_id serial)")
        run_id, _new = lease.queue(harvested.source_id)
        held = lease.claim(run_id)
        assert held is not None
        report = reconcile()
        assert "staging" in report.skipped
        assert report.counts["staging-left"] == 0
        held.finish("done")
        model.Session.commit()
        assert found() == {"staging-left": 1}

    def test_a_file_without_resource_goes_when_it_is_no_upload_under_way(self, harvested: Any):
        orphan = files.published_file("00000000-0000-4000-8000-000000000005")
        orphan.parent.mkdir(parents=True, exist_ok=True)
        orphan.write_text("x")
        assert found() == {}
        os.utime(orphan, (0, 0))
        heals(harvested, file_orphan=1)
        assert not orphan.exists()
