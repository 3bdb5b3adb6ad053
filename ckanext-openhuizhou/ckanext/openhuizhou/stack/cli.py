"""Console script ``openhuizhou``: the embedded stack. What needs CKAN is ``ckan openhuizhou …``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import click

from ckanext.openhuizhou.errors import OpenHuizhouError, StackError
from ckanext.openhuizhou.stack.layout import Layout

_started = time.monotonic()


def say(text: str) -> None:
    """A line of progress with the seconds since the start."""
    click.echo(f"{time.monotonic() - _started:6.1f} s  {text}")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Start and stop Open Huizhou on this machine.

    OPENHUIZHOU_PORT (default 5000) and OPENHUIZHOU_DATA (default var/) tell stacks apart.
    """


@commands.command()
@click.option("--services-only", is_flag=True, help="PostgreSQL, Valkey, Solr and a migrated database; nothing else.")
@click.option("--no-harvest", is_flag=True, help="Start everything, but read no department.")
def up(services_only: bool, no_harvest: bool) -> None:
    """Start everything that does not run yet, harvest the departments, show what is published."""
    from ckanext.openhuizhou.stack import startup
    from ckanext.openhuizhou.stack.services import Stack

    layout = Layout.from_environment()
    with layout.locked():
        stack = Stack(layout, say)
        if services_only:
            startup.services_only(stack)
        else:
            startup.everything(stack, harvest=not no_harvest)


@commands.command()
def down() -> None:
    """Stop everything."""
    from ckanext.openhuizhou.stack.shutdown import stop_all

    layout = Layout.from_environment()
    with layout.locked():
        stop_all(layout, say)


@commands.command()
def status() -> None:
    """Show each part with its process, address, health and memory. Status 1 when a part is missing or ill."""
    from ckanext.openhuizhou.stack import overview

    layout = Layout.from_environment()
    if not layout.data.is_dir():
        raise StackError("no stack in {data}; start one with: openhuizhou up", data=layout.data)
    text, well = overview.show(layout)
    click.echo(text)
    sys.exit(0 if well else 1)


@commands.command()
@click.argument("part", required=False)
@click.option("-n", "--lines", default=40, show_default=True, help="How many lines of each log.")
@click.option("-f", "--follow", is_flag=True, help="Go on showing what is added.")
def logs(part: str | None, lines: int, follow: bool) -> None:
    """Show the ends of the logs, or of one part's log."""
    layout = Layout.from_environment()
    found = sorted(layout.logs.glob(f"{part}.log" if part else "*.log"))
    if not found:
        names = ", ".join(path.stem for path in sorted(layout.logs.glob("*.log"))) or "none"
        raise StackError("no log of {part} in {folder}; there are: {names}", part=part, folder=layout.logs, names=names)
    line = ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, found)]
    try:
        sys.exit(subprocess.run(line, check=False).returncode)
    except KeyboardInterrupt:
        sys.exit(0)


@commands.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Stop everything and throw the data away: databases, index, files, passwords, logs."""
    from ckanext.openhuizhou.stack.shutdown import stop_all, throw_away

    layout = Layout.from_environment()
    if not layout.data.exists():
        click.echo(f"nothing in {layout.data}")
        return
    if not (layout.data / "state.json").is_file():
        raise StackError("{data} is not the data folder of a stack", data=layout.data)
    if not yes:
        click.confirm(f"Throw away all data in {layout.data}?", abort=True)
    with layout.locked():
        stop_all(layout, say)
        throw_away(layout)
    shutil.rmtree(layout.data)
    say(f"{layout.data} is gone")


@commands.command("lock-jars", hidden=True)
def lock_jars() -> None:
    """Resolve Solr's jars anew and write config/solr/jars.lock."""
    from ckanext.openhuizhou.stack import jars

    layout = Layout.from_environment()
    click.echo(f"{jars.write_lock(layout.config / 'solr' / 'jars.lock')} jars")


def main() -> None:
    """Run a command; an expected failure is a message and status 1, not a traceback."""
    try:
        commands.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OpenHuizhouError as error:
        click.echo(f"openhuizhou: {error}", err=True)
        sys.exit(1)
