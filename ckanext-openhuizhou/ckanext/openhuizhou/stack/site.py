"""What the site needs from CKAN before it serves: migrations, DataStore permissions, translations, seeds, a harvest.

Each step is a CKAN command in a process of its own, and is skipped when it was already done for the same input.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack import databases
from ckanext.openhuizhou.stack.layout import Layout, Secrets, State
from ckanext.openhuizhou.stack.process import MARK, TAIL_LINES, bound_log, mark_of

PACKAGE = Path(__file__).resolve().parents[1]
SOURCE_SUFFIXES = {".py", ".html", ".yaml", ".ini", ".mo", ".css", ".js"}


def _command(layout: Layout, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    line = [str(Path(sys.executable).with_name("ckan")), "-c", str(layout.ini), *arguments]
    return line, {**os.environ, MARK: mark_of(layout.data, "command"), "PYTHONWARNINGS": "ignore"}


def ckan(layout: Layout, *arguments: str) -> str:
    """What ``ckan -c <ini> …`` prints.

    :raises StackError: it failed; the message holds the end of what it said
    """
    line, environment = _command(layout, arguments)
    done = subprocess.run(
        line, capture_output=True, stdin=subprocess.DEVNULL, env=environment, cwd=layout.data, check=False
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        raise StackError(
            "ckan {command} ended with status {status}\n{log}",
            command=" ".join(arguments),
            status=done.returncode,
            log="\n".join(said.splitlines()[-TAIL_LINES:]),
        )
    return done.stdout.decode("utf-8", "replace")


def fingerprint_of(paths: Iterable[Path], *more: str) -> str:
    """A digest of files (below folders too) and of words."""
    summary = hashlib.sha256()
    for word in more:
        summary.update(word.encode() + b"\0")
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.suffix != ".pyc":
                summary.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
    return summary.hexdigest()


def _versions() -> str:
    return " ".join(f"{name} {metadata.version(name)}" for name in ("ckan", "ckanext-scheming"))


def migrate(layout: Layout, secrets: Secrets, state: State, port: int, say: Callable[[str], None]) -> None:
    """Set the DataStore's permissions, upgrade CKAN's tables and those of every plugin."""
    wanted = fingerprint_of([PACKAGE / "migration", layout.config / "ckan.ini"], _versions())
    if state.done("migrate", wanted):
        return
    say("migrating the database")
    databases.set_datastore_permissions(port, secrets)
    ckan(layout, "db", "upgrade")
    state.mark_done("migrate", wanted)


def index(layout: Layout, state: State, core_digest: str, say: Callable[[str], None]) -> None:
    """Fill the index from the database when the core's configuration changed and the index was emptied.

    After a first migration there is nothing to fill it with.
    """
    if state.done("index", core_digest):
        return
    if state.was_done("index"):
        say("filling the search index")
        ckan(layout, "openhuizhou", "index", "rebuild")
    state.mark_done("index", core_digest)


def translate(layout: Layout, state: State, say: Callable[[str], None]) -> None:
    """Compile the translations, for the server and for its scripts."""
    compile_translations()
    wanted = fingerprint_of((PACKAGE / "i18n").glob("*/LC_MESSAGES/*.po"), _versions())
    if not state.done("translate", wanted):
        say("compiling translations")
        ckan(layout, "translation", "js")
        state.mark_done("translate", wanted)


def compile_translations() -> int:
    """Make the ``.mo`` of each ``.po`` that is newer. No program outside Python is needed.

    :returns: how many were made
    """
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    made = 0
    for po in (PACKAGE / "i18n").glob("*/LC_MESSAGES/*.po"):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source, locale=po.parents[1].name)
        # two stacks of one checkout may do this at the same time
        temporary = mo.with_name(f".{mo.name}.{os.getpid()}")
        with temporary.open("wb") as target:
            write_mo(target, catalogue)
        temporary.replace(mo)
        made += 1
    return made


def code_fingerprint(layout: Layout) -> str:
    """Changes when code, templates or settings that a running server has loaded were changed (size or time)."""
    summary = hashlib.sha256(_versions().encode())
    for root in (PACKAGE, layout.config):
        for folder, _, names in os.walk(root, followlinks=True):
            for name in sorted(names):
                path = Path(folder, name)
                if path.suffix in SOURCE_SUFFIXES:
                    status = path.stat()
                    summary.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    summary.update(layout.ini.read_bytes())
    return summary.hexdigest()


def seed(layout: Layout, state: State, say: Callable[[str], None]) -> None:
    """Departments, roles, demo accounts and sources, from ``config/``."""
    wanted = fingerprint_of([layout.config, PACKAGE / "cli", PACKAGE / "harvesters"], _versions())
    if layout.credentials.is_file() and state.done("seed", wanted):
        return
    say("seeding departments, accounts and sources")
    said = ckan(layout, "openhuizhou", "seed", "--credentials", str(layout.credentials))
    for line in said.splitlines():
        say(f"  {line}")
    state.mark_done("seed", wanted)


def harvest(layout: Layout) -> bool:
    """Run every source once; its report is shown as it grows, its log goes to ``log/harvest.log``.

    :returns: whether every source was read
    """
    line, environment = _command(layout, ["openhuizhou", "harvest", "run", "--all"])
    path = layout.logs / "harvest.log"
    bound_log(path)
    with path.open("ab") as log:
        done = subprocess.run(line, stderr=log, stdin=subprocess.DEVNULL, env=environment, cwd=layout.data, check=False)
    return done.returncode == 0
