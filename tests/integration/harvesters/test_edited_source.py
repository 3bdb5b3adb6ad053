"""A source that is edited before it is read, and while it is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.harvesters import engine, lease
from ckanext.openhuizhou.model.harvest import Source


def edit(feed: Any, **config: Any) -> None:
    """Somebody else's edit, on a connection of its own."""
    database = model.meta.engine
    assert database is not None
    this = Source.id == feed.source_id
    with database.begin() as connection:
        before = connection.execute(sa.select(Source.config).where(this)).scalar_one()
        values = {"config": {**before, **config}, "state": {}, "state_mapping": None, "modified": utcnow()}
        connection.execute(sa.update(Source).where(this).values(values))


class TestEdited:
    def test_it_is_read_as_it_is_now(self, department: Any, feed: Any):
        """A worker reads one source after the other in one process, and may meet one again."""
        department.add("D-1")
        known = model.Session.get_one(Source, feed.source_id)
        run_id, _new = lease.queue(feed.source_id)
        mine = lease.claim(run_id)
        assert mine is not None
        edit(feed, url=department.web.url + "/elsewhere")
        engine.execute(mine)
        assert known.config["url"].endswith("/elsewhere")
        assert feed.report(run_id)["state"] == "failed"
        assert department.paths() == ["/elsewhere"]

    def test_nothing_is_remembered_of_what_it_was_when_the_run_began(self, department: Any, feed: Any):
        edit(feed, covers_data=True)
        department.conditional = True
        department.add("D-1")
        department.before_rows = lambda _key: edit(feed, url=department.web.url + "/catalog?of=another")
        assert feed.run()["state"] == "done"
        assert model.Session.get_one(Source, feed.source_id).state == {}
        department.before_rows = lambda _key: None
        assert feed.run()["rules"][0]["rule"] != "source-not-modified"
        assert model.Session.get_one(Source, feed.source_id).state != {}
