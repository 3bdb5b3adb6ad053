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

    Not this test run itself, nor the browser that it holds open.
    """
    found = []
    this = psutil.Process()
    own = {process.pid for process in [this, *this.parents(), *this.children(recursive=True)]}
    for process in psutil.process_iter():
        try:
            named = [*process.cmdline(), *process.environ().values(), process.cwd()]
            if process.pid not in own and process.status() != psutil.STATUS_ZOMBIE:
                found += [f"{process.pid} {process.name()}" for text in named if str(layout.data) in text][:1]
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
