"""What the HTTP systems share: bearer token, ETag and Last-Modified with 304, log, SIGTERM, faults for tests."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

log = logging.getLogger("department")

FAULTS = ("none", "token", "http500", "truncated", "slow")
SLOW_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request that carried the token. ``query`` holds the last value of each parameter."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; its ETag is made of ``version`` when given, else of the body. ``modified`` is UTC."""

    body: bytes
    content_type: str = "application/json; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK
    version: str | None = None
    modified: datetime | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        seed = self.version.encode() if self.version else self.body
        return f'"{hashlib.sha256(seed).hexdigest()[:32]}"'


class Application(Protocol):
    """A department's own part of its server."""

    def answer(self, request: Request) -> Reply: ...

    def refuse(self, status: HTTPStatus, text: str) -> Reply:
        """An error in the format that this system speaks."""
        ...


class DepartmentServer(ThreadingHTTPServer):
    """Serves one application on 127.0.0.1 or where it is told."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], application: Application, token: str, fault: str = "none") -> None:
        if fault not in FAULTS:
            raise ValueError(f"DEPARTMENT_FAULT must be one of {', '.join(FAULTS)}, not {fault!r}")
        self.application = application
        self.token = token
        self.fault = fault
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    """One connection; several requests may come over it."""

    server: DepartmentServer
    protocol_version = "HTTP/1.1"
    server_version = "department"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 65536

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path == "/health":
            self._send(Reply(b"ok\n", "text/plain; charset=utf-8"))
            return
        if self.server.fault == "slow":
            time.sleep(SLOW_SECONDS)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self._send(self._reply(Request(self.command, unquote(parts.path), query, body)))

    def _reply(self, request: Request) -> Reply:
        application = self.server.application
        if not self._knows_token():
            refused = application.refuse(HTTPStatus.UNAUTHORIZED, "令牌无效或缺失")
            refused.headers["WWW-Authenticate"] = 'Bearer realm="department"'
            return refused
        if self.server.fault == "http500":
            return application.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "系统繁忙，请稍后再试")
        try:
            return application.answer(request)
        except LookupError:
            return application.refuse(HTTPStatus.NOT_FOUND, "资源不存在")
        except ValueError as error:
            return application.refuse(HTTPStatus.BAD_REQUEST, f"参数错误：{error}")

    def _knows_token(self) -> bool:
        if self.server.fault == "token":
            return False
        given = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        return hmac.compare_digest(given.encode(), self.server.token.encode())

    def _send(self, reply: Reply) -> None:
        unchanged = reply.status is HTTPStatus.OK and self._unchanged(reply)
        self.send_response(HTTPStatus.NOT_MODIFIED if unchanged else reply.status)
        if reply.status is HTTPStatus.OK:
            self.send_header("ETag", reply.etag)
            self.send_header("Cache-Control", "private, no-cache")
            if reply.modified:
                self.send_header("Last-Modified", format_datetime(reply.modified.astimezone(UTC), usegmt=True))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if not unchanged:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if not unchanged and self.command != "HEAD":
            self._write(reply)

    def _write(self, reply: Reply) -> None:
        if self.server.fault == "truncated" and reply.status is HTTPStatus.OK and len(reply.body) > 64:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
            return
        self.wfile.write(reply.body)

    def _unchanged(self, reply: Reply) -> bool:
        """RFC 9110: If-None-Match wins over If-Modified-Since."""
        if self.command not in {"GET", "HEAD"}:
            return False
        wanted = self.headers.get("If-None-Match")
        if wanted is not None:
            return wanted.strip() == "*" or reply.etag in {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
        since = self.headers.get("If-Modified-Since")
        if since is None or reply.modified is None:
            return False
        try:
            return reply.modified.replace(microsecond=0) <= parsedate_to_datetime(since)
        except (TypeError, ValueError):
            return False

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        log.info("%s %s", self.address_string(), format % args)


def run(application: Application, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. The token comes in ``DEPARTMENT_TOKEN``; without one nothing is served."""
    token = os.environ.get("DEPARTMENT_TOKEN", "")
    if not token:
        raise SystemExit("DEPARTMENT_TOKEN is not set: give the system the token that it asks of its callers")
    server = DepartmentServer((host, port), application, token, os.environ.get("DEPARTMENT_FAULT", "none"))
    for number in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for the loop that this handler interrupts, hence the thread
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    log.info("serving on http://%s:%d", host, server.server_address[1])
    with server:
        server.serve_forever(poll_interval=0.2)
    log.info("stopped")
