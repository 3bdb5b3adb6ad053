"""Faults of every kind, made for real; one comparison repairs them, and the next finds nothing."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import ckan.plugins.toolkit as tk
import pysolr
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckanext.datastore.backend.postgres import get_write_engine, identifier
from sqlalchemy.exc import OperationalError

from ckanext.openhuizhou.data import datastore_tables, files
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.discrepancies import CLEAN, LEFT, REPAIRED
from ckanext.openhuizhou.harvesters import lease, reconcile_records
from ckanext.openhuizhou.harvesters.reconcile import last_report, reconcile
from ckanext.openhuizhou.harvesters.sweep import WITHDRAW_REASON
from ckanext.openhuizhou.model import load
from ckanext.openhuizhou.model.harvest import Record, Run, Source, dataset_id_of, resource_id_of
from ckanext.openhuizhou.search import outbox, walk

#: Nothing listens there.
DEAD_SOLR = "http://127.0.0.1:9/solr/none"
KEYS = ("D-1", "D-2", "D-3")


def found(**options: Any) -> dict[str, int]:
    report = reconcile(**options)
    model.Session.remove()
    return dict(report.counts)


def documents(package_id: str) -> list[dict[str, Any]]:
    return make_connection().search("*:*", fq=[f"id:{package_id}"]).docs


def document(package_id: str) -> dict[str, Any]:
    [found_one] = documents(package_id)
    return found_one


def execute(statement: Any) -> None:
    model.Session.execute(statement)
    model.Session.commit()


def purge(feed: Any, key: str) -> None:
    """As a person does; CKAN leaves the table, its file and its load."""
    tk.get_action("dataset_purge")({"ignore_auth": True}, {"id": dataset_id_of(feed.source_id, key)})


def delete(package_id: str) -> None:
    """As a person does; the entry may come back."""
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    tk.get_action("package_delete")({"ignore_auth": True, "user": user}, {"id": package_id})


def change_entry(feed: Any, key: str, **values: Any) -> None:
    execute(sa.update(model.Package).where(model.Package.id == dataset_id_of(feed.source_id, key)).values(values))


def in_datastore(statement: str) -> None:
    with get_write_engine().begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.fixture
def harvested(department: Any, feed: Any) -> Any:
    """Three entries with a table each, and a site on which nothing else differs."""
    department.add(*KEYS)
    assert feed.run()["counts"] == {"added": 3}
    reconcile()
    assert reconcile(dry=True).found == []
    return feed


def heals(feed: Any, **kinds: int) -> None:
    """A dry comparison finds it and changes nothing, the next one repairs it, the third finds nothing."""
    wanted = {kind.replace("_", "-"): count for kind, count in kinds.items()}
    dry = reconcile(dry=True)
    assert (dict(dry.counts), dry.status) == (wanted, LEFT)
    report = reconcile()
    assert (dict(report.counts), dict(report.left), report.status) == (wanted, {}, REPAIRED)
    assert reconcile().status == CLEAN
    model.Session.remove()
    run = feed.run()
    assert run["state"] == "done"
    assert feed.inconsistencies() == []
    assert reconcile(deep=True).status == CLEAN


class TestIndex:
    def test_a_missing_document_comes_back(self, harvested: Any):
        make_connection().delete(id=document(dataset_id_of(harvested.source_id, "D-1"))["index_id"], commit=True)
        heals(harvested, document_missing=1)
        assert len(harvested.found()) == 3

    @pytest.mark.parametrize("ghost", ["of no entry", "of no entry, under another key", "a second one of an entry"])
    def test_a_ghost_goes(self, harvested: Any, ghost: str):
        real = document(dataset_id_of(harvested.source_id, "D-1"))
        package_id = real["id"] if ghost.startswith("a second") else "ghost-1"
        own_key = hashlib.md5(f"{package_id}{real['site_id']}".encode()).hexdigest()
        index_id = own_key if ghost == "of no entry" else "another-key"
        fields = {name: real[name] for name in ("site_id", "entity_type", "dataset_type", "name", "title", "state")}
        make_connection().add([{**fields, "id": package_id, "index_id": index_id}], commit=True)
        heals(harvested, document_superfluous=1)
        assert documents("ghost-1") == []
        assert document(real["id"])["index_id"] == real["index_id"]

    @pytest.mark.parametrize(
        "tampered",
        [
            {"title": "演示：另一个名称"},
            {"metadata_modified": utcnow().replace(year=2020)},
            {"private": True},
            {"extras": sa.func.jsonb_set(model.Package.extras, ["open_type"], '"none"')},
        ],
        ids=["title", "modified", "private", "open-type"],
    )
    def test_a_document_that_tells_otherwise_is_written_anew(self, harvested: Any, tampered: dict[str, Any]):
        """Whatever the time of change says."""
        change_entry(harvested, "D-2", **tampered)
        assert found(dry=True) == {"document-outdated": 1}
        assert found() == {"document-outdated": 1}
        assert found() == {}

    def test_a_verdict_that_the_index_does_not_know_reaches_it(self, harvested: Any):
        with_failed = sa.update(load.Load).where(load.Load.resource_id == resource_id_of(harvested.source_id, "D-1"))
        execute(with_failed.values(verdict="failed"))
        assert document(dataset_id_of(harvested.source_id, "D-1"))["openhuizhou_data_ok"] is True
        assert found() == {"document-outdated": 1}
        assert document(dataset_id_of(harvested.source_id, "D-1"))["openhuizhou_data_ok"] is False

    def test_a_purged_entry_in_the_outbox_is_taken_out_of_both(self, harvested: Any):
        package_id = dataset_id_of(harvested.source_id, "D-3")
        outbox.enqueue(["never-there", "never-there"])
        model.Session.commit()
        tk.get_action("dataset_purge")({"ignore_auth": True}, {"id": package_id})
        outbox.enqueue(package_id)
        model.Session.commit()
        counts = found()
        assert counts["outbox-gone"] == 2
        assert outbox.waiting() == 0
        assert documents(package_id) == []
        assert found() == {}

    def test_pages_meet_at_their_edges(self, harvested: Any, monkeypatch: pytest.MonkeyPatch):
        """With pages of two, nothing is passed over or met twice."""
        monkeypatch.setattr(walk, "PAGE", 2)
        monkeypatch.setattr(walk.dataset_pages, "__defaults__", (2,))
        report = reconcile()
        entries = model.Session.scalar(
            sa.select(sa.func.count()).select_from(model.Package).where(model.Package.state != "deleted")
        )
        assert report.status == CLEAN
        assert report.looked_at["entries"] == report.looked_at["documents"] == entries

    def test_a_change_that_waits_for_its_index_is_no_discrepancy(self, harvested: Any):
        change_entry(harvested, "D-1", title="演示：改名")
        outbox.enqueue(dataset_id_of(harvested.source_id, "D-1"))
        model.Session.commit()
        assert found(dry=True) == {}

    def test_a_dead_index_is_said_and_the_rest_is_repaired(self, harvested: Any, monkeypatch: pytest.MonkeyPatch):
        purge(harvested, "D-1")
        monkeypatch.setitem(tk.config, "solr_url", DEAD_SOLR)
        with pytest.raises((search.SearchIndexError, pysolr.SolrError)):
            reconcile()
        model.Session.remove()
        assert harvested.record("D-1")["state"] == "pending"


class TestRecords:
    def test_a_purged_entry_is_written_again(self, harvested: Any):
        purge(harvested, "D-1")
        counts = found()
        assert counts["record-entry-gone"] == 1
        assert set(counts) <= {
            "record-entry-gone",
            "load-orphan",
            "table-orphan",
            "document-superfluous",
            "file-orphan",
        }
        assert found() == {}
        assert harvested.run()["counts"] == {"added": 1, "unchanged": 2}
        assert harvested.inconsistencies() == []

    def test_what_a_person_deleted_stays_deleted(self, harvested: Any):
        package_id = dataset_id_of(harvested.source_id, "D-1")
        delete(package_id)
        assert found() == {"record-entry-deleted": 1}
        assert found() == {}
        assert harvested.record("D-1")["state"] == "refused"
        run = harvested.run()
        assert run["counts"] == {"refused": 1, "unchanged": 2}
        assert [finding.kind for finding in run["findings"]] == ["entry-deleted"]
        assert model.Session.get_one(model.Package, package_id).state == "deleted"
        assert found() == {}

    def test_what_a_person_brings_back_is_read_again(self, harvested: Any):
        package_id = dataset_id_of(harvested.source_id, "D-1")
        delete(package_id)
        reconcile()
        change_entry(harvested, "D-1", state="active")
        counts = found()
        assert counts["record-entry-back"] == 1
        assert found() == {}
        assert harvested.run()["counts"] == {"changed": 1, "unchanged": 2}
        assert harvested.record("D-1")["state"] == "published"

    def test_a_person_s_withdrawal_is_no_discrepancy(self, harvested: Any):
        extras = sa.func.jsonb_set(model.Package.extras, ["entry_state"], '"withdrawn"')
        change_entry(harvested, "D-1", extras=extras, private=True)
        outbox.enqueue(dataset_id_of(harvested.source_id, "D-1"))
        model.Session.commit()
        assert found() == {}
        assert harvested.record("D-1")["state"] == "published"

    def test_the_sweep_s_withdrawal_is_told_to_the_record(self, harvested: Any):
        extras = model.Package.extras.op("||")(
            sa.func.jsonb_build_object("entry_state", "withdrawn", "withdraw_reason", WITHDRAW_REASON)
        )
        change_entry(harvested, "D-1", extras=extras, private=True)
        counts = found()
        assert counts["record-entry-withdrawn"] == 1
        assert found() == {}
        assert harvested.run()["counts"] == {"changed": 1, "unchanged": 2}
        assert harvested.entry("D-1")["entry_state"] == "published"

    def test_an_entry_whose_record_was_lost_is_met_by_the_next_run(self, department: Any, harvested: Any):
        department.conditional = True
        harvested.run()
        execute(sa.delete(Record).where(Record.source_id == harvested.source_id, Record.key == "D-1"))
        report = reconcile()
        assert (dict(report.counts), report.status) == ({"entry-without-record": 1}, LEFT)
        model.Session.remove()
        # the source says that nothing changed; it is read all the same
        assert harvested.run()["state"] == "done"
        assert harvested.keys("published") == set(KEYS)
        assert found() == {}

    def test_a_source_that_is_being_read_is_left_alone(self, harvested: Any):
        purge(harvested, "D-1")
        run_id, _new = lease.queue(harvested.source_id)
        held = lease.claim(run_id)
        assert held is not None
        report = reconcile()
        assert harvested.name in report.skipped
        assert report.counts["record-entry-gone"] == 0
        assert harvested.record("D-1")["state"] == "published"
        held.finish("done")
        model.Session.commit()
        assert found()["record-entry-gone"] == 1

    def test_no_run_begins_while_a_record_is_repaired(self, harvested: Any, monkeypatch: pytest.MonkeyPatch):
        """Whoever queues a run at that moment waits for the source's row."""
        purge(harvested, "D-1")
        seen: list[str] = []
        repair = reconcile_records._repair

        def try_to_queue(*arguments: Any) -> None:
            engine = model.meta.engine
            assert engine is not None
            with engine.connect() as other:
                other.exec_driver_sql("SET lock_timeout = '200ms'")
                try:
                    other.execute(sa.insert(Run).values(id="r", source_id=harvested.source_id))
                except OperationalError as error:
                    seen.append(type(error.orig).__name__)
            repair(*arguments)

        monkeypatch.setattr(reconcile_records, "_repair", try_to_queue)
        reconcile()
        assert seen == ["LockNotAvailable"]


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


