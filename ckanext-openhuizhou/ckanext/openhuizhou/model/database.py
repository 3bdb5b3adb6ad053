"""CKAN's database for what must not wait for the session's transaction, nor be undone with it."""

from __future__ import annotations

import sqlalchemy as sa
from ckan import model


def engine() -> sa.Engine:
    """The engine of CKAN's own database."""
    found = model.meta.engine
    assert found is not None, "the database is not configured"
    return found
