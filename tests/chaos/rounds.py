"""One round: the departments' data change, every source is read, something is killed in the middle, it comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.chaos.city import MAPPING, City
from tests.chaos.portal import Portal, sample

ORGANIZATIONS = ("huanbaoju", "anjianju", "rensheju", "minzhengju")
#: A run whose worker is dead is taken over when its lease has run out (60 s), or at once on the same machine.
PATIENCE = 180.0
#: A run fails when its database goes away; it is then asked for again.
ATTEMPTS = 6
#: Of a round's kill after the request; runs of so few records take about as long.
LONGEST_DELAY = 3.0


@dataclass
class Round:
    """What happened. ``delay``: seconds from a request of a table to the kill, which so comes while something is
    written, withdrawn or indexed; 0 while the request waits. ``wrong``: where catalogue and sources differ at the end;
    nothing else may be there."""

    number: int
    killed: list[str] = field(default_factory=list)
    delay: float = 0.0
    in_the_middle: bool = False
    again: int = 0
    repaired: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Chaos:
    """Several sources of one portal, and a seeded will."""

    def __init__(self, portal: Portal, seed: int, size: int = 20, say: Callable[[str], None] = lambda _text: None):
        self.portal = portal
        self.random = Random(seed)
        self.city = City(list(ORGANIZATIONS), self.random, size)
        self.say = say

    def start(self) -> None:
        self.portal.start(allowed=self.city.host)
        for name in ORGANIZATIONS:
            self.portal.add_source(f"chaos-{name}", name, self.city.source_config(name), MAPPING)

    def stop(self) -> None:
        self.city.stop()

    def round(self, number: int, killed: Sequence[str] = ()) -> Round:
        """Kill, bring back, let the runs end, reconcile, compare. ``killed``: names of victims; by lot when none."""
        done = Round(number, list(killed))
        if not killed:
            done.killed = sample(self.random, sorted(self.portal.victims()))
            done.delay = round(self.random.choice((0.0, self.random.uniform(0, LONGEST_DELAY))), 2)
        started = time.monotonic()
        if number > 1:
            for department in self.city.departments.values():
                department.live(self.random)
        self._run_and_kill(done)
        self.portal.bring_back()
        self._settle(done)
        self._reconcile(done)
        done.wrong += self._differences()
        done.seconds = round(time.monotonic() - started, 1)
        return done

    def _run_and_kill(self, done: Round) -> None:
        victims = self.portal.victims()
        killed = threading.Event()

        def kill() -> None:
            for name in done.killed:
                victims[name]()
            killed.set()

        def kill_soon() -> None:
            if done.delay:
                timer = threading.Timer(done.delay, kill)
                timer.daemon = True
                timer.start()
            else:
                kill()

        due = sum(len(department.news) for department in self.city.departments.values())
        self.city.after_requests(self.random.randrange(1, due + 1), kill_soon)
        for name in ORGANIZATIONS:
            self.portal.run(f"chaos-{name}")
        # with a delay the runs may be over before
        while not killed.wait(0.1) and not self.portal.wait_for_runs([f"chaos-{n}" for n in ORGANIZATIONS], 0):
            pass
        done.in_the_middle = killed.is_set()
        if not killed.wait(2 * LONGEST_DELAY):
            kill()

    def _settle(self, done: Round) -> None:
        """Every source was read to its end after the last change of its data."""
        waiting = {f"chaos-{name}" for name in ORGANIZATIONS}
        for attempt in range(ATTEMPTS):
            if not self.portal.wait_for_runs(sorted(waiting), PATIENCE):
                done.wrong.append(f"runs do not end: {[self.portal.last_run(name)['state'] for name in waiting]}")
                return
            if attempt:
                waiting = {name for name in waiting if self.portal.last_run(name)["state"] != "done"}
            if not waiting:
                return
            # the run that was killed may have been over before; one more makes sure that all was read
            done.again += len(waiting) if attempt else 0
            for name in waiting:
                self.portal.run(name)
        done.wrong.append(f"not done after {ATTEMPTS} runs: {sorted(waiting)}")

    def _reconcile(self, done: Round) -> None:
        status, report = self.portal.reconcile()
        done.repaired = report.get("counts", report)
        if status not in (0, 1):
            done.wrong.append(f"reconcile ended with {status}: {report}")
        if status == 0:
            return
        status, report = self.portal.reconcile()
        if status != 0:
            done.wrong.append(f"not clean after reconcile: {report}")

    def _differences(self) -> list[str]:
        wrong = []
        for name, department in self.city.departments.items():
            expected, shown = department.expected(), self.portal.shown(name)
            wrong += [f"{name}: {title} is lacking" for title in expected.keys() - shown.keys()]
            wrong += [f"{name}: {title} is too much" for title in shown.keys() - expected.keys()]
            both = expected.keys() & shown.keys()
            wrong += [f"{name}: {title} has other rows" for title in both if expected[title] != shown[title]]
        return wrong
