"""The demo departments' servers, each a process of its own on a free port with a token of its own."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import psycopg2
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


@pytest.fixture(scope="module")
def front_database() -> Iterator[str]:
    """DSN of a database in which 人社局's script made its schema, in the test stack's PostgreSQL."""
    dsn = tk.config["sqlalchemy.url"]
    fill(dsn)
    yield dsn
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA qzk CASCADE")


def fill(dsn: str) -> str:
    """Run the script; what it logged."""
    command = [sys.executable, DEPARTMENTS / "fill.py"]
    environment = {**os.environ, "DEPARTMENT_DSN": dsn}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr


@pytest.fixture(scope="module")
def refill(front_database: str) -> Callable[[], str]:
    """``refill()`` runs the script once more."""
    return lambda: fill(front_database)


@pytest.fixture(scope="session")
def drop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that 民政局's script filled."""
    folder = tmp_path_factory.mktemp("minzhengju")
    command = [sys.executable, DEPARTMENTS / "serve.py", "minzhengju", "--data", folder]
    subprocess.run(command, capture_output=True, check=True)
    return folder
