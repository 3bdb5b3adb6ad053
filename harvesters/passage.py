"""The way of a source's records through a run: read in batches, compared, prepared, handed to the writer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.data.tables import stage_table, try_table
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import LeaseLost, RunStopped, SourceError, SourceGone
from ckanext.openhuizhou.harvesters import stored as records
from ckanext.openhuizhou.harvesters.assembly import Assembly, guarded_client, redacted
from ckanext.openhuizhou.harvesters.batches import Batches
from ckanext.openhuizhou.harvesters.checks import Checks
from ckanext.openhuizhou.harvesters.differences import Trial
from ckanext.openhuizhou.harvesters.kinds import Reading, SourceKind
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.prepare import Preparer, meaning_of
from ckanext.openhuizhou.harvesters.prepared import Prepared
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.writer import BATCH, Writer
from ckanext.openhuizhou.model.harvest import Record, Source
from ckanext.openhuizhou.search import outbox
from ckanext.openhuizhou.transport.variables import Variables

log = logging.getLogger(__name__)

#: So many records in a row that the source does not answer for: the source is down.
_GIVE_UP_AFTER: Final = 3


@dataclass(slots=True)
class Passage:
    """One reading of a source. ``trial`` stands in the writer's place in a dry run.

    ``findings``: of the run as a whole, written when it ends. ``flawless``: nothing is left to do at the next run.
    """

    lease: Lease
    source: Source
    variables: Variables
    reading: Reading
    kind: SourceKind
    batches: Batches
    preparer: Preparer
    writer: Writer
    meaning: str
    trial: Trial | None = None
    findings: list[Finding] = field(default_factory=list)
    _loose: int = 0
    _failing: int = 0
    _written: bool = False

    @classmethod
    def of(cls, lease: Lease, source: Source, assembly: Assembly) -> Passage:
        """Everything that the reading needs, nothing opened yet."""
        # what waits for approval is tried out as it would be once it is approved
        approved = source.approved or (lease.mode == "dry" and has_published(source.id))
        checks = Checks.of(source.organization_id, approved, source.id, source.priority)
        meaning = meaning_of(assembly.mapping, checks)
        known = source.state_mapping == meaning and lease.mode != "full" and not lease.resumed
        client = guarded_client()
        lease.count_requests = lambda: client.requests_made
        reading = Reading(
            client,
            state=source.state if known else {},
            record_states=lambda key: _kind_state(source.id, key),
            full=lease.mode == "full",
        )
        kind = assembly.opened(reading)
        stage = try_table if lease.mode == "dry" else stage_table
        return cls(
            lease,
            source,
            assembly.variables,
            reading,
            kind,
            Batches(kind, reading, assembly.mapping, lease),
            Preparer(lease, assembly.mapping, checks, lease.mode == "full", meaning, stage),
            Writer(lease, approved),
            meaning,
            Trial(lease, approved) if lease.mode == "dry" else None,
        )

    @property
    def flawless(self) -> bool:
        return self.lease.counters["failed"] == 0 and self._loose == 0

    def read(self) -> None:
        """Read the source to its end.

        Raises:
            SourceError: the source broke off; what came before is written.
            RunStopped: a person stopped the run; what was prepared is written.
        """
        try:
            for batch in self.batches:
                self._note_loose()
                self._pass(batch)
                # let go of them before the next ones are read: two batches at once are twice the memory
                batch.clear()
        except (SourceError, RunStopped):
            self._drain()
            raise
        self._note_loose()
        self._drain()
        if self.trial is None:
            self.findings += self._index_findings()

    def _drain(self) -> None:
        if self.trial is None:
            self.writer.drain()

    def _pass(self, batch: Sequence[SourceRecord]) -> None:
        stored = records.load(self.source.id, [record.key for record in batch])
        self.preparer.begin(batch, stored)
        waiting: list[Prepared] = []
        heavy = 0
        try:
            for record in batch:
                known = stored.get(record.key)
                if self._settled(known):
                    continue
                self.lease.beat_when_due()
                prepared = self._prepared(record, known)
                waiting.append(prepared)
                self.lease.ahead = len(waiting)
                heavy += not prepared.nothing_new
                if self._failing >= _GIVE_UP_AFTER:
                    break
                if heavy >= BATCH:
                    self._write(waiting)
                    waiting, heavy = [], 0
        except RunStopped:
            self._write(waiting)
            raise
        self._write(waiting)
        if self._failing >= _GIVE_UP_AFTER:
            raise SourceGone(waiting[-1].findings[0])

    def _settled(self, stored: records.Stored | None) -> bool:
        """Whether this run had done with the record before it was interrupted. A dry run settles nothing."""
        if not self.lease.resumed or stored is None or self.trial is not None:
            return False
        return stored["last_run_id"] == self.lease.run_id

    def _write(self, batch: list[Prepared]) -> None:
        if not batch:
            return
        if self.trial is not None:
            self.trial.write(batch)
            return
        if not self._written and any(prepared.result != "unchanged" for prepared in batch):
            self._forget_state()
        self.writer.write(batch)

    def _forget_state(self) -> None:
        """From here on the catalogue is between two states of the source: should this run not reach its end, the next
        one must not be told that nothing has changed."""
        forget = sa.update(Source).where(Source.id == self.source.id).values(state={}, state_mapping=None)
        model.Session.execute(forget.execution_options(synchronize_session=False))
        model.Session.commit()
        self._written = True

    def _note_loose(self) -> None:
        """Write what was found of records without a usable key; there may be very many."""
        found = [redacted(self.variables, finding) for finding in self.batches.take_findings()]
        if not found:
            return
        self._loose += len(found)
        self.lease.counters["refused"] += sum(finding.severity == "error" for finding in found)
        records.add_findings([records.finding_values(self.lease.run_id, finding, None) for finding in found])
        self.lease.renew()
        model.Session.commit()

    def _prepared(self, record: SourceRecord, stored: records.Stored | None) -> Prepared:
        try:
            prepared = self.preparer.prepare(record, stored)
        except (LeaseLost, RunStopped, KeyboardInterrupt, SystemExit):
            raise
        except Exception as error:
            model.Session.rollback()
            log.exception("Record %s failed", record.key)
            prepared = Prepared.failed(self.source.id, record.key, stored, error)
        self._failing = self._failing + 1 if prepared.source_failed else 0
        prepared.findings = tuple(redacted(self.variables, finding) for finding in prepared.findings)
        return prepared

    def _index_findings(self) -> list[Finding]:
        if self.writer.index_waits:
            return [Finding("index-waiting", params={"count": outbox.waiting()})]
        refused = records.load_datasets(self.source.id, self.writer.index_refused)
        return [Finding("index-refused", record=one["key"], value=one["title"]) for one in refused]


def has_published(source_id: str) -> bool:
    """Whether an entry of the source is published, so that visitors see what the source brings."""
    query = (
        sa.select(Record.key)
        .join(model.Package, model.Package.id == Record.dataset_id)
        .where(Record.source_id == source_id, model.Package.extras["entry_state"].astext == "published")
    )
    return model.Session.execute(query.limit(1)).first() is not None


def _kind_state(source_id: str, key: str) -> dict[str, Any]:
    stored = records.load(source_id, [key]).get(key)
    # what was refused or failed is looked at again
    return stored["kind_state"] if stored and stored["last_result"] in records.GOOD else {}
