"""What is old goes, what is needed stays, and nobody waits for it."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.harvesters import lease, retention
from ckanext.openhuizhou.model.harvest import (
    Difference,
    Outbox,
    Record,
    Run,
    RunFinding,
    RunNotice,
    dataset_id_of,
)

FINDINGS = 100_000


def days_ago(days: float) -> dt.datetime:
    return utcnow() - dt.timedelta(days=days)


def add_runs(feed: Any, *ages: float, **values: Any) -> list[str]:
    """A run of each of these ages (days)."""
    rows = [Run(source_id=feed.source_id, **{"state": "done", "created": days_ago(age), **values}) for age in ages]
    model.Session.add_all(rows)
    model.Session.commit()
    return [row.id for row in rows]


def runs_of(feed: Any) -> set[str]:
    model.Session.rollback()
    return set(model.Session.scalars(sa.select(Run.id).where(Run.source_id == feed.source_id)))


def count(table: Any, *run_ids: str) -> int:
    model.Session.rollback()
    query = sa.select(sa.func.count()).select_from(table).where(table.run_id.in_(run_ids))
    return model.Session.execute(query).scalar_one()


def execute(statement: Any, **values: Any) -> None:
    model.Session.execute(statement, values)
    model.Session.commit()


class TestRuns:
    def test_old_runs_go_but_for_the_last_twenty(self, feed: Any):
        add_runs(feed, *range(400, 430))
        recent = add_runs(feed, *range(1, 6))
        retention.prune()
        left = runs_of(feed)
        assert len(left) == 20
        assert set(recent) <= left

    def test_recent_runs_stay_however_many(self, feed: Any):
        recent = add_runs(feed, *range(1, 31))
        retention.prune()
        assert runs_of(feed) == set(recent)

    def test_the_options_say_how_old(self, feed: Any, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.keep_runs_days", 10)
        add_runs(feed, *range(1, 31))
        retention.prune()
        assert len(runs_of(feed)) == 20
        monkeypatch.setattr(retention, "KEPT_RUNS", 3)
        retention.prune()
        assert len(runs_of(feed)) == 9

    @pytest.mark.parametrize("state", ["queued", "paused", "held"])
    def test_what_waits_for_somebody_stays(self, feed: Any, monkeypatch: pytest.MonkeyPatch, state: str):
        monkeypatch.setattr(retention, "KEPT_RUNS", 1)
        [waits] = add_runs(feed, 900, state=state)
        execute(sa.insert(Difference).values(run_id=waits, record="D-1", action="withdrawn"))
        add_runs(feed, 1)
        retention.prune()
        assert waits in runs_of(feed)
        assert count(Difference, waits) == 1


class TestFindings:
    def test_a_hundred_thousand_go_quickly_and_those_of_recent_runs_stay(self, feed: Any):
        old, recent = add_runs(feed, *range(100, 110)), add_runs(feed, 2)
        many = sa.text(
            "INSERT INTO openhuizhou_finding (run_id, kind, severity, record, params)"
            " SELECT (CAST(:runs AS text[]))[1 + n % :count], 'key-duplicate', 'error', n::text, '{}'"
            " FROM generate_series(1, :findings) AS n"
        )
        execute(many, runs=old, count=len(old), findings=FINDINGS)
        execute(many, runs=recent, count=1, findings=50)
        assert count(RunFinding, *old) == FINDINGS
        began = time.monotonic()
        pruned = retention.prune()
        assert time.monotonic() - began < 20
        assert pruned.findings == FINDINGS
        assert count(RunFinding, *old) == 0
        assert count(RunFinding, *recent) == 50
        assert set(old) <= runs_of(feed)

    def test_each_batch_reads_its_rows_by_an_index(self, feed: Any):
        """On a table that is worth one; a small one is read whole."""
        model.Session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = model.Session.execute(
            sa.text("EXPLAIN SELECT id FROM openhuizhou_finding WHERE run_id = 'x' ORDER BY id LIMIT 5000")
        ).scalars()
        assert any("ix_openhuizhou_finding_run" in line for line in plan)
        model.Session.rollback()

    def test_differences_and_settled_notices_go_with_them(self, feed: Any):
        old, recent = add_runs(feed, 100)[0], add_runs(feed, 3)[0]
        for run_id, age in ((old, 100), (recent, 3)):
            execute(sa.insert(Difference).values(run_id=run_id, record="D-1", action="changed"))
            for recipient, next_attempt in (("sent@example.com", None), ("waits@example.com", utcnow())):
                values = {"run_id": run_id, "recipient": recipient, "next_attempt": next_attempt}
                execute(sa.insert(RunNotice).values(created=days_ago(age), **values))
        retention.prune()
        assert (count(Difference, old), count(Difference, recent)) == (0, 1)
        assert (count(RunNotice, old), count(RunNotice, recent)) == (1, 2)

    def test_a_prune_that_was_ended_goes_on_where_it_was(self, feed: Any, monkeypatch: pytest.MonkeyPatch):
        [old] = add_runs(feed, 200)
        finding = {"run_id": old, "kind": "key-duplicate", "severity": "error", "params": {}}
        execute(sa.insert(RunFinding).values([finding] * 10))
        monkeypatch.setattr(retention, "_BATCH", 4)
        once, calls = retention._once, []

        def ended(statement: Any) -> int:
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return once(statement)

        with monkeypatch.context() as ending:
            ending.setattr(retention, "_once", ended)
            with pytest.raises(KeyboardInterrupt):
                retention.prune()
        assert count(RunFinding, old) == 6
        assert retention.prune().findings == 6


class TestRecords:
    def test_a_record_whose_entry_is_gone_is_forgotten_after_a_year(self, department: Any, feed: Any):
        department.add("D-1", "D-2", "D-3")
        feed.run()
        department.remove("D-1", "D-2")
        feed.run()
        assert feed.keys("withdrawn") == {"D-1", "D-2"}
        tk.get_action("dataset_purge")({"ignore_auth": True}, {"id": dataset_id_of(feed.source_id, "D-1")})
        retention.prune()
        assert feed.keys("withdrawn") == {"D-1", "D-2"}
        execute(sa.update(Record).where(Record.source_id == feed.source_id).values(last_seen=days_ago(400)))
        assert retention.prune().records == 1
        # the other's entry exists, and comes back under its name with its record
        assert feed.keys("withdrawn", "published") == {"D-2", "D-3"}
        department.add("D-2")
        assert feed.run()["counts"] == {"changed": 1, "unchanged": 1}
        assert feed.entry("D-2")["entry_state"] == "published"


class TestOutbox:
    def test_many_rows_of_one_entry_become_one_its_newest(self, feed: Any):
        rows = [{"package_id": f"p-{number % 3}"} for number in range(30)]
        model.Session.execute(sa.insert(Outbox), rows)
        model.Session.commit()
        newest = model.Session.scalar(sa.select(sa.func.max(Outbox.id)))
        model.Session.rollback()
        assert retention.prune().outbox == 27
        left = model.Session.execute(sa.select(Outbox.package_id, Outbox.id).order_by(Outbox.id)).all()
        assert {row.package_id for row in left} == {"p-0", "p-1", "p-2"}
        assert left[-1].id == newest
        execute(sa.delete(Outbox))

    def test_rows_that_a_drain_holds_are_left_to_it(self, feed: Any):
        model.Session.execute(sa.insert(Outbox), [{"package_id": "p-1"}] * 4)
        model.Session.commit()
        engine = model.meta.engine
        assert engine is not None
        with engine.connect() as draining:
            draining.execute(sa.select(Outbox.id).order_by(Outbox.id).limit(2).with_for_update())
            assert retention.prune().outbox == 1
            draining.rollback()
        assert retention.prune().outbox == 2
        execute(sa.delete(Outbox))


class TestBesideRuns:
    def test_a_run_that_works_is_not_disturbed(self, department: Any, feed: Any):
        department.add("D-1")
        run_id, _new = lease.queue(feed.source_id)
        held = lease.claim(run_id)
        assert held is not None
        execute(sa.update(Run).where(Run.id == run_id).values(created=days_ago(800)))
        retention.prune()
        assert run_id in runs_of(feed)
        held.finish("done")
        model.Session.commit()
