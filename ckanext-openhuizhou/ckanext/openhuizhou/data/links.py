"""Do the links that lead elsewhere still work? Asked through the guarded client, politely, and with a memory.

One question to a host at a time and a pause between two; a link that worked is asked again after a week, one that did
not after an hour, then days. It counts as broken when it has failed twice, for servers have bad minutes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from ckan import model

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.errors import AddressRefused, SourceError
from ckanext.openhuizhou.model import link as links
from ckanext.openhuizhou.model.link import Link
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient, Limits

log = logging.getLogger(__name__)

#: Hosts that are asked at the same time, and links that one run asks, in all and of one host.
_HOSTS: Final = 8
_MOST: Final = 2000
_PER_HOST: Final = 100
#: Seconds between two questions to one host.
_PAUSE: Final = 1.0
_AGAIN: Final = timedelta(days=7)
#: After so many failures in a row, when it is asked again; then as after the last.
_AFTER_FAILURE: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=3), timedelta(days=7))
_BROKEN_AFTER: Final = 2
#: Two tries at most: what fails is asked again later anyway.
_LIMITS: Final = Limits(connect=10, read=20, seconds=30, size=1 << 20, attempts=2, backoff=2, longest_wait=5)
#: Statuses with which servers answer HEAD although they answer GET.
_ASK_AGAIN: Final = frozenset({400, 401, 403, 404, 405, 406, 500, 501, 503})


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer of a link. ``error``: a sentence where there is no good answer."""

    state: str
    status: int | None
    error: str | None
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Checked:
    """How many links were asked, and how many of them do not work."""

    asked: int
    failed: int


def check_due(now: Callable[[], datetime] = utcnow, pause: float = _PAUSE) -> Checked:
    """Ask the links that are due. May be ended at any time: what was answered is kept."""
    links.follow_resources(now())
    found = links.due(now(), _MOST, _PER_HOST)
    model.Session.expunge_all()
    model.Session.rollback()
    by_host = [list(group) for _host, group in groupby(sorted(found, key=lambda one: one.host), lambda one: one.host)]
    failed = 0
    with ThreadPoolExecutor(_HOSTS, thread_name_prefix="links") as pool:
        for answers in pool.map(lambda group: _ask_host(group, pause), by_host):
            for one, asked in answers:
                failed += asked.state in ("broken", "refused")
                _record(one, asked, now())
    return Checked(len(found), failed)


def _ask_host(group: Sequence[Link], pause: float) -> list[tuple[Link, Asked]]:
    answers = []
    with HttpClient(Guard(config.allowed_hosts()), _LIMITS) as client:
        for number, one in enumerate(group):
            if number:
                time.sleep(pause)
            answers.append((one, ask(client, one.url)))
    return answers


def ask(client: HttpClient, url: str) -> Asked:
    """What an address answers: by HEAD, and by GET (whose body is not read) where HEAD is not answered well."""
    started = time.monotonic()
    status, error, state = None, None, "ok"
    try:
        status = _status(client, url)
    except SourceError as refused:
        state = "refused" if isinstance(refused, AddressRefused) else "broken"
        status, error = refused.params.get("status"), str(refused)
    return Asked(state, status, error, round(1000 * (time.monotonic() - started)))


def _status(client: HttpClient, url: str) -> int:
    try:
        return client.head(url).status
    except SourceError as error:
        if error.params.get("status") not in _ASK_AGAIN:
            raise
    try:
        return client.get(url, into=_Nothing()).status
    except _Enough:
        return 200


class _Enough(Exception):
    """The server has begun to send what was asked for."""


class _Nothing:
    """Takes nothing of an answer: that it begins is enough."""

    def restart(self) -> None:
        pass

    def write(self, chunk: bytes, /) -> None:  # noqa: ARG002
        raise _Enough


def _record(one: Link, asked: Asked, now: datetime) -> None:
    failures = 0 if asked.state == "ok" else one.failures + 1
    state = one.state if asked.state == "broken" and failures < _BROKEN_AFTER else asked.state
    wait = _AFTER_FAILURE[min(failures, len(_AFTER_FAILURE)) - 1] if failures else _AGAIN
    changed = {"state": state, "since": now} if state != one.state else {}
    links.record(
        {"failures": failures, "checked_at": now, "next_check": now + wait, **changed},
        {
            "state": asked.state,
            "status": asked.status,
            "error": asked.error,
            "milliseconds": asked.milliseconds,
            "checked_at": now,
        },
        one.resource_id,
        one.url,
    )
