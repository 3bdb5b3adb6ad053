"""A run: source → records → mapping → checks → compare → batch write → sweep → report.

State is in PostgreSQL. A run that was killed is taken over by the next worker: it reads the source again from the
beginning and skips what the run had settled, so that nothing is lost and nothing is done twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou import config
from ckanext.openhuizhou.data.tables import finish_interrupted
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import ConfigurationError, DecodingError, LeaseLost, SourceError
from ckanext.openhuizhou.harvesters import lease as leases
from ckanext.openhuizhou.harvesters import stored as records
from ckanext.openhuizhou.harvesters import sweep
from ckanext.openhuizhou.harvesters.checks import Checks
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.kinds import Reading, SourceKind, check_config, kind_named
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.mapping import RecordMapping, load_mapping
from ckanext.openhuizhou.harvesters.prepare import ENGINE_VERSION, Prepared, Preparer, source_finding
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.harvesters.writer import BATCH, Writer
from ckanext.openhuizhou.model.harvest import Record, Source
from ckanext.openhuizhou.search import outbox
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient
from ckanext.openhuizhou.transport.variables import Variables

log = logging.getLogger(__name__)

#: normal: as little as possible. full: nothing that was remembered counts. approved: normal, with the brake released
#: by a platform officer.
MODES: Final = ("normal", "full", "approved")
#: So many records in a row that the source does not answer for: the source is down.
_GIVE_UP_AFTER: Final = 3


@dataclass(slots=True)
class _Run:
    """What one run works with."""

    lease: Lease
    source: Source
    variables: Variables
    mapping: RecordMapping
    kind: SourceKind
    reading: Reading
    state_mapping: str
    seen: set[str] = field(default_factory=set)
    #: of the run as a whole, and of what has no key to write it under
    findings: list[Finding] = field(default_factory=list)
    failing: int = 0


def run_source(source_id: str, mode: str = "normal") -> str | None:
    """Run a source now, in this process; the run's id, or None when another worker is reading the source."""
    run_id, new = leases.queue(source_id, mode)
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
    """Work on a run until it is held, done or failed. Every error ends in the run's findings, none leaves."""
    source = model.Session.get_one(Source, lease.source_id)
    variables = Variables({})
    try:
        variables = Variables.load(config.source_variables_file())
        _start(lease)
        _harvest(lease, source, variables)
    except LeaseLost:
        model.Session.rollback()
        log.warning("Run %s belongs to another worker now", lease.run_id)
    except _SourceGoneError as gone:
        _fail(lease, gone.finding, variables)
    except (SourceError, ConfigurationError, DecodingError) as error:
        _fail(lease, source_finding(error), variables)
    except Exception as error:
        log.exception("Run %s failed", lease.run_id)
        _fail(lease, Finding("run-unexpected", params={"reason": type(error).__name__}), variables)


def _start(lease: Lease) -> None:
    finish_interrupted()
    if outbox.waiting():
        Writer(lease, approved=False).drain()


def _harvest(lease: Lease, source: Source, variables: Variables) -> None:
    run = _prepare_run(lease, source, variables)
    try:
        if not run.kind.open():
            if _all_settled(run):
                _take_over(run)
                return
            # something is left to do although the source has not changed: ask again, without conditions
            run.kind.close()
            run.reading.state = {}
            run.kind.open()
        _read(run)
    finally:
        run.kind.close()
    _finish(run)


def _prepare_run(lease: Lease, source: Source, variables: Variables) -> _Run:
    place = Place(source.name)
    mapping = load_mapping(source.mapping, place / "mapping")
    kind_class = kind_named(source.kind, place / "kind")
    options = check_config(variables.expand(source.config), kind_class.options, place / "config")
    variables.hide(options.get("token"))
    state_mapping = digest([mapping.digest, ENGINE_VERSION, source.approved])
    client = HttpClient(Guard(config.allowed_hosts(), config.allowed_roots()))
    current = source.state_mapping == state_mapping
    reading = Reading(
        client,
        state=source.state if current and lease.mode != "full" else {},
        record_states=lambda key: _kind_state(source.id, key),
        full=lease.mode == "full",
    )
    return _Run(lease, source, variables, mapping, kind_class(options, reading), reading, state_mapping)


def _kind_state(source_id: str, key: str) -> dict[str, Any]:
    stored = records.load(source_id, [key]).get(key)
    # what was refused or failed is looked at again
    return stored["kind_state"] if stored and stored["last_result"] in records.GOOD else {}


def _read(run: _Run) -> None:
    source, lease = run.source, run.lease
    checks = Checks.of(source.organization_id, source.approved)
    preparer = Preparer(lease, run.mapping, checks, lease.mode == "full", run.state_mapping)
    writer = Writer(lease, source.approved)
    for batch in _batches(_keyed(run)):
        stored = records.load(lease.source_id, [record.key for record in batch])
        prepared: list[Prepared] = []
        for record in batch:
            known = stored.get(record.key)
            if lease.resumed and known is not None and known["last_run_id"] == lease.run_id:
                continue
            prepared.append(_prepared(run, preparer, record, known))
            lease.beat_when_due()
            if run.failing >= _GIVE_UP_AFTER:
                break
        writer.write(prepared)
        checks.claimed.clear()
        if run.failing >= _GIVE_UP_AFTER:
            raise _SourceGoneError(prepared[-1].findings[0])
    run.findings += _index_findings(writer)


