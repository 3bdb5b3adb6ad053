"""Fixtures of every integration test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

#: Plugins with tables of their own.
MIGRATED = ("activity", "openhuizhou")


@pytest.fixture(scope="session")
def empty_database(reset_db: Callable[[], None], migrate_db_for: Callable[..., Any]) -> Callable[[], None]:
    """``empty_database()`` deletes all rows. CKAN's ``reset_db`` drops the plugins' tables at its first call."""

    def empty() -> None:
        reset_db()
        for plugin in MIGRATED:
            migrate_db_for(plugin)

    return empty


@pytest.fixture
def clean_db(empty_database: Callable[[], None]) -> None:
    """CKAN's fixture of this name, for a site with our tables."""
    empty_database()
