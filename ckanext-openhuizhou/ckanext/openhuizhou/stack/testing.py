"""``make test``: every suite on stacks of its own, beside whatever else runs.

    python -m ckanext.openhuizhou.stack.testing [unit] [integration] [harvest] [acceptance]

unit         needs no stack
integration  services of a stack in ``var/test``, its databases used up by the tests; all but the harvest's
harvest      the harvest's integration tests, services in ``var/test-harvest``
acceptance   a whole portal in ``var/acceptance``, harvested, seen from outside and in a browser; its parts are killed

Without a name all run, the harvest's beside the others: two cores are busy then, and the whole takes two thirds of the
time. Named suites run one after the other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryFile

import click

from ckanext.openhuizhou.errors import OpenHuizhouError, StackError
from ckanext.openhuizhou.stack import shutdown, startup
from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.ports import HOST, find_free
from ckanext.openhuizhou.stack.process import log_tail
from ckanext.openhuizhou.stack.services import Stack

HARVEST = "tests/integration/harvesters"
WITHOUT_CKAN = ("-p", "no:ckan", "-p", "no:ckan_fixtures")


def say(text: str) -> None:
    click.echo(f"[tests] {text}")


def pytest(*arguments: str, **environment: str) -> bool:
    """Run pytest in a process of its own; whether it passed. A run without tests has not passed."""
    line = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(line, env={**os.environ, **environment}, check=False).returncode == 0


@contextmanager
def stack_for_tests(name: str, start: Callable[[Stack], None]) -> Iterator[Layout]:
    """A stack with nothing in it from earlier runs; stopped at the end, its logs kept.

    :raises StackError: it did not start
    """
    base = Layout.from_environment()
    layout = replace(base, data=base.project / "var" / name, web_port=find_free())
    try:
        with layout.locked():
            shutdown.stop_all(layout, say)
            shutdown.throw_away(layout)
            layout.create()
            start(Stack(layout, say))
        # unlocked: tests use the commands too
        yield layout
    finally:
        with layout.locked():
            shutdown.stop_all(layout, say)


def unit() -> bool:
    return pytest(*WITHOUT_CKAN, "tests/unit")


def integration() -> bool:
    return on_services("test", "tests/integration", f"--ignore={HARVEST}")


def harvest() -> bool:
    return on_services("test-harvest", HARVEST)


def on_services(name: str, *tests: str) -> bool:
    """Tests on the services of a stack of their own."""
    with stack_for_tests(name, startup.services_only) as layout:
        return pytest(f"--ckan-ini={layout.data / 'test.ini'}", *tests, OPENHUIZHOU_DATA=str(layout.data))


def acceptance() -> bool:
    # where a test's own service listens, as a department's system that the operator has allowed
    os.environ["OPENHUIZHOU_ALLOWED_HOSTS"] = f"{HOST}:{find_free()}"
    with stack_for_tests("acceptance", lambda stack: startup.everything(stack, harvest=True)) as layout:
        passed = pytest(
            *WITHOUT_CKAN,
            "tests/acceptance",
            "tests/browser",
            OPENHUIZHOU_DATA=str(layout.data),
            OPENHUIZHOU_PORT=str(layout.web_port),
        )
        if not passed:
            say("the end of the web server's log:\n" + log_tail(layout.logs / "web.log", 60))
        return passed


SUITES = {"unit": unit, "integration": integration, "harvest": harvest, "acceptance": acceptance}
#: What runs beside the rest: it takes about as long as all the others.
BESIDE = "harvest"


def main(names: list[str]) -> int:
    """Run the suites of these names, or all; 0 when all passed."""
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        raise StackError("no such suite: {names}; there are {all}", names=unknown, all=", ".join(SUITES))
    os.chdir(Layout.from_environment().project)
    if names:
        return one_after_the_other(names)
    with beside(BESIDE) as result:
        others = one_after_the_other([name for name in SUITES if name != BESIDE])
        status = result()
    return others or status


@contextmanager
def beside(name: str) -> Iterator[Callable[[], int]]:
    """Run a suite in a process of its own; gives what waits for it, shows what it wrote, and returns its status."""
    with TemporaryFile("w+") as output:
        line = [sys.executable, "-m", __spec__.name, name]
        with subprocess.Popen(line, stdout=output, stderr=subprocess.STDOUT) as process:
            say(f"{name} runs beside the others, its output comes at the end")
            yield process.wait
            process.wait()
        output.seek(0)
        shutil.copyfileobj(output, sys.stdout)


def one_after_the_other(names: Sequence[str]) -> int:
    results = []
    for name in names:
        started = time.monotonic()
        say(name)
        try:
            passed = SUITES[name]()
        except OpenHuizhouError as error:
            say(str(error))
            passed = False
        results.append((name, passed, time.monotonic() - started))
    for name, passed, seconds in results:
        say(f"{name:12} {'passed' if passed else 'FAILED'} in {seconds:.0f} s")
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
