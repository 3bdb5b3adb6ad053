"""A site on which nothing differs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.harvesters.reconcile.steps import (
    KEYS,
)

from ckanext.openhuizhou.harvesters.reconcile import reconcile


@pytest.fixture
def harvested(department: Any, feed: Any) -> Any:
    """Three entries with a table each, and a site on which nothing else differs."""
    department.add(*KEYS)
    assert feed.run()["counts"] == {"added": 3}
    reconcile()
    assert reconcile(dry=True).found == []
    return feed
