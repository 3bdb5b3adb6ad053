"""What is done once a day, at a set time: a command in a process of its own, so that the scheduler goes on ticking."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import insert

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.schedule import next_time

log = logging.getLogger(__name__)

#: Name → arguments of ``ckan openhuizhou``.
COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "retention": ("harvest", "prune"),
    "reconcile": ("reconcile", "--quiet"),
    "links": ("links", "check"),
}
_STOP_SECONDS: Final = 5.0


def start_command(name: str) -> subprocess.Popen[bytes]:
    """Start one of ``COMMANDS`` on this site; what it prints goes where the scheduler's own output goes."""
    ckan = Path(sys.executable).with_name("ckan")
    line = [str(ckan), "-c", str(tk.config["__file__"]), "openhuizhou", *COMMANDS[name]]
    return subprocess.Popen(line, stdin=subprocess.DEVNULL)  # noqa: S603  our own command


class Daily:
    """Starts each command once a day; a time that was missed is made up for, once. One command runs at a time."""

    def __init__(self, start: Callable[[str], subprocess.Popen[bytes]] = start_command) -> None:
        self._start = start
        self._running: tuple[str, subprocess.Popen[bytes]] | None = None

    def start_due(self, now: datetime) -> str | None:
        """Start what is due, and return its name."""
        if self._busy():
            return None
        for name, schedule in config.daily_schedules().items():
            last = _last_start(name)
            if last is not None and next_time(schedule, last) > now:
                continue
            _remember_start(name, now)
            # a new site has nothing to clean up yet: its first time is the next
            if last is not None:
                log.info("Started: %s", name)
                self._running = (name, self._start(name))
                return name
        return None

    def stop(self) -> None:
        """End what runs; what it had not committed is not done."""
        if self._running is None:
            return
        _name, process = self._running
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._running = None

    def _busy(self) -> bool:
        if self._running is None:
            return False
        name, process = self._running
        status = process.poll()
        if status is None:
            return True
        self._running = None
        # 1 and 2 are a reconcile's: it repaired something, or left something to a person
        if status not in (0, 1, 2):
            log.error("%s ended with status %s", name, status)
        elif status:
            log.warning("%s found something: ckan openhuizhou reconcile --last shows it", name)
        return False


_INFO: Final = model.SystemInfo.__table__  # pyright: ignore[reportAttributeAccessIssue]


def _key(name: str) -> str:
    return f"openhuizhou.last_{name}"


def _last_start(name: str) -> datetime | None:
    value = model.Session.scalar(sa.select(_INFO.c.value).where(_INFO.c.key == _key(name)))
    return datetime.fromisoformat(value) if value else None


def _remember_start(name: str, now: datetime) -> None:
    statement = insert(_INFO).values(key=_key(name), value=now.isoformat(), state=model.State.ACTIVE)
    model.Session.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": now.isoformat()}))
    model.Session.commit()