def _index_findings(writer: Writer) -> list[Finding]:
    if writer.index_waits:
        return [Finding("index-waiting", params={"count": outbox.waiting()})]
    refused = records.load_datasets(writer.lease.source_id, writer.index_refused)
    return [Finding("index-refused", record=one["key"], value=one["title"]) for one in refused]


class _SourceGoneError(SourceError):
    """The source stopped answering in the middle; the last record's finding says how."""

    def __init__(self, finding: Finding) -> None:
        super().__init__("The source stopped answering")
        self.finding = finding


def _batches(stream: Iterator[SourceRecord]) -> Iterator[list[SourceRecord]]:
    """Batches of records; those that came before the source broke are still handed on."""
    while True:
        batch: list[SourceRecord] = []
        try:
            batch.extend(islice(stream, BATCH))
        except SourceError:
            yield batch
            raise
        if not batch:
            return
        yield batch


def _keyed(run: _Run) -> Iterator[SourceRecord]:
    """The records of the source that have a key of their own; the others become findings of the run."""
    for number, record in enumerate(run.kind.records(), 1):
        if not record.key:
            run.findings += record.findings or (Finding("key-missing", params={"number": number}),)
            continue
        if run.mapping.skips(record.key):
            continue
        if record.key in run.seen:
            run.findings.append(Finding("key-duplicate", record=record.key, value=record.key))
            continue
        run.seen.add(record.key)
        yield record


def _prepared(run: _Run, preparer: Preparer, record: SourceRecord, stored: records.Stored | None) -> Prepared:
    try:
        prepared = preparer.prepare(record, stored)
    except (LeaseLost, KeyboardInterrupt, SystemExit):
        raise
    except Exception as error:
        model.Session.rollback()
        log.exception("Record %s failed", record.key)
        prepared = Prepared.failed(run.lease.source_id, record.key, stored, error)
    run.failing = run.failing + 1 if prepared.source_failed else 0
    prepared.findings = tuple(_redacted(run.variables, finding) for finding in prepared.findings)
    return prepared


def _all_settled(run: _Run) -> bool:
    """Whether every record of the source ended well, or was refused for what it is, at its last reading."""
    open_results = sa.select(sa.func.count()).select_from(Record)
    unsettled = sa.or_(Record.state == "pending", Record.last_result == "failed")
    query = open_results.where(Record.source_id == run.source.id, unsettled)
    return model.Session.execute(query).scalar_one() == 0


def _take_over(run: _Run) -> None:
    """The source has not changed: every record is as it was, and what was refused is refused for the same reasons."""
    lease = run.lease
    table = Record.__table__
    here = table.c.source_id == lease.source_id
    refused = model.Session.execute(sa.select(table).where(here, table.c.last_result == "refused")).mappings().all()
    rows = [
        records.finding_values(lease.run_id, records.finding_from(values), record["key"], record["title"])
        for record in refused
        for values in record["findings"]
    ]
    live = sa.update(Record).where(
        Record.source_id == lease.source_id, Record.state == "published", Record.last_result.in_(records.GOOD)
    )
    values = {"last_run_id": lease.run_id, "last_result": "unchanged", "last_seen": utcnow()}
    seen = model.Session.execute(live.values(values).execution_options(synchronize_session=False))
    lease.counters["unchanged"] = seen.rowcount  # pyright: ignore[reportAttributeAccessIssue]
    lease.counters["refused"] = len(refused)
    records.add_findings(rows)
    _close(run, "done")


def _finish(run: _Run) -> None:
    lease = run.lease
    lease.counters["refused"] += sum(finding.severity == "error" for finding in run.findings)
    held = None
    going = sweep.gone(lease)
    if lease.mode != "approved":
        held = sweep.brake(sweep.live_count(lease.source_id), len(going), len(run.seen))
    if held is None:
        run.findings += sweep.withdraw(lease, going, approved=run.source.approved)
    findings = [*run.findings, *([held] if held else [])]
    records.add_findings([records.finding_values(lease.run_id, finding, None) for finding in findings])
    if lease.counters["failed"] == 0 and not findings:
        run.source.state, run.source.state_mapping = run.reading.new_state, run.state_mapping
    _close(run, "held" if held else "done")


def _close(run: _Run, state: str) -> None:
    if state == "done":
        run.source.last_good_run_at = utcnow()
    run.lease.finish(state)
    model.Session.commit()
    Writer(run.lease, run.source.approved).drain()


def _fail(lease: Lease, finding: Finding, variables: Variables) -> None:
    model.Session.rollback()
    finding = _redacted(variables, finding)
    try:
        # what the source remembered belongs to a reading that was whole
        records.add_findings([records.finding_values(lease.run_id, finding, None)])
        lease.finish("failed")
        model.Session.commit()
    except LeaseLost:
        model.Session.rollback()


def _redacted(variables: Variables, finding: Finding) -> Finding:
    return Finding(
        finding.kind,
        finding.record,
        finding.field,
        finding.row,
        finding.column,
        None if finding.value is None else variables.redact(finding.value),
        variables.redact_all(dict(finding.params)),
    )
