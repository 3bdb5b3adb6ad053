"""Tables in a real DataStore, of every type, to be taken away."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from tests.integration.visibility.conftest import world  # noqa: F401 - a fixture

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.data.table_query import TableQuery, parse_query
from ckanext.openhuizhou.domain.items import Item

Published = Callable[..., str]


@pytest.fixture
def published(with_plugins: None) -> Iterator[Published]:
    """``published(items, rows)`` loads a table and returns the id of its resource; again with an id of before."""
    made: list[str] = []

    def publish(items: Sequence[Item], rows: Sequence[Sequence[Any]], resource_id: str = "") -> str:
        resource_id = resource_id or str(uuid.uuid4())
        made.append(resource_id)
        tables.publish_table(tables.stage_table(resource_id, items, rows), "a-package")
        return resource_id

    yield publish
    for resource_id in made:
        tables.drop_table(resource_id)


def query_of(resource_id: str, **args: Any) -> TableQuery:
    return parse_query(resource_id, columns_of(resource_id), args)
