"""``ckan openhuizhou links …``: whether links that lead elsewhere still work."""

from __future__ import annotations

import click

from ckanext.openhuizhou.data.links import check_due

__all__ = ["links"]


@click.group(short_help="Links that lead elsewhere.")
def links() -> None:
    """Links that lead elsewhere."""


@links.command("check", short_help="Ask the links that are due.")
def check() -> None:
    """Ask the links that are due, one question to a host at a time. The scheduler does this every hour."""
    checked = check_due()
    click.echo(f"asked {checked.asked} links, {checked.failed} of them do not work")
