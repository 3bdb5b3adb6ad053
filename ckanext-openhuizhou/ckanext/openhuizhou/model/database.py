"""CKAN's database for what must not wait for the session's transaction, nor be undone with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from ckan import model


def engine() -> sa.Engine:
    """The engine of CKAN's own database."""
    found = model.meta.engine
    assert found is not None, "the database is not configured"
    return found


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """One process at a time in what has this name; others wait. A killed holder holds nothing."""
    with engine().begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
        yield
