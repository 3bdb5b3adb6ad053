"""Records and entries that tell different things; runs whose worker is gone."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from sqlalchemy.exc import OperationalError
from tests.integration.harvesters.reconcile.steps import (
    KEYS,
    change_entry,
    delete,
    execute,
    found,
    purge,
)

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.discrepancies import CLEAN, LEFT, REPAIRED
from ckanext.openhuizhou.harvesters import lease, reconcile_records
from ckanext.openhuizhou.harvesters.reconcile import reconcile
from ckanext.openhuizhou.harvesters.sweep import WITHDRAW_REASON
from ckanext.openhuizhou.model.harvest import Record, Run, dataset_id_of
from ckanext.openhuizhou.search import outbox


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
