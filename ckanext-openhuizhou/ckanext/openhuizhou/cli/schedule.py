"""``ckan openhuizhou harvest schedule``: the process that starts what is due; and what it does once a day."""

from __future__ import annotations

import signal
from threading import Event

import click

from ckanext.openhuizhou import config
from ckanext.openhuizhou.exports import store
from ckanext.openhuizhou.harvesters import retention
from ckanext.openhuizhou.harvesters.daily import Daily
from ckanext.openhuizhou.harvesters.scheduler import Scheduler
from ckanext.openhuizhou.logic.findings import described_finding
from ckanext.openhuizhou.notices import outgoing

__all__ = ["prune", "schedule"]


@click.command("schedule", short_help="Start what is due, for as long as this process lives.")
@click.pass_context
def schedule(context: click.Context) -> None:
    """Queue scheduled runs, wake workers, index what waits, send mail, clean up once a day; until SIGTERM.

    Any number may run, on any machine: one leads, the others wait to take its place.
    """
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with context.meta["flask_app"].app_context():
        Scheduler(lambda: outgoing.send_due(described_finding), Daily()).run(stop, config.scheduler_interval())


@click.command("prune", short_help="Delete what is old: runs, findings, records that are gone.")
def prune() -> None:
    """Delete what is older than the options keep_runs_days and keep_findings_days say; the scheduler does it daily."""
    click.echo(f"deleted: {retention.prune()}, {store.prune()} files of tables")
