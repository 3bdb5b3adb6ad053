"""Departments whose data change all the time, behind one real web server; and what the catalogue must show of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from urllib.parse import urlsplit

COLUMNS = [{"name": "station", "label": "站点", "type": "文本"}, {"name": "reading", "label": "读数", "type": "数字"}]
MAPPING: dict[str, Any] = {
    "fields": {
        "title": {"from": "名称"},
        "notes": {"const": "演示数据"},
        "category": {"const": "211001"},
        "theme": {"const": "environment"},
        "open_type": {"const": "unconditional"},
        "share_type": {"const": "unconditional"},
        "share_way": {"const": "service"},
        "format_class": {"const": "service"},
        "update_cycle": {"const": "daily"},
        "demo": {"const": True},
    },
    "items": {
        "from": "columns",
        "name": {"from": "label"},
        "column": {"from": "name"},
        "data_type": {"from": "type", "codes": {"文本": "string", "数字": "number"}},
    },
}


@dataclass
class Department:
    """``records``: key → title and rows, as the department has them now. ``news``: keys of those that are new or have
    changed since the portal read them for certain."""

    name: str
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    news: set[str] = field(default_factory=set)
    made: int = 0

    def add(self, random: Random) -> None:
        self.made += 1
        key = f"R-{self.made:05}"
        self.records[key] = {"title": f"演示数据{self.made}号", "rows": _rows(random), "version": 1}
        self.news.add(key)

    def change(self, random: Random) -> None:
        """New rows, a new title, or both."""
        key = random.choice(sorted(self.records))
        record = self.records[key]
        what = random.choice(("rows", "title", "both"))
        if what != "title":
            record["rows"] = _rows(random)
        if what != "rows":
            record["title"] = f"{record['title'].split('（')[0]}（{random.randrange(10**6)}版）"
        record["version"] += 1
        self.news.add(key)

    def remove(self, random: Random) -> None:
        key = random.choice(sorted(self.records))
        del self.records[key]
        self.news.discard(key)

    def live(self, random: Random) -> None:
        """What happens between two runs; fewer go than the brake allows. Something is always new."""
        self.news.clear()
        for _ in range(random.randrange(6)):
            self.add(random)
        for _ in range(random.randrange(min(4, len(self.records) // 10 + 1))):
            self.remove(random)
        for _ in range(random.randrange(1, 8)):
            self.change(random)

    def catalogue(self) -> list[dict[str, Any]]:
        return [
            {"id": key, "名称": record["title"], "columns": COLUMNS, "version": record["version"]}
            for key, record in sorted(self.records.items())
        ]

    def expected(self) -> dict[str, list[list[Any]]]:
        """Title → rows: what the portal must show."""
        return {record["title"]: record["rows"] for record in self.records.values()}


def _rows(random: Random) -> list[list[Any]]:
    return [[f"ZD{number:02}", random.randrange(1000)] for number in range(random.randrange(1, 30))]


class City:
    """``after_requests(number, what)``: ``what`` is called when so many requests for tables have come from now on."""

    def __init__(self, names: list[str], random: Random, size: int) -> None:
        self.departments = {name: Department(name) for name in names}
        for department in self.departments.values():
            for _ in range(size):
                department.add(random)
        self._lock = threading.Lock()
        self._left: int | None = None
        self._what: Callable[[], None] = lambda: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def source_config(self, name: str) -> dict[str, Any]:
        return {
            "url": f"http://{self.host}/{name}/catalog",
            "records": "list",
            "key": "id",
            "digest": "version",
            "data": {"url": f"http://{self.host}/{name}/data/{{key}}", "records": "list"},
        }

    def after_requests(self, number: int, what: Callable[[], None]) -> None:
        with self._lock:
            self._left, self._what = number, what

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _count(self) -> None:
        with self._lock:
            if self._left is None:
                return
            self._left -= 1
            due = self._left <= 0
            if due:
                self._left = None
        if due:
            self._what()

    def _answer(self, path: str) -> Any:
        name, _, rest = path.strip("/").partition("/")
        department = self.departments[name]
        if rest == "catalog":
            return {"list": department.catalogue()}
        self._count()
        record = department.records[rest.removeprefix("data/")]
        return {"list": [dict(zip(("station", "reading"), row, strict=True)) for row in record["rows"]]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        city = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    body, status = json.dumps(city._answer(urlsplit(self.path).path)).encode(), 200
                except KeyError:
                    body, status = b"{}", 404
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # the worker was killed while it read

            def log_message(self, *_arguments: object) -> None:
                """Silence."""

        return Handler
