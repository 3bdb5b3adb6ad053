"""The demo departments' servers, each a process of its own on a free port with a token of its own."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

DEPARTMENTS = Path(__file__).parents[3] / "docker" / "departments"


@dataclass
class Running:
    """A started department; ``get`` carries its token unless told otherwise."""

    url: str
    token: str
    process: subprocess.Popen[str]

    def get(self, path: str, headers: dict[str, str] | None = None, **options: Any) -> requests.Response:
        given = {"Authorization": f"Bearer {self.token}"} if headers is None or "Authorization" not in headers else {}
        return requests.get(self.url + path, headers={**given, **(headers or {})}, timeout=30, **options)


Start = Callable[..., Running]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """``start("huanbaoju", fault="http500")`` starts a server and waits until it says where it listens."""
    folder = tmp_path_factory.mktemp("departments")
    started: list[subprocess.Popen[str]] = []

    def launch(name: str, fault: str = "none") -> Running:
        token = secrets.token_urlsafe(16)
        process = subprocess.Popen(
            [sys.executable, DEPARTMENTS / "serve.py", name, "--data", folder / name, "--port", "0"],
            env={**os.environ, "DEPARTMENT_TOKEN": token, "DEPARTMENT_FAULT": fault},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stderr
        for line in process.stderr:
            if said := re.search(r"serving on (http://\S+)", line):
                return Running(said[1], token, process)
        raise AssertionError(f"{name} ended with {process.wait()}")

    yield launch
    for process in started:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="session")
def servers(start: Start) -> dict[str, Running]:
    return {name: start(name) for name in ("huanbaoju", "anjianju", "jiaotongju")}
