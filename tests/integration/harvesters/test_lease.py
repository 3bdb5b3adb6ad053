"""Queueing a run while another of the same source is ending."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from tests.integration.harvesters.conftest import make_feed
from tests.integration.harvesters.workers import until

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.harvesters import engine, lease
from ckanext.openhuizhou.model.harvest import Run, source_id_of


class TestQueue:
    def test_a_run_that_ends_meanwhile_makes_room_for_the_new_one(self, department: Any, feed: Any):
        ending, _new = lease.queue(feed.source_id)
        engine = model.meta.engine
        assert engine is not None
        ended: list[str] = []

        def end(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            """After the insert was refused, before the active run is looked for."""
            if not ended and statement.startswith("SELECT") and "openhuizhou_run" in statement:
                ended.append(ending)
                with engine.begin() as connection:
                    connection.execute(sa.update(Run).where(Run.id == ending).values(state="done"))

        event.listen(engine, "before_cursor_execute", end)
        try:
            run_id, new = lease.queue(feed.source_id)
        finally:
            event.remove(engine, "before_cursor_execute", end)
        assert ended == [ending]
        assert new
        assert run_id != ending
        assert lease.queue(feed.source_id) == (run_id, False)

    def test_a_source_that_is_not_there_is_an_error(self, department: Any):
        with pytest.raises(IntegrityError):
            lease.queue("no-such-source")
        model.Session.rollback()


class TestRunThatEndsItsWorkers:
    """A record that does not fit into memory ends each worker at the same place."""

    @staticmethod
    def lose_worker(run_id: str, **values: Any) -> None:
        model.Session.execute(sa.update(Run).where(Run.id == run_id).values(lease_until=None, **values))
        model.Session.commit()

    def test_is_given_up_and_says_so(self, department: Any, feed: Any):
        department.add("D-1")
        run_id, _new = lease.queue(feed.source_id)
        for _worker in range(6):
            taken = lease.claim(run_id)
            assert taken is not None
            assert not taken.hopeless
            self.lose_worker(run_id)
        engine.work()
        given_up = feed.report(run_id)
        assert given_up["state"] == "failed"
        assert [finding.kind for finding in given_up["findings"]] == ["run-ends-workers"]
        assert department.paths() == []
        assert feed.run()["counts"] == {"added": 1}

    def test_is_not_given_up_while_it_gets_further(self, department: Any, feed: Any):
        run_id, _new = lease.queue(feed.source_id)
        for settled in range(10):
            taken = lease.claim(run_id)
            assert taken is not None
            assert not taken.hopeless
            self.lose_worker(run_id, unchanged=settled + 1)


class TestClaimNext:
    def test_a_run_that_ends_its_workers_keeps_no_other_source_waiting(self, department: Any, feed: Any):
        other = source_id_of("another")
        make_feed(department, id=other, name="another")
        first, _new = lease.queue(feed.source_id)
        assert lease.claim(first) is not None
        later, _new = lease.queue(other)
        gone = sa.update(Run).where(Run.id == first).values(lease_until=None)
        model.Session.execute(gone)
        model.Session.commit()
        taken = [lease.claim_next(), lease.claim_next(), lease.claim_next()]
        assert [one and one.run_id for one in taken] == [later, first, None]
        for one in filter(None, taken):
            one.finish("cancelled")
        model.Session.commit()


class TestKept:
    """The source takes longer to answer than a lease lasts."""

    @pytest.fixture(autouse=True)
    def _short_lease(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lease, "LEASE", timedelta(seconds=1))
        monkeypatch.setattr(lease, "_BEAT", 0.05)

    @staticmethod
    def while_it_answers(department: Any, feed: Any, act: Any) -> None:
        def slow(_key: str) -> None:
            department.before_rows = lambda _key: None
            run = model.Session.scalar(sa.select(Run).where(Run.source_id == feed.source_id, Run.state == "running"))
            run_id, ends = run.id, run.lease_until
            model.Session.remove()
            until(lambda: utcnow() > ends)
            act(run_id)
            model.Session.remove()

        department.before_rows = slow

    def test_nobody_takes_the_run_meanwhile(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        claims: list[Any] = []
        self.while_it_answers(department, feed, lambda run_id: claims.append(lease.claim(run_id)))
        assert feed.run()["counts"] == {"added": 2}
        assert claims == [None]

    def test_what_is_counted_counts_when_it_is_committed(self, feed: Any):
        """Killed before that, whoever takes the run over counts these records again."""
        run_id, _new = lease.queue(feed.source_id)
        mine = lease.claim(run_id)
        assert mine is not None
        mine.ahead = mine.counters["added"] = 5
        mine.count_rule("content", 5)

        def run() -> Run:
            model.Session.rollback()
            return model.Session.get_one(Run, run_id, populate_existing=True)

        with mine.kept():
            until(lambda: run().checkpoint == 5)
            assert (run().added, run().rules) == (0, {})
        mine.renew()
        model.Session.commit()
        assert (run().added, run().rules) == (5, {"content": 5})
        mine.finish("done")
        model.Session.commit()

    def test_a_worker_that_is_stuck_loses_it(self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(lease, "_STUCK", 0.2)
        department.add("D-1", "D-2")
        taken: list[Any] = []

        def take(run_id: str) -> None:
            until(lambda: taken.append(lease.claim(run_id)) or taken[-1])
            model.Session.execute(sa.update(Run).where(Run.id == run_id).values(worker="another:1:1"))
            model.Session.commit()

        self.while_it_answers(department, feed, take)
        run = feed.run()
        assert (run["state"], run["counts"]) == ("running", {})
        assert taken[-1].resumed
        assert feed.keys("published", "pending") == set()
        model.Session.execute(sa.update(Run).where(Run.id == run["id"]).values(lease_until=None))
        model.Session.commit()
        assert feed.run()["counts"] == {"added": 2}
