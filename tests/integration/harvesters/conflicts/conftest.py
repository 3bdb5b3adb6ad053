"""A second system of the same department, and the source that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from tests.integration.harvesters.conflicts.two_sources import TITLE, second_source

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.model.harvest import Record, resource_id_of


@pytest.fixture
def other_department(department: Any) -> Iterator[Any]:
    """A second system that speaks for the same department: its own web service, its own records."""
    web = type(department.web)()
    yield type(department)(web, department.organization)
    web.stop()


@pytest.fixture
def other(department: Any, other_department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The source that reads the second system; it comes first."""
    hosts = [department.web.host, other_department.web.host]
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", hosts)
    made = second_source(feed, other_department, priority=200)
    yield made
    model.Session.remove()
    for key in model.Session.scalars(sa.select(Record.key).where(Record.source_id == made.source_id)):
        tables.drop_table(resource_id_of(made.source_id, key))


@pytest.fixture
def taken(department: Any, feed: Any, other_department: Any, other: Any) -> dict[str, Any]:
    """What the first source published as A-1 belongs to the second's B-1; the entry as it was before."""
    department.add("A-1", 名称=TITLE)
    feed.run()
    before = feed.entry("A-1")
    other_department.add("B-1", 名称=f"{TITLE}。", 更新频率="每周")
    other_department.rows["B-1"] = [{"station": "龙门", "reading": 9}]
    model.Session.remove()
    assert other.run()["counts"] == {"changed": 1}
    return before
