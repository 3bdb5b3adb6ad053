"""Processes of a stack: started in the background, recorded, found again, stopped with everything they forked.

A process is ours when its start time is the recorded one (a pid alone may belong to somebody else by now), or when its
environment carries our mark. Forked children keep the mark, also after their parent was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.private_file import write_private
from ckanext.openhuizhou.stack.layout import read_json

MARK = "OPENHUIZHOU_PART"
POLL_SECONDS = 0.05
LOG_LIMIT_BYTES = 8 * 1024 * 1024
TAIL_LINES = 20


@dataclass(frozen=True)
class Part:
    """One process of the stack and how to tell that it works.

    :param healthy: true when it serves; raises StackError when it never will
    :param privileges: command that runs the rest of the line as another user (see ``postgres.py``)
    :param orphans: finds processes that our mark does not (PostgreSQL overwrites its children's environment)
    """

    name: str
    argv: Sequence[str]
    healthy: Callable[[], bool]
    address: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    start_seconds: float = 60
    stop_seconds: float = 20
    privileges: Sequence[str] = ()
    orphans: Callable[[], Iterable[psutil.Process]] = tuple


def mark_of(data: Path, name: str) -> str:
    return f"{data}::{name}"


def process_at(pid: int, created: float) -> psutil.Process | None:
    """The live process with this pid, if it is still the one that started at ``created`` (seconds since the epoch)."""
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created) > 0.05 or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.Error:
        return None
    return process


def marked_processes(data: Path, name: str | None = None) -> list[psutil.Process]:
    """Live processes that carry this stack's mark: of one part, or of all."""
    wanted = mark_of(data, name or "")
    found = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(MARK, "")
            alive = process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            continue
        if alive and process.pid != os.getpid() and (mark == wanted if name else mark.startswith(wanted)):
            found.append(process)
    return found


class PidFile:
    """``<run>/<part>.json``: pid and start time of a part's first process."""

    def __init__(self, run: Path, name: str) -> None:
        self.path = run / f"{name}.json"

    def write(self, process: psutil.Process, fingerprint: str) -> None:
        record = {"pid": process.pid, "created": process.create_time(), "fingerprint": fingerprint}
        write_private(self.path, json.dumps(record) + "\n")

    def read(self) -> tuple[psutil.Process | None, str]:
        """The recorded process if it lives, and the fingerprint of the command that started it."""
        try:
            record = read_json(self.path)
            process = process_at(int(record["pid"]), float(record["created"]))
        except (KeyError, TypeError, ValueError, StackError):
            return None, ""
        return process, str(record.get("fingerprint", ""))

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)


def log_tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log; bytes that are no UTF-8 are shown as �."""
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - 64 * 1024))
            text = handle.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def bound_log(path: Path, limit: int = LOG_LIMIT_BYTES) -> None:
    """Move a long log to ``.1`` by copy and truncation: its writer appends, so it goes on at the new end."""
    try:
        if path.stat().st_size <= limit:
            return
        with path.open("r+b") as handle:
            handle.seek(-limit, os.SEEK_END)
            path.with_suffix(path.suffix + ".1").write_bytes(handle.read())
            handle.truncate(0)
    except FileNotFoundError:
        return


def spawn(part: Part, log: Path, data: Path) -> tuple[psutil.Process, subprocess.Popen[bytes]]:
    """Start a part in a session of its own, its output appended to its log."""
    bound_log(log)
    environment = {**os.environ, **part.environment, MARK: mark_of(data, part.name)}
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [*part.privileges, *part.argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=part.cwd,
            start_new_session=True,
        )
    return psutil.Process(popen.pid), popen


def wait_until(
    condition: Callable[[], bool], seconds: float, *, still_possible: Callable[[], bool] = lambda: True
) -> bool:
    """Poll until ``condition`` holds; false when time is up or when it cannot come true any more."""
    deadline = time.monotonic() + seconds
    while not condition():
        if not still_possible() or time.monotonic() > deadline:
            return condition()
        time.sleep(POLL_SECONDS)
    return True


def stop_processes(processes: Iterable[psutil.Process], first: signal.Signals, seconds: float) -> None:
    """Ask processes to end, then end them. Returns when none is left.

    :raises StackError: a process outlives SIGKILL (it hangs in the kernel)
    """
    wanted = list(processes)
    for sent, patience in ((first, seconds), (signal.SIGKILL, 10.0)):
        for process in filter(lives, wanted):
            with contextlib.suppress(psutil.Error):
                process.send_signal(sent)
        # a zombie counts as ended: who started it may be gone, and init reaps late
        if wait_until(lambda: not any(map(lives, wanted)), patience):
            return
    raise StackError("these processes do not end: {pids}", pids=[process.pid for process in filter(lives, wanted)])


def lives(process: psutil.Process) -> bool:
    """Whether it runs. A zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
