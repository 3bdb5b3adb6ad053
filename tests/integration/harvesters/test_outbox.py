"""One dataset that the index cannot take keeps no other out of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.model.harvest import Outbox
from ckanext.openhuizhou.search import outbox


def waiting() -> list[str]:
    return list(model.Session.scalars(sa.select(Outbox.package_id).order_by(Outbox.id)))


def change(dataset_id: str, **values: Any) -> None:
    """Behind CKAN's back, which would validate it."""
    model.Session.execute(sa.update(model.Package).where(model.Package.id == dataset_id).values(values))
    outbox.enqueue(dataset_id)
    model.Session.commit()
    model.Session.remove()


def poison(dataset_id: str) -> None:
    """A free field that has the name of one of Solr's and is no number, as Solr's must be."""
    change(dataset_id, extras=extras(dataset_id) | {"views_recent": "many"})


def heal(dataset_id: str) -> None:
    change(dataset_id, extras={name: value for name, value in extras(dataset_id).items() if name != "views_recent"})


def extras(dataset_id: str) -> dict[str, str]:
    return dict(model.Session.get_one(model.Package, dataset_id).extras or {})


class TestRefusedDocument:
    def test_it_waits_and_the_others_are_indexed(self, department: Any, feed: Any):
        department.add("D-1", "D-2", "D-3")
        feed.run()
        ids = {key: feed.entry(key)["id"] for key in ("D-1", "D-2", "D-3")}
        title = feed.entry("D-1")["title"]
        change(ids["D-2"], title="演示第二")
        change(ids["D-1"], title="演示第一")
        poison(ids["D-1"])
        change(ids["D-3"], title="演示第三")
        refused: list[str] = []
        assert outbox.drain(refused=refused.append) == 2
        assert refused == waiting() == [ids["D-1"]]
        assert feed.found() == {title, "演示第二", "演示第三"}
        heal(ids["D-1"])
        assert outbox.drain() == 1
        assert waiting() == []
        assert "演示第一" in feed.found()

    def test_the_run_names_it_and_goes_on(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        feed.run()
        poison(feed.entry("D-1")["id"])
        department.add("D-3")
        run = feed.run()
        assert (run["state"], run["counts"]) == ("done", {"added": 1, "unchanged": 2})
        title = feed.record("D-1")["title"]
        assert [(f.kind, f.record, f.value) for f in run["findings"]] == [("index-refused", "D-1", title)]
        assert feed.entry("D-3")["title"] in feed.found()
        model.Session.execute(sa.delete(Outbox))
        model.Session.commit()
