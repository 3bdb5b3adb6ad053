"""Console script ``openhuizhou``: the embedded stack. What needs CKAN is ``ckan openhuizhou …``."""

from __future__ import annotations

import sys
import time

import click

from ckanext.openhuizhou.errors import OpenHuizhouError
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
def up(services_only: bool) -> None:
    """Start everything that does not run yet."""
    from ckanext.openhuizhou.stack.services import Stack

    layout = Layout.from_environment()
    with layout.locked():
        stack = Stack(layout, say)
        stack.start_services()
        stack.write_ini()
        try:
            stack.prepare_site()
        except OpenHuizhouError as error:
            say(f"the site is not ready: {error}")
        say(f"services are up; ini: {layout.ini}")


@commands.command()
def down() -> None:
    """Stop everything."""
    from ckanext.openhuizhou.stack.shutdown import stop_all

    layout = Layout.from_environment()
    with layout.locked():
        stop_all(layout, say)


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
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OpenHuizhouError as error:
        click.echo(f"openhuizhou: {error}", err=True)
        sys.exit(1)
