"""Tables in a real DataStore: each test has a resource id of its own and leaves nothing behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from ckanext.openhuizhou.data import tables


@pytest.fixture
def resource_id(with_plugins: None) -> Iterator[str]:
    resource_id = str(uuid.uuid4())
    yield resource_id
    tables.drop_table(resource_id)
