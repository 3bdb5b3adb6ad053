"""A portal on which the same can be written twice: through CKAN's actions, and at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib import search
from ckan.lib.signals import action_succeeded
from ckan.types import Context
from tests.integration.harvesters.bulk.snapshots import Snapshot, comparable, snapshot

from ckanext.openhuizhou.data.tables import drop_table, stage_table
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.harvesters import bulk, lease, stored, sweep
from ckanext.openhuizhou.harvesters.prepared import Prepared
from ckanext.openhuizhou.harvesters.records import Link
from ckanext.openhuizhou.harvesters.writer import Writer
from ckanext.openhuizhou.model.harvest import dataset_id_of, resource_id_of

#: Emptied before each writing, in this order.
WRITTEN = (
    "activity",
    "package_tag",
    "resource_view",
    "resource",
    "package_relationship",
    "package",
    "tag",
    "openhuizhou_title",
    "openhuizhou_catalogue_code",
    "openhuizhou_code_counter",
    "openhuizhou_finding",
    "openhuizhou_record",
    "openhuizhou_load",
    "openhuizhou_outbox",
)


@dataclass
class Portal:
    """A source and its entries. ``actions``: CKAN's writing actions that were called since the portal was emptied."""

    feed: Any
    organization: Mapping[str, Any]
    actions: list[str] = field(default_factory=list)

    def entry(self, title: str = "演示数据", **changes: Any) -> dict[str, Any]:
        """A mapped record as the writer gets it."""
        entry = {
            "title": title,
            "notes": "演示数据",
            "owner_org": self.organization["id"],
            "category": "211001",
            "theme": "environment",
            "tag_string": "空气,水质",
            "open_type": "unconditional",
            "share_type": "unconditional",
            "share_way": "file",
            "format_class": "spreadsheet",
            "update_cycle": "monthly",
            "items": [{"name": "站点", "column": "station", "data_type": "string", "is_key": True}],
        }
        return {name: value for name, value in {**entry, **changes}.items() if value is not None}

    def write(
        self,
        entries: Mapping[str, Mapping[str, Any]],
        *,
        links: Mapping[str, Sequence[Link]] | None = None,
        tables: Mapping[str, Sequence[Sequence[object]]] | None = None,
        approved: bool = True,
        valid: bool = True,
    ) -> dict[str, str]:
        """One batch of the writer: key → entry. Returns key → result. ``valid``: none may be refused."""
        held = self._lease()
        known = stored.load_whole(self.feed.source_id, entries)
        batch = []
        for key, entry in entries.items():
            prepared = self._prepared(key, entry, known.get(key))
            prepared.links = tuple((links or {}).get(key, ()))
            if tables and key in tables:
                items = [Item.from_dict(item) for item in entry["items"]]
                prepared.staged = stage_table(prepared.resource_id, items, tables[key])
            batch.append(prepared)
        writer = Writer(held, approved)
        writer.write(batch)
        writer.drain()
        held.finish("done")
        model.Session.commit()
        model.Session.remove()
        for prepared in batch:
            assert not valid or prepared.result in stored.GOOD, prepared.findings
        return {prepared.key: prepared.result for prepared in batch}

    def withdraw_all_but(self, *keys: str) -> None:
        """The sweep of a run that met only these records."""
        held = self._lease()
        stored.mark_seen(self.feed.source_id, dict.fromkeys(keys), held.run_id)
        sweep.withdraw(held, approved=True)
        held.finish("done")
        model.Session.commit()
        Writer(held, True).drain()
        model.Session.remove()

    def patch(self, key: str, **values: Any) -> None:
        """A person changes an entry by hand."""
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        context = Context(ignore_auth=True, user=user)
        tk.get_action("package_patch")(context, {"id": self.id_of(key), **values})
        model.Session.remove()

    def id_of(self, key: str) -> str:
        return dataset_id_of(self.feed.source_id, key)

    def empty(self) -> None:
        for name in WRITTEN:
            model.Session.execute(sa.text(f'DELETE FROM "{name}"'))
        model.Session.execute(sa.text("DELETE FROM member WHERE table_name = 'package'"))
        model.Session.commit()
        model.Session.remove()
        search.clear_all()
        self.actions.clear()

    def _lease(self) -> lease.Lease:
        run_id, _new = lease.queue(self.feed.source_id)
        held = lease.claim(run_id)
        assert held is not None
        return held

    def _prepared(self, key: str, entry: Mapping[str, Any], known: Any) -> Prepared:
        dataset_id = self.id_of(key)
        there = model.Session.execute(sa.select(model.Package.id).where(model.Package.id == dataset_id)).scalar()
        prepared = Prepared(
            key, dataset_id, resource_id_of(self.feed.source_id, key), "changed" if there else "added", known
        )
        prepared.source_id, prepared.title = self.feed.source_id, entry.get("title")
        prepared.entry, prepared.write, prepared.hash = dict(entry), True, "hash"
        return prepared

    @contextmanager
    def listening(self) -> Iterator[None]:
        def heard(sender: str, **_values: Any) -> None:
            if sender in ("package_create", "package_update"):
                self.actions.append(sender)

        with action_succeeded.connected_to(heard):
            yield


Steps = Sequence[Callable[[Portal], Any]]


@pytest.fixture
def portal(department: Any, feed: Any) -> Iterator[Portal]:
    made = Portal(feed, department.organization)
    with made.listening():
        made.empty()
        yield made
        _drop_tables(made)
        made.empty()


def _drop_tables(portal: Portal) -> None:
    for (resource_id,) in model.Session.execute(sa.text("SELECT resource_id FROM openhuizhou_load")).all():
        drop_table(resource_id)


@pytest.fixture
def both(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Snapshot]]:
    """``both(step, …)`` takes the steps twice and compares after each; the snapshots of the second way.

    ``by_action``: how many entries go through CKAN's actions in the second way; None when it does not matter.
    """

    def run(*steps: Callable[[Portal], Any], by_action: int | None = 0) -> list[Snapshot]:
        ways = []
        for at_once in (False, True):
            _drop_tables(portal)
            portal.empty()
            with monkeypatch.context() as way:
                if not at_once:
                    way.setattr(bulk, "possible", lambda: False)
                ways.append(_taken(portal, steps, by_action if at_once else None))
        for number, (actions, once) in enumerate(zip(*ways, strict=True)):
            for name, value in comparable(actions).items():
                assert comparable(once)[name] == value, f"step {number}: {name}"
        return ways[1]

    return run


def _taken(portal: Portal, steps: Steps, by_action: int | None) -> list[Snapshot]:
    taken: list[Snapshot] = []
    called = 0
    for step in steps:
        portal.actions.clear()
        result = step(portal)
        # what a person does goes through the actions on both ways
        called += 0 if result == "by hand" else len(portal.actions)
        taken.append(snapshot(taken[-1] if taken else None) | {"result": result})
    if by_action is not None:
        assert called == by_action, "entries that went through CKAN's actions"
    return taken
