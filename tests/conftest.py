"""Fixtures of acceptance and browser tests: one running portal, started by ``openhuizhou up``, seen from outside.

``OPENHUIZHOU_DATA`` and ``OPENHUIZHOU_PORT`` say which. Nothing is imported from CKAN: what a test needs of it, it asks
by HTTP or by the commands that an operator has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from ckanapi import RemoteCKAN

from ckanext.openhuizhou.stack.ini import site_url
from ckanext.openhuizhou.stack.layout import Layout


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What stops the portal comes after everything that needs it."""
    items.sort(key=lambda item: item.get_closest_marker("stops_the_portal") is not None)


@pytest.fixture(scope="session")
def layout() -> Layout:
    assert "OPENHUIZHOU_DATA" in os.environ, "run these tests with make test, which starts a portal for them"
    return Layout.from_environment()


@pytest.fixture(scope="session")
def base_url(layout: Layout) -> str:
    return site_url(layout)


@pytest.fixture(scope="session")
def openhuizhou(layout: Layout) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``openhuizhou("up")`` runs the console script for this portal and returns what it printed."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("openhuizhou")), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=layout.project)

    return run


@pytest.fixture(scope="session")
def ckan_command(layout: Layout) -> Callable[..., str]:
    """``ckan_command("user", "list")`` runs CKAN's command line on this portal's configuration."""

    def run(*arguments: str) -> str:
        command = [str(Path(sys.executable).with_name("ckan")), "-c", str(layout.ini), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=layout.data)
        return done.stdout

    return run


@pytest.fixture(scope="session")
def credentials(layout: Layout) -> dict[str, str]:
    """Name of a demo account -> its password."""
    return {
        account["name"]: account["password"]
        for account in json.loads(layout.credentials.read_text("utf-8"))["accounts"]
    }


@pytest.fixture
def anonymous(base_url: str) -> Iterator[RemoteCKAN]:
    with RemoteCKAN(base_url) as portal:
        yield portal


@pytest.fixture(scope="session")
def account(base_url: str, ckan_command: Callable[..., str]) -> Iterator[Callable[[str], RemoteCKAN]]:
    """``account("admin")`` is the API as that user, with a token made by the command line."""
    made: dict[str, RemoteCKAN] = {}

    def connect(name: str) -> RemoteCKAN:
        if name not in made:
            token = ckan_command("user", "token", "add", name, "acceptance").strip().splitlines()[-1].strip()
            made[name] = RemoteCKAN(base_url, apikey=token)
        return made[name]

    yield connect
    for portal in made.values():
        portal.close()


@pytest.fixture(scope="session")
def get(base_url: str) -> Callable[..., requests.Response]:
    """``get("/dataset/")`` as a visitor without an account."""
    session = requests.Session()

    def fetch(path: str, **params: Any) -> requests.Response:
        return session.get(base_url + path, params=params, timeout=60, allow_redirects=False)

    return fetch


@pytest.fixture(scope="session")
def open_datasets(base_url: str) -> list[dict[str, Any]]:
    """Every dataset that a visitor finds."""
    with RemoteCKAN(base_url) as portal:
        return portal.action.package_search(fq="dataset_type:dataset", rows=1000)["results"]
