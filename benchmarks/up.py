"""From nothing to a portal with five departments' data, on a stack of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.results import Result
from benchmarks.sites import PROJECT, say
from ckanext.openhuizhou.stack.ports import find_free

DATA = PROJECT / "var" / "bench-up"
#: Wanted: harvested and loaded within 3 minutes, a second start within 30 s, 2.5 GiB of memory.
HARVEST_BAR, AGAIN_BAR, MEMORY_BAR = 180, 30, 2560


def measure() -> list[Result]:
    """Harvest and load of all five departments, a second ``up``, and the memory of the stack."""
    environment = {**os.environ, "OPENHUIZHOU_DATA": str(DATA), "OPENHUIZHOU_PORT": str(find_free())}

    def run(*command: str, check: bool = True) -> tuple[float, str]:
        program = Path(sys.executable).with_name(command[0])
        started = time.perf_counter()
        done = subprocess.run(
            [program, *command[1:]], env=environment, cwd=PROJECT, capture_output=True, text=True, check=check
        )
        return time.perf_counter() - started, done.stdout

    if DATA.exists():
        run("openhuizhou", "reset", "--yes")
    try:
        say("starting an empty portal")
        start, _ = run("openhuizhou", "up", "--no-harvest")
        say("harvesting five departments")
        harvest, _ = run("ckan", "-c", str(DATA / "ckan.ini"), "openhuizhou", "harvest", "run", "--all")
        say("a second up")
        again, _ = run("openhuizhou", "up")
        _, status = run("openhuizhou", "status", check=False)
    finally:
        run("openhuizhou", "down", check=False)
    shutil.rmtree(DATA)
    memory = re.search(r"memory together: (\d+) MiB", status)
    assert memory, status
    return [
        Result("up without harvest, downloads there already", round(start, 1), "s"),
        at_most("five departments harvested and loaded", harvest, "s", HARVEST_BAR),
        at_most("second up, all departments asked again", again, "s", AGAIN_BAR),
        at_most("memory of the whole stack", float(memory[1]), "MiB", MEMORY_BAR),
    ]


def at_most(name: str, value: float, unit: str, bar: float) -> Result:
    return Result(name, round(value, 1), unit, bar=bar, met=value <= bar)
