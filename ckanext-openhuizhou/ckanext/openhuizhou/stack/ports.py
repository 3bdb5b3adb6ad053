"""Ports on 127.0.0.1."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack.layout import State

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            # a bind alone succeeds beside a listener that set SO_REUSEPORT
            probe.listen(1)
        except OSError:
            return False
    return True


def find_free(avoid: Iterable[int] = ()) -> int:
    """A free port that the system picks, none of ``avoid``."""
    taken = set(avoid)
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        if port not in taken:
            return port
    raise StackError("no free port on {host}", host=HOST)


def inner_port(state: State, name: str, *, running: bool) -> int:
    """The port of an inner part: the one it had, when the part still runs or the port is free; otherwise a new one.

    A part whose port moves is only ever one that is not running, so no client of it is left behind.
    """
    port = state.port(name)
    if port is not None and (running or is_free(port)):
        return port
    port = find_free(avoid=state.ports().values())
    state.keep_port(name, port)
    return port
