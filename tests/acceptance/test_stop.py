"""``openhuizhou down`` leaves no process. Runs last: it stops what the other tests talk to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.ports import HOST


def processes_of(layout: Layout) -> list[str]:
    """Live processes that name the data folder in their command line, environment or working folder.

    ``OPENHUIZHOU_DATA`` does not count: the test run has it, and so has what it starts itself (a browser's crash
    handler outlives its parent).
    """
    found = []
    for process in psutil.process_iter():
        try:
            environment = [value for name, value in process.environ().items() if name != "OPENHUIZHOU_DATA"]
            named = [*process.cmdline(), *environment, process.cwd()]
            if process.status() != psutil.STATUS_ZOMBIE and any(str(layout.data) in text for text in named):
                found.append(f"{process.pid} {process.name()}")
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.stops_the_portal
def test_down_leaves_no_process(layout: Layout, openhuizhou: Callable[..., Any]):
    assert processes_of(layout), "the check sees none even while the stack runs"
    openhuizhou("down")
    assert processes_of(layout) == []
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, layout.web_port)) != 0
