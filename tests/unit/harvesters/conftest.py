"""Reads a source of any kind as the engine does, without a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ckanext.openhuizhou.harvesters.kinds import Reading, SourceKind, check_config, kind_named
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient

Read = Callable[..., list[SourceRecord]]


@pytest.fixture
def other_web(web: Any) -> Iterator[Any]:
    """A second server, on another port."""
    server = type(web)()
    yield server
    server.stop()


@pytest.fixture
def client(web: Any, other_web: Any, tmp_path: Path) -> Iterator[HttpClient]:
    """May read from both servers."""
    with HttpClient(Guard(frozenset({web.host, other_web.host}), (tmp_path,)), sleep=lambda _seconds: None) as made:
        yield made


@pytest.fixture
def read(client: HttpClient) -> Iterator[Read]:
    """``read(kind, config, known={key: state})`` gives the source's records. It stays open as long as the test, as a
    run of the engine reads rows while the source is open."""
    opened: list[SourceKind] = []

    def read(kind: str, config: dict[str, Any], known: Mapping[str, Any] | None = None) -> list[SourceRecord]:
        place = Place("source.yaml")
        kind_class = kind_named(kind, place)
        reading = Reading(client, record_states=lambda key: (known or {}).get(key, {}))
        source = kind_class(check_config(config, kind_class.options, place), reading)
        opened.append(source)
        assert source.open()
        return list(source.records())

    yield read
    for source in opened:
        source.close()


@pytest.fixture
def table() -> Callable[[SourceRecord], list[dict[str, object]]]:
    """``table(record)`` gives its rows."""

    def rows(record: SourceRecord) -> list[dict[str, object]]:
        assert record.rows is not None
        return [dict(row) for row in record.rows()]

    return rows
