"""``ckan openhuizhou index …``: the search index."""

from __future__ import annotations

import click
from ckan.lib import search

from ckanext.openhuizhou.search import outbox
from ckanext.openhuizhou.search import rebuild as rebuilding

__all__ = ["index"]


@click.group(short_help="The search index.")
def index() -> None:
    """The search index."""


@index.command("drain", short_help="Index what waits in the outbox.")
def drain() -> None:
    """Index what waits in the outbox; with a dead search server it waits on."""
    try:
        count = outbox.drain()
    except (search.SearchIndexError, OSError) as error:
        raise click.ClickException(f"the search server took nothing ({error}); {outbox.waiting()} wait") from error
    click.echo(f"{count} datasets indexed")


@index.command("rebuild", short_help="Index every dataset anew, without emptying the index.")
def rebuild() -> None:
    """Index every dataset anew and take away what has none; searches go on meanwhile. Status 1 when one is refused."""
    try:
        done = rebuilding.rebuild(lambda count: click.echo(f"{count} datasets", err=True))
    except (search.SearchIndexError, OSError) as error:
        raise click.ClickException(f"the search server does not answer ({error}); start again later") from error
    rate = done.indexed / done.seconds if done.seconds else 0.0
    click.echo(f"{done.indexed} indexed, {done.removed} removed, in {done.seconds:.1f} s ({rate:.0f} a second)")
    for package_id in done.refused:
        click.echo(f"cannot be indexed: {package_id}", err=True)
    if done.refused:
        raise SystemExit(1)
