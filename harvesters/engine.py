"""A run: source → records → mapping → checks → compare → batch write → sweep → report.

State is in PostgreSQL. A run that was killed or paused is taken over by the next worker: it reads the source again
from the beginning and skips what the run had settled, so that nothing is lost and nothing is done twice. A run that
was held and then approved reads nothing: it withdraws what was listed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou import config
from ckanext.openhuizhou.data.tables import finish_interrupted
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import (
    ConfigurationError,
    DecodingError,
    LeaseLost,
    RunStopped,
    SourceError,
    SourceGone,
)
from ckanext.openhuizhou.harvesters import conflicts, sweep
from ckanext.openhuizhou.harvesters import lease as leases
from ckanext.openhuizhou.harvesters import stored as records
from ckanext.openhuizhou.harvesters.assembly import assembled, redacted
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.passage import Passage, has_published
from ckanext.openhuizhou.harvesters.prepare import source_finding
from ckanext.openhuizhou.harvesters.resume import resume
from ckanext.openhuizhou.harvesters.run_end import end
from ckanext.openhuizhou.harvesters.writer import Writer
from ckanext.openhuizhou.model.harvest import Record, Source
from ckanext.openhuizhou.search import outbox
from ckanext.openhuizhou.transport.variables import Variables

log = logging.getLogger(__name__)


def run_source(
    source_id: str, mode: str = "normal", trigger: str = "command", requested_by: str | None = None
) -> str | None:
    """Run a source now, in this process; the run's id, or None when another worker is reading the source."""
    run_id, new = leases.queue(source_id, mode, trigger, requested_by)
    if new:
        log.info("Run %s of source %s", run_id, source_id)
    lease = leases.claim(run_id)
    if lease is None:
        return None
    execute(lease)
    return run_id


def work() -> int:
    """Work on every run that waits or was abandoned; how many there were. The job that the queue calls."""
    count = 0
    while (lease := leases.claim_next()) is not None:
        execute(lease)
        count += 1
    return count


def execute(lease: Lease) -> None:
    """Work on a run until it ends or somebody stops it. Every error ends in the run's findings, none leaves."""
    variables = Variables({})
    if lease.hopeless:
        _fail(lease, Finding("run-ends-workers"), variables)
        return
    try:
        # as it is now: this process may have met the source in an earlier run
        source = model.Session.get_one(Source, lease.source_id, populate_existing=True)
        variables = Variables.load(config.source_variables_file())
        with lease.kept():
            _start(lease)
            if lease.decision == "approved":
                _withdraw_approved(lease, source)
            else:
                _harvest(lease, source, variables)
    except RunStopped as stopped:
        _let_go(lease, stopped.control)
    except LeaseLost:
        model.Session.rollback()
        log.warning("Run %s belongs to another worker now", lease.run_id)
    except SourceGone as gone:
        _fail(lease, gone.finding, variables)
    except (SourceError, ConfigurationError, DecodingError) as error:
        _fail(lease, source_finding(error), variables)
    except Exception as error:
        log.exception("Run %s failed", lease.run_id)
        _fail(lease, Finding("run-unexpected", params={"reason": type(error).__name__}), variables)


def _start(lease: Lease) -> None:
    if lease.resumed:
        resume(lease)
    if lease.mode == "dry":
        return
    finish_interrupted()
    conflicts.finish_takeovers()
    if outbox.waiting():
        Writer(lease, approved=False).drain()


def _harvest(lease: Lease, source: Source, variables: Variables) -> None:
    if lease.mode != "dry" and not source.approved and has_published(source.id):
        _fail(lease, Finding("source-unapproved"), variables)
        return
    version = source.modified
    passage = Passage.of(lease, source, assembled(source, variables))
    kind = passage.kind
    try:
        if not kind.open():
            if _all_settled(source.id):
                _take_over(lease, source)
                return
            # something is left to do although the source has not changed: ask again, without conditions
            kind.close()
            passage.reading.state = {}
            kind.open()
        passage.read()
    finally:
        kind.close()
    _finish(passage, version)


