"""Starts a part when it does not run as wanted, and stops it with all it forked."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack import process as processes
from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.process import Part, PidFile

Started = tuple[Part, subprocess.Popen[bytes]]

# a part that runs may be busy for a moment; it is not restarted for that
BUSY_SECONDS = 10.0
# what a part wants when only its name is known (``down``)
STOP_SIGNALS = {"postgres": processes.signal.SIGINT}


class Supervisor:
    """The processes of one stack."""

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self.layout = layout
        self.say = say

    def log_of(self, name: str) -> Path:
        return self.layout.logs / f"{name}.log"

    def running(self, name: str) -> psutil.Process | None:
        """The part's first process, if it lives."""
        return PidFile(self.layout.run, name).read()[0]

    def start(self, *parts: Part) -> list[Started]:
        """Start those of these parts that do not serve as wanted, and return without waiting."""
        started: list[Started] = []
        for part in parts:
            if self._serves_as_wanted(part):
                continue
            self.stop(part.name, part)
            self.say(f"starting {part.name}")
            process, popen = processes.spawn(part, self.log_of(part.name), self.layout.data)
            PidFile(self.layout.run, part.name).write(process, fingerprint(part))
            started.append((part, popen))
        return started

    def wait(self, started: Iterable[Started]) -> None:
        """Wait until each serves.

        :raises StackError: one ended, took too long, or says that it cannot work; the message has its log's tail
        """
        for part, popen in started:
            self._wait(part, popen)

    def ensure(self, *parts: Part) -> None:
        """Start these parts side by side and wait until each serves. A part that already serves is left alone."""
        self.wait(self.start(*parts))

    def _serves_as_wanted(self, part: Part) -> bool:
        process, started_as = PidFile(self.layout.run, part.name).read()
        if process is None or started_as != fingerprint(part):
            return False
        try:
            return processes.wait_until(part.healthy, BUSY_SECONDS, still_possible=process.is_running)
        except StackError:
            return False

    def _wait(self, part: Part, popen: subprocess.Popen[bytes]) -> None:
        log = self.log_of(part.name)
        try:
            serves = processes.wait_until(part.healthy, part.start_seconds, still_possible=lambda: popen.poll() is None)
        except StackError as error:
            self.stop(part.name, part)
            raise StackError(
                "{part} cannot work: {reason}\n{log}", part=part.name, reason=error, log=processes.log_tail(log)
            ) from error
        if serves:
            return
        ended = popen.poll()
        reason = f"did not serve within {part.start_seconds:.0f} s" if ended is None else f"ended with status {ended}"
        self.stop(part.name, part)
        raise StackError(
            "{part} {reason}. The end of {path}:\n{log}",
            part=part.name,
            reason=reason,
            path=log,
            log=processes.log_tail(log),
        )

    def members(self, name: str, part: Part | None = None) -> list[psutil.Process]:
        """All live processes of a part: the first, what it forked, and what outlived an earlier first."""
        first = self.running(name)
        found = {process.pid: process for process in processes.marked_processes(self.layout.data, name)}
        if first is not None:
            found[first.pid] = first
            # some programs overwrite their environment, and our mark with it
            found |= {process.pid: process for process in first.children(recursive=True)}
        if part:
            found |= {process.pid: process for process in part.orphans()}
        return list(found.values())

    def stop(self, name: str, part: Part | None = None) -> bool:
        """Stop a part: its first process with the signal that it wants, then whatever is left of it.

        :returns: whether anything ran
        """
        first = self.running(name)
        all_of_it = self.members(name, part)
        if first is not None:
            signal = part.stop_signal if part else STOP_SIGNALS.get(name, processes.signal.SIGTERM)
            processes.stop_processes([first], signal, part.stop_seconds if part else 30.0)
        left = [process for process in {*all_of_it, *self.members(name, part)} if processes.lives(process)]
        processes.stop_processes(left, processes.signal.SIGTERM, 5.0)
        PidFile(self.layout.run, name).delete()
        return bool(all_of_it)

    def known(self) -> list[str]:
        """Names of parts with a pid file."""
        return sorted(path.stem for path in self.layout.run.glob("*.json"))


def fingerprint(part: Part) -> str:
    """Changes when the part would be started differently. Secrets go in, only a digest comes out."""
    what = [list(part.privileges), list(part.argv), sorted(part.environment.items()), str(part.cwd)]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()
