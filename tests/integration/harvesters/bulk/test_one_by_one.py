"""What is out of the ordinary goes through CKAN's actions, alone; who writes at the same time loses nothing."""

from __future__ import annotations

import itertools
import multiprocessing
import uuid
from collections.abc import Callable
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckanext.datastore.backend.postgres import get_write_engine
from tests.factories import complete_entry
from tests.integration.harvesters.bulk.conftest import Portal
from tests.integration.harvesters.conftest import Feed, make_feed

from ckanext.openhuizhou.errors import LeaseLost
from ckanext.openhuizhou.harvesters import bulk, lease
from ckanext.openhuizhou.harvesters.records import Link
from ckanext.openhuizhou.harvesters.writer import Writer
from ckanext.openhuizhou.model.harvest import Record, Run, RunFinding, link_id_of, source_id_of

Both = Callable[..., Any]
URL = "http://data.example.org/a.csv"


def titles() -> list[str]:
    return sorted(title for title in model.Session.scalars(sa.select(model.Package.title)) if title)


class TestOneBadRecord:
    def test_among_ten_is_refused_and_the_others_are_written_at_once(self, portal: Portal):
        entries = {f"k{n}": portal.entry(f"第{n}号") for n in range(10)}
        entries["k4"]["contact_email"] = "no address"
        refused = {f"k{n}": "refused" if n == 4 else "added" for n in range(10)}
        assert portal.write(entries, valid=False) == refused
        assert portal.actions == []
        assert len(titles()) == 9
        [finding] = model.Session.scalars(sa.select(RunFinding))
        assert (finding.kind, finding.record, finding.field) == ("entry-invalid", "k4", "contact_email")

    def test_a_change_that_a_validator_objects_to_leaves_the_entry(self, both: Both):
        def step(**values: Any) -> Callable[[Portal], Any]:
            return lambda portal: portal.write(
                {"a": portal.entry("甲", **values), "b": portal.entry("乙", notes=str(values))}, valid=False
            )

        _first, second = both(step(), step(version="1" * 101))
        assert second["result"] == {"a": "refused", "b": "changed"}


class TestTitles:
    def test_of_the_same_batch_meet(self, portal: Portal):
        entries = {"a": portal.entry("甲"), "b": portal.entry(" 甲 "), "c": portal.entry("丙")}
        assert portal.write(entries, valid=False) == {"a": "added", "b": "refused", "c": "added"}
        assert titles() == ["丙", "甲"]

    def test_of_another_entry_are_taken(self, both: Both):
        steps = (
            lambda portal: portal.write({"a": portal.entry("甲"), "b": portal.entry("乙")}),
            lambda portal: portal.write(
                {"b": portal.entry("甲"), "c": portal.entry("甲"), "d": portal.entry("丁")}, valid=False
            ),
        )
        assert both(*steps)[1]["result"] == {"b": "refused", "c": "refused", "d": "added"}


class TestForeignResource:
    """Somebody's dataset has the id of a resource that a record brings."""

    def test_the_rest_of_a_batch_of_new_entries_is_written(self, portal: Portal):
        _dataset_of_somebody(portal, link_id_of(portal.feed.source_id, "a", URL))
        portal.actions.clear()
        entries = {"a": portal.entry("甲"), "b": portal.entry("乙")}
        written = portal.write(entries, links={"a": [Link(URL)]}, valid=False)
        assert written == {"a": "refused", "b": "added"}
        assert portal.actions == ["package_create"]
        assert titles() == ["乙", "别人的数据"]

    def test_the_rest_of_a_batch_of_changes_is_written(self, both: Both):
        def by_hand(portal: Portal) -> Any:
            _dataset_of_somebody(portal, link_id_of(portal.feed.source_id, "a", URL))
            return "by hand"

        def step(*links: Link) -> Callable[[Portal], Any]:
            return lambda portal: portal.write(
                {"a": portal.entry("甲"), "b": portal.entry("乙", notes=str(links))}, links={"a": links}, valid=False
            )

        assert both(step(), by_hand, step(Link(URL)))[2]["result"] == {"a": "refused", "b": "changed"}


def _dataset_of_somebody(portal: Portal, resource_id: str) -> None:
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    entry = complete_entry(
        id=str(uuid.UUID(int=1)), title="别人的数据", owner_org=portal.organization["id"], type="dataset",
        resources=[{"id": resource_id, "url": URL}],
    )  # fmt: skip
    tk.get_action("package_create")({"user": user, "ignore_auth": True}, entry)


class TestLease:
    def test_a_lost_one_leaves_nothing_of_the_batch(self, portal: Portal):
        held = portal._lease()
        batch = [portal._prepared(key, portal.entry(key), None) for key in ("甲", "乙")]
        model.Session.execute(sa.update(Run).where(Run.id == held.run_id).values(worker="another"))
        model.Session.commit()
        with pytest.raises(LeaseLost):
            Writer(held, True).write(batch)
        model.Session.remove()
        for table in ("package", "openhuizhou_title", "openhuizhou_record", "openhuizhou_outbox", "activity", "tag"):
            assert model.Session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar() == 0, table
        model.Session.execute(sa.update(Run).where(Run.id == held.run_id).values(state="cancelled", lease_until=None))
        model.Session.commit()


class TestPossible:
    def test_alone_it_is(self, portal: Portal):
        assert bulk.possible()

    def test_not_beside_a_plugin_that_is_not_known(self, portal: Portal):
        p.load("example_iresourcecontroller")
        try:
            assert not bulk.possible()
            assert portal.write({"a": portal.entry("甲")}) == {"a": "added"}
            assert portal.actions == ["package_create"]
        finally:
            p.unload("example_iresourcecontroller")
        assert bulk.possible()

    def test_not_with_views_that_are_made_by_themselves(self, portal: Portal, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(tk.config, "ckan.views.default_views", ["datatables_view"])
        assert not bulk.possible()


def _write_all(portal: Portal, keys: list[str], ready: Any) -> None:
    """In a child process, which has connections of its own."""
    for engine in (get_write_engine(), model.meta.engine):
        assert engine is not None
        engine.dispose(close=False)
    model.Session.remove()
    ready.wait(30)
    for start in range(0, len(keys), 5):
        entries = {key: portal.entry(f"第{key}号", tag_string=f"共有,第{key}") for key in keys[start : start + 5]}
        portal.write(entries, valid=False)


class TestTwoAtOnce:
    def test_neither_waits_for_ever_and_no_title_or_code_is_given_twice(self, department: Any, portal: Portal):
        name = f"{department.organization['name']}-2"
        make_feed(department, id=source_id_of(name), name=name)
        second = Portal(Feed(source_id_of(name), name), portal.organization)
        keys = [str(number) for number in range(20)]
        context = multiprocessing.get_context("fork")
        ready = context.Barrier(2)
        children = [
            context.Process(target=_write_all, args=(one, order, ready))
            for one, order in ((portal, keys), (second, keys[::-1]))
        ]
        model.Session.remove()
        for child in children:
            child.start()
        for child in children:
            child.join(120)
        assert [child.exitcode for child in children] == [0, 0]
        assert titles() == sorted(f"第{key}号" for key in keys)
        names = list(model.Session.scalars(sa.select(model.Package.name)))
        assert len(set(names)) == len(keys)
        results = model.Session.execute(sa.select(Record.key, Record.last_result).order_by(Record.key)).tuples().all()
        for _key, pair in itertools.groupby(results, lambda row: row[0]):
            assert sorted(result for _, result in pair) == ["added", "refused"]
        assert lease.claimable() == 0
