"""Queueing a run while another of the same source is ending."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from ckanext.openhuizhou.harvesters import lease
from ckanext.openhuizhou.model.harvest import Run


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
