"""The guarded HTTP client: the only way from us to a department's web server.

Every connection goes through ``Guard`` (resolve, check, pin), has timeouts, a cap on size and on time, and retries
what is worth it with the server's own ``Retry-After``. Redirects are followed here, not by requests, because a token
must not travel to another host. Proxies of the environment are not used: they would resolve names in our place.
"""

from __future__ import annotations

import contextlib
import email.utils
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import urljoin, urlsplit

import requests
import tenacity
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from ckanext.openhuizhou.errors import (
    OpenHuizhouError,
    SourceDenied,
    SourceError,
    SourceMalformed,
    SourceUnreachable,
)

from .guard import Guard

USER_AGENT: Final = "OpenHuizhou-harvester/0.1"
_MAX_REDIRECTS: Final = 5
_RETRIED: Final = frozenset({429, 500, 502, 503, 504})
_CHUNK: Final = 1 << 16
_TIMEOUTS: Final = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
_BROKEN_OFF: Final = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.DecodeError,
    ConnectionResetError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and counts that one request may use.

    ``seconds`` is for the whole answer, a server that drips included; ``read`` for a single wait.
    """

    connect: float = 10
    read: float = 60
    seconds: float = 600
    size: int = 256 << 20
    attempts: int = 4
    backoff: float = 0.5
    longest_wait: float = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer. ``not_modified``: 304, the copy of before is still right. ``url`` is the final one."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def not_modified(self) -> bool:
        return self.status == 304

    @property
    def validators(self) -> dict[str, str]:
        """ETag and Last-Modified, to be handed to the next request as ``known``."""
        names = {"etag": "ETag", "last_modified": "Last-Modified"}
        return {key: self.headers[name] for key, name in names.items() if self.headers.get(name)}


class Sink(Protocol):
    """Takes an answer that is too large for memory. ``restart``: what came so far was broken off."""

    def restart(self) -> None: ...

    def write(self, chunk: bytes, /) -> None: ...


@dataclass(frozen=True, slots=True)
class _Body:
    """Where the body of an answer goes. Only that of a 200 goes into the sink."""

    sink: Sink | None
    size: int

    def take(self, response: requests.Response, chunks: Iterator[bytes]) -> bytes:
        if self.sink is not None and response.status_code == 200:
            self.sink.restart()
            for chunk in chunks:
                self.sink.write(chunk)
            return b""
        return b"".join(self._counted(response, chunks))

    def _counted(self, response: requests.Response, chunks: Iterator[bytes]) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self.size:
                raise SourceMalformed("{url} answers more than {size} bytes", url=shown(response.url), size=self.size)
            yield chunk


class _Retry(Exception):
    def __init__(self, error: SourceError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


class HttpClient:
    """One session per source. ``requests_made`` counts every request that was sent, retries included, also by
    clients that were made ``with_headers``."""

    def __init__(
        self,
        guard: Guard,
        limits: Limits | None = None,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.guard = guard
        self.limits = limits or Limits()
        self.counter = [0]
        self._headers = dict(headers or {})
        self._sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False
        self._adapter = _GuardedAdapter(guard)
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    @property
    def requests_made(self) -> int:
        return self.counter[0]

    def with_headers(self, headers: Mapping[str, str]) -> HttpClient:
        """A client with the same guard and limits that also sends these."""
        other = HttpClient(self.guard, self.limits, {**self._headers, **headers}, self._sleep)
        other.counter = self.counter
        return other

    def get(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        known: Mapping[str, str] | None = None,
        *,
        into: Sink | None = None,
        size: int | None = None,
    ) -> Answer:
        """The answer to GET; with ``known`` validators the server may answer 304.

        With ``into``, what the server sends goes there and not into memory; ``Answer.content`` is empty then. ``size``:
        most bytes of an answer in memory, when the client's own limit is too many.

        Raises:
            SourceDenied: 401, 403, 407.
            SourceMalformed: any other status that is neither success nor worth a retry, or too large an answer.
            SourceUnreachable: no answer in time, in any of the attempts.
            AddressRefused: the address, or one it redirects to, is not approved.
        """
        names = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
        headers = {header: known[name] for name, header in names.items() if known and known.get(name)}
        return self._with_retries("GET", url, _Body(into, size or self.limits.size), params=params, headers=headers)

    def head(self, url: str) -> Answer:
        """The answer to HEAD: everything but the content; errors as ``get``."""
        return self._with_retries("HEAD", url, _Body(None, self.limits.size), headers={})

    def post(self, url: str, body: bytes, content_type: str) -> Answer:
        """The answer to a POST that only reads (a SOAP request); errors as ``get``."""
        into = _Body(None, self.limits.size)
        return self._with_retries("POST", url, into, data=body, headers={"Content-Type": content_type})

    def _with_retries(self, method: str, url: str, body: _Body, **options: Any) -> Answer:
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Retry),
            stop=tenacity.stop_after_attempt(self.limits.attempts),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return attempts(self._follow, method, url, body, **options)
        except _Retry as retry:
            raise retry.error from retry

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _Retry) and error.wait is not None:
            return min(error.wait, self.limits.longest_wait)
        return min(self.limits.backoff * 2 ** (state.attempt_number - 1), self.limits.longest_wait)

    def _follow(self, method: str, url: str, body: _Body, headers: Mapping[str, str], **options: Any) -> Answer:
        headers = {"User-Agent": USER_AGENT, **self._headers, **headers}
        deadline = time.monotonic() + self.limits.seconds
        for _hop in range(_MAX_REDIRECTS + 1):
            answer = self._send(method, url, body, deadline, headers=headers, **options)
            if answer.status not in (301, 302, 303, 307, 308) or "Location" not in answer.headers:
                return _checked(answer)
            target = urljoin(url, answer.headers["Location"])
            headers = _redirected_headers(headers, url, target)
            url = target
            options = {key: value for key, value in options.items() if key != "params"}
        raise SourceMalformed("{url} redirects without end", url=shown(url))

    def _send(self, method: str, url: str, body: _Body, deadline: float, **options: Any) -> Answer:
        if not _is_web_address(url):
            raise SourceMalformed("{url} is no web address", url=shown(url))
        self.counter[0] += 1
        self._adapter.deadline = deadline
        try:
            response = self._session.request(
                method,
                url,
                timeout=(self.limits.connect, self.limits.read),
                allow_redirects=False,
                stream=True,
                **options,
            )
            with response:
                content = body.take(response, self._chunks(response, deadline))
        except requests.RequestException as error:
            if refused := _cause(error):
                raise refused from error
            if time.monotonic() > deadline:
                raise SourceUnreachable("{url} is too slow", url=shown(url)) from error
            raise _Retry(_unreachable(url, error)) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _Retry(_unreachable(url, error)) from error
        except ValueError as error:  # requests looks at where a redirect leads
            raise SourceMalformed("{url} redirects to what is no address", url=shown(url)) from error
        if response.status_code in _RETRIED:
            error = SourceUnreachable("{url} answers {status}", url=shown(url), status=response.status_code)
            raise _Retry(error, retry_after(response.headers.get("Retry-After")))
        return Answer(response.url or url, response.status_code, response.headers, content)

    def _chunks(self, response: requests.Response, deadline: float) -> Iterator[bytes]:
        # read1 gives what is there, so that the deadline is looked at while a server drips
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            if time.monotonic() > deadline:
                raise SourceUnreachable("{url} is too slow", url=shown(response.url))
            yield chunk


def shown(url: str) -> str:
    """A URL as it may be shown: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return url.partition("://")[0][:10] + "://…"
    return f"{parts.scheme}://{host}{parts.path}"


