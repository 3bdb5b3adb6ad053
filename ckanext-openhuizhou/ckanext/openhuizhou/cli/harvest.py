"""``ckan openhuizhou harvest …`` and ``ckan openhuizhou index …``."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from typing import Any

import ckan.plugins.toolkit as tk
import click
import sqlalchemy as sa
from ckan import model
from ckan.lib import search
from sqlalchemy.exc import OperationalError

from ckanext.openhuizhou.harvesters import engine, report, sweep
from ckanext.openhuizhou.logic.findings import described_finding
from ckanext.openhuizhou.model.harvest import COUNTERS, Run, Source
from ckanext.openhuizhou.search import outbox

from .schedule import prune, schedule

__all__ = ["harvest", "index"]


@click.group(short_help="Read the departments' sources.")
def harvest() -> None:
    """Read the departments' sources."""


harvest.add_command(schedule)
harvest.add_command(prune)


@harvest.command("run", short_help="Read sources now, in this process.")
@click.argument("names", nargs=-1)
@click.option("--all", "all_sources", is_flag=True, help="Every active source, by priority and name.")
@click.option("--full", is_flag=True, help="Ignore what is remembered: read everything anew.")
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON.")
def run(names: tuple[str, ...], all_sources: bool, full: bool, as_json: bool) -> None:
    """Read the named sources, one after the other. Ends with status 1 when a run failed, was held or is elsewhere."""
    mode = "full" if full else "normal"
    done: list[dict[str, Any]] = []
    elsewhere: list[str] = []
    for source_id, name in _chosen(names, all_sources):
        run_id = _run(source_id, name, mode)
        if run_id is None:
            elsewhere.append(name)
            continue
        found = report.run_dict(model.Session.get_one(Run, run_id), model.Session.get_one(Source, source_id))
        done.append(found)
        if not as_json:
            _print_run(found)
    if as_json:
        click.echo(json.dumps(done, ensure_ascii=False, indent=2))
    for name in elsewhere:
        click.echo(f"{name}: another worker is reading this source", err=True)
    if elsewhere or any(one["state"] != "done" for one in done):
        raise SystemExit(1)


@harvest.command("report", short_help="What a run did and found.")
@click.argument("run_id", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def show_report(context: click.Context, run_id: str | None, as_json: bool) -> None:
    """The run RUN_ID, or the last run of each source: counters, and every finding with how to mend it."""
    chosen = [run_id] if run_id else [last.id for last in map(report.latest_run, _source_ids()) if last]
    # sentences are translated as for a visitor who reads the site's own language
    language = {"CKAN_LANG": tk.config["ckan.locale_default"]}
    with context.meta["flask_app"].test_request_context(environ_overrides=language):
        shown = [_with_findings(one) for one in chosen]
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for one in shown:
        _print_run(one)
        for finding in one["findings"]:
            where = finding["record"] or "-"
            title = f" {finding['title']}" if finding["title"] else ""
            click.echo(f"  [{finding['severity']}] {where}{title}: {finding['message']}. {finding['mend']}.")


@harvest.command("status", short_help="Each source with its entries and its last run.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(as_json: bool) -> None:
    """Each source with its entries and its last run."""
    sources = [_status(source) for source in model.Session.scalars(sa.select(Source).order_by(Source.name))]
    if as_json:
        click.echo(json.dumps({"sources": sources, "waiting_for_index": outbox.waiting()}, ensure_ascii=False))
        return
    header = ("source", "department", "state", "entries", "rows", *COUNTERS, "seconds")
    rows = [
        (
            one["name"],
            one["department"],
            one["state"],
            one["entries"],
            one["rows"],
            *(one["last_run"][name] if one["last_run"] else "" for name in COUNTERS),
            one["last_run"]["seconds"] if one["last_run"] else "",
        )
        for one in sources
    ]
    _print_table(header, rows)


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


def _run(source_id: str, name: str, mode: str) -> str | None:
    try:
        return engine.run_source(source_id, mode)
    except OperationalError as error:
        # the run cannot be closed without a database; whoever runs the source next goes on with it
        raise click.ClickException(
            f"{name}: the portal's own database does not answer. Start it and run this command again; "
            "what was under way goes on where it stopped"
        ) from error


def _chosen(names: tuple[str, ...], all_sources: bool) -> list[tuple[str, str]]:
    query = sa.select(Source.id, Source.name).where(Source.active).order_by(Source.priority.desc(), Source.name)
    known = [(id_, name) for id_, name in model.Session.execute(query)]
    if all_sources:
        return known
    if not names:
        raise click.UsageError("name a source, or say --all")
    missing = set(names) - {name for _id, name in known}
    if missing:
        raise click.ClickException(f"no active source is called {', '.join(sorted(missing))}")
    return [(id_, name) for id_, name in known if name in names]


def _source_ids() -> list[str]:
    return list(model.Session.scalars(sa.select(Source.id).order_by(Source.name)))


def _with_findings(run_id: str) -> dict[str, Any]:
    found = model.Session.get(Run, run_id)
    if found is None:
        raise click.ClickException(f"there is no run {run_id}")
    _count, findings = report.findings(run_id)
    return {
        **report.run_dict(found, model.Session.get_one(Source, found.source_id)),
        "findings": [{**described_finding(finding), "title": title} for finding, title in findings],
    }


def _status(source: Source) -> dict[str, Any]:
    organization = model.Group.get(source.organization_id)
    last = report.latest_run(source.id)
    datasets, rows = report.published(source.id)
    return {
        "name": source.name,
        "title": source.title,
        "organization": organization.name if organization else None,
        "department": organization.title if organization else None,
        "kind": source.kind,
        "state": last.state if last else "never run",
        "entries": datasets,
        "rows": rows,
        "live": sweep.live_count(source.id),
        "last_run": report.run_dict(last, source) if last else None,
    }


def _print_run(found: dict[str, Any]) -> None:
    counters = ", ".join(f"{found[name]} {name}" for name in COUNTERS)
    click.echo(f"{found['source']}: {found['state']} in {found['seconds']} s: {counters} (run {found['id']})")


def _print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(_width(row[place]) for row in table) for place in range(len(header))]
    for row in table:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    """Columns of a terminal that a text takes: Chinese letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
