"""``ckan openhuizhou …``: what needs CKAN. The console script ``openhuizhou`` handles the stack."""

from __future__ import annotations

import click

from .harvest import harvest
from .index import index
from .links import links
from .reconcile import reconcile
from .seed import seed

__all__ = ["openhuizhou"]


@click.group(short_help="Commands of the open-data platform.")
def openhuizhou() -> None:
    """Commands of the open-data platform."""


openhuizhou.add_command(seed)
openhuizhou.add_command(harvest)
openhuizhou.add_command(index)
openhuizhou.add_command(links)
openhuizhou.add_command(reconcile)