def _all_settled(source_id: str) -> bool:
    """Whether every record of the source ended well, or was refused for what it is, at its last reading; and no other
    source has let go of an entry since."""
    unsettled = sa.or_(Record.state == "pending", Record.last_result == "failed")
    query = sa.select(sa.func.count()).select_from(Record).where(Record.source_id == source_id, unsettled)
    return model.Session.execute(query).scalar_one() == 0 and not conflicts.may_come_back(source_id)


def _take_over(lease: Lease, source: Source) -> None:
    """The source has not changed: every record is as it was, and what was refused is refused for the same reasons."""
    live = (Record.state == "published", Record.last_result.in_(records.GOOD))
    lease.counters["unchanged"] = sweep.live_count(lease.source_id, *live)
    lease.counters["refused"] = sum(_refused_again(lease, page) for page in records.refused_pages(lease.source_id))
    lease.checkpoint = lease.total = lease.counters["unchanged"] + lease.counters["refused"]
    lease.rules = {"source-not-modified": lease.checkpoint} if lease.checkpoint else {}
    if lease.mode != "dry":
        values = {"last_run_id": lease.run_id, "last_result": "unchanged", "rule": "source-not-modified"}
        seen = sa.update(Record).where(Record.source_id == lease.source_id, *live)
        seen = seen.values(values | {"last_seen": utcnow()}).execution_options(synchronize_session=False)
        model.Session.execute(seen)
    _close(lease, source, "done")


def _refused_again(lease: Lease, page: Sequence[records.Stored]) -> int:
    records.add_findings(
        [
            records.finding_values(lease.run_id, records.finding_from(values), record["key"], record["title"])
            for record in page
            for values in record["findings"]
        ]
    )
    return len(page)


def _finish(passage: Passage, version: datetime) -> None:
    lease, source = passage.lease, passage.source
    held = None
    if passage.trial is not None:
        going = passage.trial.withdraw(passage.batches)
        held = sweep.brake(sweep.live_count(source.id), going, passage.batches.count)
    else:
        held = sweep.brake(sweep.live_count(source.id), sweep.gone_count(lease), passage.batches.count)
        if held is None:
            passage.findings += sweep.withdraw(lease, approved=source.approved)
        else:
            sweep.list_gone(lease)
    findings = [*passage.findings, *([held] if held else [])]
    records.add_findings([records.finding_values(lease.run_id, finding, None) for finding in findings])
    lease.total = lease.checkpoint
    if lease.mode != "dry" and passage.flawless and not findings:
        remember = {"state": passage.reading.new_state, "state_mapping": passage.meaning}
        # of a source that was edited meanwhile, what was seen is of what it was before
        as_read = sa.and_(Source.id == source.id, Source.modified == version)
        model.Session.execute(sa.update(Source).where(as_read).values(remember))
    _close(lease, source, "held" if held and passage.trial is None else "done")


def _withdraw_approved(lease: Lease, source: Source) -> None:
    """What a platform officer has approved: only the listed entries go, and the source is not asked again."""
    findings = sweep.withdraw_listed(lease, approved=source.approved)
    records.add_findings([records.finding_values(lease.run_id, finding, None) for finding in findings])
    _close(lease, source, "done")


def _close(lease: Lease, source: Source, state: str) -> None:
    end(lease, source, state)
    model.Session.commit()
    if lease.mode != "dry":
        Writer(lease, source.approved).drain()


def _let_go(lease: Lease, control: str) -> None:
    """Leave the run where it is; a paused one goes on with the records that it has not settled."""
    model.Session.rollback()
    try:
        lease.let_go(control)
        model.Session.commit()
    except LeaseLost:
        model.Session.rollback()


def _fail(lease: Lease, finding: Finding, variables: Variables) -> None:
    model.Session.rollback()
    try:
        # what the source remembered belongs to a reading that was whole
        records.add_findings([records.finding_values(lease.run_id, redacted(variables, finding), None)])
        end(lease, model.Session.get_one(Source, lease.source_id), "failed")
        model.Session.commit()
    except LeaseLost:
        model.Session.rollback()
