"""Workers in processes of their own, as the stack starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def start_worker(
    department: Any, feed: Any, request: pytest.FixtureRequest, tmp_path: Path, **options: Any
) -> subprocess.Popen[str]:
    """The command that runs the source, in a process of its own."""
    return start_command(department, request, tmp_path, "openhuizhou", "harvest", "run", feed.name, **options)


def start_command(
    department: Any, request: pytest.FixtureRequest, tmp_path: Path, *command: str, **options: Any
) -> subprocess.Popen[str]:
    """A command of CKAN in a process of its own, which may read the department's service.

    ``through``: a command that starts it.
    """
    ini = tmp_path / "worker.ini"
    base = Path(request.config.getoption("--ckan-ini")).resolve()
    hosts = f"ckanext.openhuizhou.allowed_hosts = {department.web.host}"
    ini.write_text(f"[app:main]\nuse = config:{base}\n{hosts}\n")
    ckan = Path(sys.executable).with_name("ckan")
    return subprocess.Popen(
        [*options.get("through", ()), str(ckan), "-c", str(ini), *command],
        stdout=options.get("stdout", subprocess.DEVNULL),
        stderr=options.get("stderr", subprocess.DEVNULL),
        start_new_session=True,
        text=True,
    )


def kill(worker: subprocess.Popen[str]) -> None:
    """SIGKILL to it and to what it forked."""
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for what another process or thread does to the database; fails when it does not come."""
    deadline = time.monotonic() + seconds
    look_again = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        look_again.wait(0.05)
