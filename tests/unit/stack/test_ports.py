"""Inner parts find free ports and keep them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ckanext.openhuizhou.stack.layout import State
from ckanext.openhuizhou.stack.ports import HOST, find_free, inner_port, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state.json")


def test_a_port_with_a_listener_is_not_free(taken: int):
    assert not is_free(taken)


def test_a_port_found_free_is_free():
    assert is_free(find_free())


def test_a_port_to_avoid_is_not_found():
    few = {find_free() for _ in range(20)}
    assert find_free(avoid=few) not in few


class TestInnerPort:
    def test_stays_the_same_when_it_is_free(self, state: State):
        port = inner_port(state, "solr", running=False)
        assert inner_port(state, "solr", running=False) == port

    def test_moves_when_another_program_took_it(self, state: State, taken: int):
        state.keep_port("solr", taken)
        port = inner_port(state, "solr", running=False)
        assert port != taken
        assert state.port("solr") == port

    def test_stays_when_the_part_itself_listens_there(self, state: State, taken: int):
        state.keep_port("solr", taken)
        assert inner_port(state, "solr", running=True) == taken

    def test_parts_get_different_ports(self, state: State):
        ports = [inner_port(state, name, running=False) for name in ("postgres", "valkey", "solr")]
        assert len(set(ports)) == 3
