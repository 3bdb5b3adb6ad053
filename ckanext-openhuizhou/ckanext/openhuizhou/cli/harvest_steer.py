"""``ckan openhuizhou harvest …``: what a person does with sources and runs; each through the action of the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click

from ckanext.openhuizhou.domain.text_table import table
from ckanext.openhuizhou.model.harvest import COUNTERS
from ckanext.openhuizhou.transport.secrets import rotate_secrets

from .platform import call, in_site_language

__all__ = ["COMMANDS", "print_finding", "print_run"]


def _control(action: str, short_help: str) -> click.Command:
    @click.command(action, short_help=short_help)
    @click.argument("run_id")
    def command(run_id: str) -> None:
        print_run(call("openhuizhou_harvest_run_control", id=run_id, action=action))

    command.help = f"{short_help} A run that is being worked on stops within seconds; what it wrote stays."
    return command


def _decide(name: str, decision: str, short_help: str) -> click.Command:
    @click.command(name, short_help=short_help)
    @click.argument("run_id")
    def command(run_id: str) -> None:
        print_run(call("openhuizhou_harvest_run_decide", id=run_id, decision=decision))

    command.help = f"{short_help} The list: ckan openhuizhou harvest report RUN_ID --csv --differences."
    return command


@click.command("approve-source", short_help="Approve a source with its configuration and mapping.")
@click.argument("name")
def approve_source(name: str) -> None:
    """Approve the source NAME with its configuration and mapping, as a platform officer does."""
    source = call("openhuizhou_source_approve", id=name)
    click.echo(f"{source['name']}: approved")


@click.command("test", short_help="Ask a source whether it answers.")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def test(context: click.Context, name: str, as_json: bool) -> None:
    """Ask the source NAME whether it answers, and read its first record. Status 1 when it does not."""
    with in_site_language(context):
        told = call("openhuizhou_source_test", id=name)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        answer = "answers" if told["ok"] else "cannot be read"
        total = "" if told["total"] is None else f", {told['total']} records"
        click.echo(f"{name} {answer} ({told['requests']} requests in {told['seconds']} s{total})")
        if told["found"]:
            click.echo(f"first record: {told['found']['key']} {told['found']['title'] or ''}".rstrip())
        _print_findings(told["findings"])
    raise SystemExit(0 if told["ok"] else 1)


@click.command("preview", short_help="What would become of a source's first records.")
@click.argument("name")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 20), help="Records at most.")
@click.option("--key", help="Only the record with this key.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON: entries, items, rows, differences.")
@click.pass_context
def preview(context: click.Context, name: str, limit: int, key: str | None, as_json: bool) -> None:
    """Read some records of the source NAME and show what would become of them; nothing is written."""
    with in_site_language(context):
        told = call("openhuizhou_source_preview", id=name, limit=limit, **({"key": key} if key else {}))
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2, default=str))
        return
    rows = [(one["key"], one["title"] or "", one["result"], len(one["items"] or ())) for one in told["records"]]
    click.echo(table(("record", "title", "result", "items"), rows))
    _print_findings(told["findings"])
    for record in told["records"]:
        _print_findings(record["findings"])


@click.command("rotate-secrets", short_help="Encrypt the sources' passwords with the newest key.")
def rotate() -> None:
    """Encrypt what officers entered as passwords and tokens with the first of the keys; see docs/operations.md."""
    count, closed = rotate_secrets()
    click.echo(f"{count} encrypted with the newest key")
    for place in closed:
        click.echo(f"no key opens {place}; it must be entered again", err=True)
    raise SystemExit(1 if closed else 0)


def print_run(run: Mapping[str, Any]) -> None:
    """One line about a run."""
    counters = ", ".join(f"{run[name]} {name}" for name in COUNTERS)
    took = "" if run["seconds"] is None else f" in {run['seconds']} s"
    click.echo(f"{run['source']}: {run['state']}{took}: {counters} (run {run['id']})")


def print_finding(finding: Mapping[str, Any]) -> None:
    """One line about a finding."""
    title = f" {finding['title']}" if finding.get("title") else ""
    where = f"{finding['record'] or '-'}{title}"
    click.echo(f"  [{finding['severity']}] {where}: {finding['message']}. {finding['mend']}.")


def _print_findings(findings: Iterable[Mapping[str, Any]]) -> None:
    for finding in findings:
        print_finding(finding)


COMMANDS = (
    _control("pause", "Pause a run; it can be resumed."),
    _control("resume", "Go on with a paused run."),
    _control("cancel", "End a run for good."),
    _decide("approve", "approved", "Let a held run withdraw the entries that it lists."),
    _decide("refuse", "refused", "Withdraw nothing of a held run."),
    approve_source,
    test,
    preview,
    rotate,
)