class TestLeases:
    def test_a_run_of_a_dead_worker_waits_for_another_and_goes_on(self, department: Any, harvested: Any):
        department.add("D-4")
        run_id, _new = lease.queue(harvested.source_id)
        assert lease.claim(run_id) is not None
        execute(sa.update(Run).where(Run.id == run_id).values(worker="elsewhere:1:1", lease_until=utcnow()))
        report = reconcile()
        assert (dict(report.counts), report.status) == ({"lease-dead": 1}, REPAIRED)
        assert reconcile().status == CLEAN
        model.Session.remove()
        run = harvested.run()
        assert (run["id"], run["state"], run["counts"]) == (run_id, "done", {"added": 1, "unchanged": 3})


class TestReport:
    def test_the_last_report_is_kept(self, harvested: Any):
        make_connection().delete(id=document(dataset_id_of(harvested.source_id, "D-1"))["index_id"], commit=True)
        reconcile()
        kept = last_report()
        assert kept is not None
        assert kept["counts"] == {"document-missing": 1}
        assert kept["found"][0]["what"] == dataset_id_of(harvested.source_id, "D-1")
        reconcile(dry=True)
        assert last_report() == kept

    def test_sources_are_untouched_by_a_clean_comparison(self, department: Any, harvested: Any):
        department.conditional = True
        harvested.run()
        before = model.Session.get_one(Source, harvested.source_id).state
        reconcile()
        model.Session.remove()
        assert model.Session.get_one(Source, harvested.source_id).state == before
