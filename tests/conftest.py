"""Fixtures of acceptance and browser tests: one running portal, started by ``openhuizhou up``, seen from outside.

``OPENHUIZHOU_DATA`` and ``OPENHUIZHOU_PORT`` say which. Nothing is imported from CKAN: what a test needs of it, it asks
by HTTP or by the commands that an operator has.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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


Answered = tuple[int, dict[str, str], bytes]


class WebServer:
    """A real server on this machine. ``pages[path]`` answers: bytes, or a function of the request's handler."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | Callable[[BaseHTTPRequestHandler], Answered]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def answer(page: bytes | Callable[[BaseHTTPRequestHandler], Answered] | None, handler: Any) -> Answered:
        if page is None:
            return 404, {}, b""
        return (200, {}, page) if isinstance(page, bytes) else page(handler)

    def _handler(web) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.sent = self.rfile.read(length)
                web.requests.append((self.command, self.path, dict(self.headers)))
                page = web.pages.get(urlsplit(self.path).path)
                status, headers, body = web.answer(page, self)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(b"" if self.command == "HEAD" else body)

            do_HEAD = do_POST = do_GET  # noqa: N815 - the names that http.server calls

            def log_message(self, *_arguments: object) -> None:
                """Silence."""

        return Handler


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server of this test's own."""
    server = WebServer()
    yield server
    server.stop()
