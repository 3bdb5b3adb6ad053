from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from ckanext.openhuizhou.errors import (
    AddressRefused,
    SourceDenied,
    SourceMalformed,
    SourceUnreachable,
)
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient, Limits, retry_after, shown

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"


@pytest.fixture
def client(web: Any) -> HttpClient:
    return HttpClient(Guard(frozenset({web.host})), sleep=lambda _seconds: None)


def answering(*answers: tuple[int, dict[str, str], bytes]) -> Callable[[Any], Any]:
    """Each request gets the next answer; the last one stays."""
    waiting = list(answers)
    return lambda _handler: waiting.pop(0) if len(waiting) > 1 else waiting[0]


class TestGuarded:
    def test_nothing_is_sent_to_an_address_that_nobody_approved(self, web: Any):
        web.pages["/"] = b"secret"
        with pytest.raises(AddressRefused):
            HttpClient(Guard()).get(web.url + "/")
        assert web.requests == []

    def test_a_redirect_to_a_private_address_is_refused(self, web: Any, client: HttpClient):
        web.pages["/"] = answering((302, {"Location": "http://169.254.169.254/latest/meta-data"}, b""))
        with pytest.raises(AddressRefused):
            client.get(web.url + "/")

    @pytest.mark.parametrize(
        "target",
        [
            "file:///etc/passwd",
            "ftp://example.com/",
            "gopher://127.0.0.1:6379/",
            "http://[::1",
            "http://a:port/",
            "http://a:0/",
        ],
    )
    def test_a_redirect_to_something_else_than_the_web_is_refused(self, web: Any, client: HttpClient, target: str):
        web.pages["/"] = answering((302, {"Location": target}, b""))
        with pytest.raises(SourceMalformed):
            client.get(web.url + "/")

    def test_an_address_that_two_parsers_read_in_two_ways_is_none(self, web: Any, client: HttpClient):
        """urllib3 would connect to what stands before the backslash, and urlsplit takes that for a user's name."""
        with pytest.raises(SourceMalformed):
            client.get(f"{web.url}\\@good.example/")
        assert web.requests == []

    def test_a_name_that_changes_its_address_is_asked_once(self, web: Any):
        """DNS rebinding: public when it is checked, this machine when it is connected to."""
        answers = [["8.8.8.8"], ["127.0.0.1"]]
        asked: list[str] = []

        def resolver(host: str, _port: int) -> list[str]:
            asked.append(host)
            return answers[min(len(asked), 2) - 1]

        port = web.host.split(":")[1]
        guard = Guard(resolver=resolver)
        client = HttpClient(guard, Limits(connect=0.2, attempts=1))
        with pytest.raises(SourceUnreachable):
            client.get(f"http://rebind.example.com:{port}/")
        with pytest.raises(AddressRefused):
            client.get(f"http://rebind.example.com:{port}/")
        assert web.requests == []
        assert len(asked) == 2

    def test_the_token_does_not_travel_to_another_host(self, web: Any):
        web.pages["/"] = answering((302, {"Location": f"http://other.example.com:{web.host.split(':')[1]}/next"}, b""))
        web.pages["/next"] = b"here"
        hosts = frozenset({web.host, f"other.example.com:{web.host.split(':')[1]}"})
        guard = Guard(hosts, resolver=lambda _host, _port: ["127.0.0.1"])
        answer = HttpClient(guard, headers={"X-Token": "s3cret"}).get(web.url + "/")
        assert answer.content == b"here"
        assert "X-Token" in web.requests[0][2]
        assert "X-Token" not in web.requests[1][2]

    def test_redirects_end(self, web: Any, client: HttpClient):
        web.pages["/"] = answering((302, {"Location": "/"}, b""))
        with pytest.raises(SourceMalformed):
            client.get(web.url + "/")
        assert len(web.requests) == 6


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "error"),
        [(401, SourceDenied), (403, SourceDenied), (404, SourceMalformed), (500, SourceUnreachable)],
    )
    def test_a_status_becomes_an_error_that_says_what_to_do(
        self, web: Any, client: HttpClient, status: int, error: type[Exception]
    ):
        web.pages["/"] = answering((status, {}, b""))
        with pytest.raises(error, match=str(status)):
            client.get(web.url + "/?token=s3cret")

    def test_errors_show_no_query(self, web: Any, client: HttpClient):
        with pytest.raises(SourceMalformed) as error:
            client.get(web.url + "/none?token=s3cret")
        assert "s3cret" not in str(error.value)
        assert shown("http://user:pw@host:80/a?b#c") == "http://host:80/a"

    def test_what_passes_is_tried_again_when_the_server_says(self, web: Any):
        waited: list[float] = []
        web.pages["/"] = answering((503, {"Retry-After": "7"}, b""), (429, {}, b""), (200, {}, b"here"))
        client = HttpClient(Guard(frozenset({web.host})), sleep=waited.append)
        assert client.get(web.url + "/").content == b"here"
        assert waited == [7.0, 1.0]
        assert client.requests_made == 3

    def test_a_dead_server_is_unreachable(self, web: Any, client: HttpClient):
        web.stop()
        with pytest.raises(SourceUnreachable, match="cannot be reached"):
            client.get(web.url + "/")
        assert client.requests_made == 4

    def test_an_answer_that_is_cut_off_is_not_taken_for_whole(self, web: Any, client: HttpClient):
        web.pages["/"] = answering((200, {"Content-Length": "100"}, b"[1, 2"))
        with pytest.raises(SourceUnreachable, match="breaks off"):
            client.get(web.url + "/")

    def test_too_much_is_refused(self, web: Any):
        web.pages["/"] = b"x" * 200_000
        with pytest.raises(SourceMalformed, match="100000"):
            HttpClient(Guard(frozenset({web.host})), Limits(size=100_000)).get(web.url + "/")

    def test_a_server_that_does_not_answer_in_time_is_told_so(self, web: Any):
        answered = threading.Event()

        def late(_handler: Any) -> Any:
            answered.wait(20)
            return 200, {}, b""

        web.pages["/"] = late
        client = HttpClient(Guard(frozenset({web.host})), Limits(read=0.1, attempts=1))
        with pytest.raises(SourceUnreachable, match="in time"):
            client.get(web.url + "/")
        answered.set()

    @pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n\r\n", CHUNKED], ids=["headers", "body", "chunk"])
    def test_a_server_that_drips_byte_by_byte_is_given_up(self, web: Any, begin: bytes):
        """Each byte ends one wait, so that no timeout of a single wait ever comes."""
        given_up = threading.Event()

        def drip(handler: Any) -> Any:
            handler.wfile.write(begin)
            with contextlib.suppress(OSError):
                while not given_up.wait(0.02):
                    handler.wfile.write(b"x")
                    handler.wfile.flush()
            return 200, {}, b""

        web.pages["/"] = drip
        started = time.monotonic()
        with pytest.raises(SourceUnreachable, match="too slow"):
            HttpClient(Guard(frozenset({web.host})), Limits(seconds=0.3, attempts=1)).get(web.url + "/")
        assert time.monotonic() - started < 5
        given_up.set()

    def test_what_is_known_is_asked_for_by_condition(self, web: Any, client: HttpClient):
        def conditional(handler: Any) -> Any:
            if handler.headers.get("If-None-Match") == '"v1"':
                return 304, {}, b""
            return 200, {"ETag": '"v1"', "Last-Modified": "Thu, 01 Mar 2018 00:00:00 GMT"}, b"here"

        web.pages["/"] = conditional
        first = client.get(web.url + "/")
        assert first.validators == {"etag": '"v1"', "last_modified": "Thu, 01 Mar 2018 00:00:00 GMT"}
        assert client.get(web.url + "/", known=first.validators).not_modified


class TestRetryAfter:
    def test_reads_seconds_and_dates(self):
        assert retry_after("12") == 12
        assert retry_after(None) is None
        assert retry_after("soon") is None
        moment = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30)))
        assert moment is not None
        assert 25 < moment <= 30