def _is_web_address(url: str) -> bool:
    """Whether everybody reads the same server out of it: before a backslash urllib3 sees the host, urlsplit a user."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and "\\" not in url and (parts.port is None or bool(parts.port))
    except ValueError:
        return False


def retry_after(value: str | None) -> float | None:
    """Seconds that ``Retry-After`` asks for: a number, or a date."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _checked(answer: Answer) -> Answer:
    if answer.status in (401, 403, 407):
        raise SourceDenied("{url} answers {status}", url=shown(answer.url), status=answer.status)
    if answer.status >= 400 or (answer.status >= 300 and answer.status != 304):
        raise SourceMalformed("{url} answers {status}", url=shown(answer.url), status=answer.status)
    return answer


def _redirected_headers(headers: Mapping[str, str], url: str, target: str) -> dict[str, str]:
    """Headers for the next hop: to another host, or down to plain HTTP, only what every visitor sends."""
    before, after = urlsplit(url), urlsplit(target)
    if (before.scheme, before.netloc) == (after.scheme, after.netloc):
        return dict(headers)
    return {name: value for name, value in headers.items() if name in ("User-Agent", "Content-Type")}


def _unreachable(url: str, error: BaseException) -> SourceUnreachable:
    """What became of a connection, in words that a department understands."""
    inner = error.args[0] if error.args and isinstance(error.args[0], BaseException) else error
    if any(isinstance(one, _TIMEOUTS) for one in (error, inner)):
        return SourceUnreachable("{url} does not answer in time", url=shown(url))
    if isinstance(error, requests.exceptions.SSLError):
        return SourceUnreachable("The secure connection to {url} cannot be set up", url=shown(url))
    if any(isinstance(one, _BROKEN_OFF) for one in (error, inner)):
        return SourceUnreachable("{url} breaks off its answer", url=shown(url))
    return SourceUnreachable("{url} cannot be reached", url=shown(url))


