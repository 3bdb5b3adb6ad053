"""``ckan openhuizhou harvest …``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click
import sqlalchemy as sa
from ckan import model
from sqlalchemy.exc import OperationalError

from ckanext.openhuizhou.domain.city_time import to_city
from ckanext.openhuizhou.domain.text_table import table
from ckanext.openhuizhou.harvesters import engine, passage, report, sweep
from ckanext.openhuizhou.harvesters.scheduler import NAME as SCHEDULER
from ckanext.openhuizhou.helpers.harvest_csv import differences_csv, findings_csv
from ckanext.openhuizhou.model import leader
from ckanext.openhuizhou.model.harvest import COUNTERS, Run, Source
from ckanext.openhuizhou.notices import outgoing
from ckanext.openhuizhou.search import outbox

from .harvest_steer import COMMANDS, print_finding, print_run
from .platform import call, in_site_language
from .schedule import prune, schedule

__all__ = ["harvest"]

#: Findings that one question brings.
_PAGE = 1000


@click.group(short_help="Read the departments' sources.")
def harvest() -> None:
    """Read the departments' sources."""


for command in (schedule, prune, *COMMANDS):
    harvest.add_command(command)


@harvest.command("run", short_help="Read sources now, in this process.")
@click.argument("names", nargs=-1)
@click.option("--all", "all_sources", is_flag=True, help="Every active source, by priority and name.")
@click.option("--full", is_flag=True, help="Ignore what is remembered: read everything anew.")
@click.option("--dry", is_flag=True, help="Write nothing; say what would be added, changed, withdrawn, refused.")
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON.")
def run(names: tuple[str, ...], all_sources: bool, full: bool, dry: bool, as_json: bool) -> None:
    """Read the named sources, one after the other. Ends with status 1 when a run failed, was held or is elsewhere."""
    if full and dry:
        raise click.UsageError("--full and --dry exclude each other")
    mode = "full" if full else "dry" if dry else "normal"
    done: list[dict[str, Any]] = []
    left: list[str] = []
    for source_id, name in _chosen(names, all_sources):
        if mode != "dry" and _waits_for_approval(source_id):
            left.append(f"{name}: the source has changed and waits for approval; until then only dry runs")
            continue
        run_id = _run(source_id, name, mode)
        if run_id is None:
            left.append(f"{name}: another worker is reading this source")
            continue
        found = report.run_dict(model.Session.get_one(Run, run_id), model.Session.get_one(Source, source_id))
        done.append(found)
        if not as_json:
            print_run(found)
    if as_json:
        click.echo(json.dumps(done, ensure_ascii=False, indent=2))
    for sentence in left:
        click.echo(sentence, err=True)
    if left or any(one["state"] != "done" for one in done):
        raise SystemExit(1)


@harvest.command("report", short_help="What a run did and found.")
@click.argument("run_id", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the findings of RUN_ID as CSV, however many they are.")
@click.option("--differences", is_flag=True, help="With --csv: what a dry or held run would change, instead.")
@click.pass_context
def show_report(context: click.Context, run_id: str | None, as_json: bool, as_csv: bool, differences: bool) -> None:
    """The run RUN_ID, or the last run of each source: counters, and every finding with how to mend it."""
    if (as_csv and not run_id) or (differences and not as_csv):
        raise click.UsageError("--csv needs a RUN_ID, and --differences needs --csv")
    with in_site_language(context):
        if as_csv and run_id:
            call("openhuizhou_harvest_run_show", id=run_id, limit=0)
            for part in (differences_csv if differences else findings_csv)(run_id):
                sys.stdout.buffer.write(part)
            return
        chosen = [run_id] if run_id else [last.id for last in map(report.latest_run, _source_ids()) if last]
        shown = [_with_findings(one) for one in chosen]
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for one in shown:
        print_run(one)
        for finding in one["findings"]:
            print_finding(finding)


@harvest.command("status", short_help="Each source: health, next run, entries, last run; and what runs by itself.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(as_json: bool) -> None:
    """Each source with its health, its next run, its entries and its last run; and what else waits."""
    sources = [_status(source) for source in call("openhuizhou_source_list")]
    mail, schedulers, waiting = outgoing.waiting(), leader.processes(SCHEDULER), outbox.waiting()
    if as_json:
        told = {"sources": sources, "waiting_for_index": waiting, "mail": mail, "schedulers": schedulers}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    header = ("source", "department", "health", "state", "next run", "entries", "rows", *COUNTERS, "seconds")
    click.echo(table(header, [tuple(_cells(one)) for one in sources]))
    click.echo()
    click.echo(f"search index: {waiting} entries wait")
    click.echo(_about_mail(mail))
    leading = [one["name"] for one in schedulers if one["leads"]]
    others = f", {len(schedulers) - 1} more wait to take its place" if len(schedulers) > 1 else ""
    click.echo(f"scheduler: {leading[0]} leads{others}" if leading else "scheduler: none runs, nothing is started")


def _run(source_id: str, name: str, mode: str) -> str | None:
    try:
        return engine.run_source(source_id, mode, "command")
    except OperationalError as error:
        # the run cannot be closed without a database; whoever runs the source next goes on with it
        raise click.ClickException(
            f"{name}: the portal's own database does not answer. Start it and run this command again; "
            "what was under way goes on where it stopped"
        ) from error


def _waits_for_approval(source_id: str) -> bool:
    return not model.Session.get_one(Source, source_id).approved and passage.has_published(source_id)


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
    shown = call("openhuizhou_harvest_run_show", id=run_id, limit=_PAGE)
    while len(shown["findings"]) < shown["findings_count"]:
        more = call("openhuizhou_harvest_run_show", id=run_id, limit=_PAGE, offset=len(shown["findings"]))
        if not more["findings"]:
            break
        shown["findings"] += more["findings"]
    return shown


def _status(source: dict[str, Any]) -> dict[str, Any]:
    organization = model.Group.get(source["organization_id"])
    entries, rows = report.published(source["id"])
    last = source["last_run"]
    return {
        **{name: source[name] for name in ("name", "title", "kind", "health", "next_run", "last_run")},
        "organization": organization.name if organization else None,
        "department": organization.title if organization else None,
        "state": last["state"] if last else "never run",
        "entries": entries,
        "rows": rows,
        "live": sweep.live_count(source["id"]),
    }


def _cells(one: dict[str, Any]) -> Iterator[Any]:
    yield from (one["name"], one["department"], one["health"], one["state"], _city_time(one["next_run"]))
    yield from (one["entries"], one["rows"])
    last = one["last_run"] or {}
    yield from (last.get(name) for name in (*COUNTERS, "seconds"))


def _city_time(moment: str | None) -> str:
    return f"{to_city(datetime.fromisoformat(moment)):%m-%d %H:%M}" if moment else "-"


def _about_mail(mail: dict[str, Any]) -> str:
    waits = f"{mail['waiting']} wait, {mail['given_up']} were given up"
    if mail["configured"]:
        return f"mail: {waits}"
    return f"mail: no server (options smtp.server and smtp.mail_from); {waits}"
