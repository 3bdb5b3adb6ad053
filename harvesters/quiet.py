"""A source that nobody works on, kept so while something of it is repaired."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.harvesters.lease import abandoned
from ckanext.openhuizhou.model.harvest import ACTIVE_STATES, Run, Source


@contextmanager
def quiet(source_id: str) -> Iterator[bool]:
    """Whether no worker reads the source; and none begins before the session's transaction ends.

    Commits at the end, or rolls back when the body raises. A new run needs its source's row, which is locked here;
    a run that waits is locked itself, and workers pass over it.
    """
    try:
        source = sa.select(Source.id).where(Source.id == source_id).with_for_update()
        known = model.Session.execute(source).first() is not None
        run = sa.select(Run).where(Run.source_id == source_id, Run.state.in_(ACTIVE_STATES))
        free = known
        active = model.Session.scalars(run.execution_options(populate_existing=True)).first()
        if active is not None:
            locked = run.with_for_update(skip_locked=True).execution_options(populate_existing=True)
            mine = model.Session.scalars(locked).first()
            free = known and mine is not None and (mine.state != "running" or abandoned(mine))
        yield free
        model.Session.commit()
    except BaseException:
        model.Session.rollback()
        raise