def _cause(error: BaseException | None) -> OpenHuizhouError | None:
    """Our own refusal inside what requests made of it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OpenHuizhouError):
            return error
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    return None


def _connect(connection: HTTPConnection, guard: Guard) -> socket.socket:
    """In place of urllib3's own: connects to the addresses that the guard has checked, and to no others."""
    port = connection.port or connection.default_port
    last: OSError | None = None
    for address in guard.addresses(connection.host, port):
        try:
            return socket.create_connection((address, port), connection.timeout)
        except OSError as error:
            last = error
    if isinstance(last, TimeoutError):
        raise urllib3.exceptions.ConnectTimeoutError(connection, "timed out") from last
    raise urllib3.exceptions.NewConnectionError(connection, str(last)) from last


def _guarded(base: type[HTTPConnection], adapter: _GuardedAdapter) -> type[HTTPConnection]:
    class GuardedConnection(base):
        def _new_conn(self) -> socket.socket:
            return _connect(self, adapter.guard)

        def getresponse(self) -> Any:
            # a server may drip its headers, too: each byte ends one wait and begins the next
            watch = threading.Timer(max(0.0, adapter.deadline - time.monotonic()), _hang_up, [self])
            watch.daemon = True
            watch.start()
            try:
                return super().getresponse()
            finally:
                watch.cancel()

    return GuardedConnection


def _hang_up(connection: HTTPConnection) -> None:
    """End every wait of whoever reads from the connection."""
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


class _GuardedAdapter(HTTPAdapter):
    """Opens connections only through the guard. ``deadline`` (of ``time.monotonic``): of the request under way."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.deadline = 0.0
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)

        class HttpPool(urllib3.HTTPConnectionPool):
            ConnectionCls = _guarded(HTTPConnection, self)  # pyright: ignore[reportAssignmentType]

        class HttpsPool(urllib3.HTTPSConnectionPool):
            ConnectionCls = _guarded(HTTPSConnection, self)  # pyright: ignore[reportAssignmentType]

        self.poolmanager.pool_classes_by_scheme = {"http": HttpPool, "https": HttpsPool}
