"""``ckan openhuizhou reconcile``: proves that all parts tell the same, and repairs what does not."""

from __future__ import annotations

import json

import ckan.plugins.toolkit as tk
import click
import pysolr
from ckan.lib import search

from ckanext.openhuizhou.domain.discrepancies import LEFT, Report
from ckanext.openhuizhou.harvesters.reconcile import last_report
from ckanext.openhuizhou.harvesters.reconcile import reconcile as compare

from .platform import in_site_language

__all__ = ["reconcile"]

_STATUSES = ("all parts tell the same", "everything that differed was repaired", "something is left, see above")


@click.command("reconcile", short_help="Compare database, index, records, tables and files, and repair.")
@click.option("--dry-run", is_flag=True, help="Only say what differs.")
@click.option("--deep", is_flag=True, help="Count the rows of every table and hash every file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--quiet", is_flag=True, help="Print nothing when all parts tell the same.")
@click.option("--last", is_flag=True, help="Show what the last comparison found; compare nothing.")
@click.pass_context
def reconcile(context: click.Context, dry_run: bool, deep: bool, as_json: bool, quiet: bool, last: bool) -> None:
    """Compare everything and repair it. Status 0: nothing differed; 1: repaired; 2: something is left to a person."""
    if last:
        shown = last_report()
        if shown is None:
            raise click.ClickException("nothing was compared yet")
    else:
        shown = _compared(dry_run, deep).as_dict()
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    elif shown["status"] or not quiet:
        with in_site_language(context):
            _print(shown)
    raise SystemExit(shown["status"])


def _compared(dry: bool, deep: bool) -> Report:
    try:
        return compare(dry=dry, deep=deep)
    except (search.SearchIndexError, pysolr.SolrError) as error:
        click.echo(f"Error: the search server does not answer, the index was not compared ({error})", err=True)
        raise SystemExit(LEFT) from error


def _print(shown: dict) -> None:
    for one in shown["found"]:
        mark = "+" if one["done"] else "!"
        click.echo(
            f"{mark} {one['kind']} {one['what']} ({one['before']}): {tk._(one['message'])}. {tk._(one['repair'])}."
        )
    for kind, count in sorted(shown["counts"].items()):
        left = shown["left"].get(kind, 0)
        click.echo(f"{kind}: {count}" + (f", {left} left" if left else ""))
    looked_at = ", ".join(f"{count} {name}" for name, count in shown["looked_at"].items())
    click.echo(f"compared: {looked_at}")
    if shown["skipped"]:
        click.echo(f"left to the next time, a run works on them: {', '.join(shown['skipped'])}")
    click.echo(_STATUSES[shown["status"]] if not shown["dry"] or not shown["status"] else "nothing was changed")
