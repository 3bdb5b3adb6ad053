"""A look at a source before it is saved or run: in this process, within half a minute, leaving nothing behind."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from ckan import model

from ckanext.openhuizhou.data.tables import try_table
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import OpenHuizhouError, RecordRefused, TableRefused
from ckanext.openhuizhou.harvesters import stored as records
from ckanext.openhuizhou.harvesters.assembly import Assembly, assemble, guarded_client, redacted
from ckanext.openhuizhou.harvesters.batches import Batches
from ckanext.openhuizhou.harvesters.checks import Checks
from ckanext.openhuizhou.harvesters.compare import plain
from ckanext.openhuizhou.harvesters.differences import outcome
from ckanext.openhuizhou.harvesters.kinds import Reading
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.mapping import MappedItem
from ckanext.openhuizhou.harvesters.mapping_check import check_mapping
from ckanext.openhuizhou.harvesters.prepare import Preparer, meaning_of, source_finding
from ckanext.openhuizhou.harvesters.prepared import Prepared, unexpected
from ckanext.openhuizhou.harvesters.records import Row, SourceRecord
from ckanext.openhuizhou.model.harvest import Source
from ckanext.openhuizhou.transport.http import Limits
from ckanext.openhuizhou.transport.variables import Variables

log = logging.getLogger(__name__)

MOST_RECORDS: Final = 20
#: Rows of a table that are checked, and that are shown.
_CHECKED_ROWS: Final = 200
_SHOWN_ROWS: Final = 5
#: Seconds after which nothing new is asked; together with a last request half a minute.
_SECONDS: Final = 20.0
_LIMITS: Final = Limits(connect=5, read=10, seconds=10, size=64 << 20, attempts=1)


class _OutOfTime(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Draft:
    """A source as it would be. ``config``: secrets and variables filled in. ``source_id``: None when it is not saved.

    ``approved``: whether its records would be published; it decides which fields are asked for.
    """

    kind: str
    config: Mapping[str, Any] = field(repr=False)
    mapping: Mapping[str, Any]
    organization_id: str
    approved: bool = True
    source_id: str | None = None
    name: str = "draft"


@dataclass(slots=True)
class _Hurry(Lease):
    """Stands where a run has its lease: nothing is renewed, and time runs out."""

    until: float = 0.0

    def beat_when_due(self) -> None:
        if time.monotonic() > self.until:
            raise _OutOfTime


@dataclass(slots=True)
class _Sample:
    """A record with the first of its rows, which are asked for once. ``cut``: there may be more."""

    record: SourceRecord
    until: float
    rows: list[Row] = field(default_factory=list)
    cut: bool = False
    _asked: bool = False

    def reading(self) -> SourceRecord:
        """The record as it is handed on."""
        return self.record if self.record.rows is None else replace(self.record, rows=self.open)

    def open(self) -> Iterator[Row]:
        yield from self.rows
        if self._asked or self.record.rows is None or self._enough():
            return
        self._asked = True
        for row in self.record.rows():
            if self._enough():
                return
            self.rows.append(row)
            yield row

    def _enough(self) -> bool:
        self.cut = len(self.rows) >= _CHECKED_ROWS or time.monotonic() > self.until
        return self.cut


@dataclass(slots=True)
class _Look:
    """One preview while it is made."""

    draft: Draft
    assembly: Assembly
    lease: _Hurry
    reading: Reading
    batches: Batches

    @classmethod
    def at(cls, draft: Draft, variables: Variables) -> _Look:
        assembly = assemble(draft.name, draft.kind, draft.config, draft.mapping, variables)
        source_id = draft.source_id or str(uuid.uuid4())
        lease = _Hurry("", source_id, "dry", "", resumed=False, until=time.monotonic() + _SECONDS)
        reading = Reading(guarded_client(_LIMITS), seconds=int(_LIMITS.seconds))
        batches = Batches(assembly.opened(reading), reading, assembly.mapping, lease)
        return cls(draft, assembly, lease, reading, batches)


def preview(draft: Draft, limit: int = MOST_RECORDS, key: str | None = None) -> dict[str, Any]:
    """What would become of the first records of a source, or of the one with this key.

    Returns:
        ``records``: ``key, title, result, rule, entry, items, findings, changes, payload, rows`` (the first five, by
        column), ``sampled`` (whether the table has more rows than were checked); ``findings`` of the source as a
        whole; ``seconds``. Findings are ``domain.findings.Finding``. What is wrong with the source is a finding.
    """
    started = time.monotonic()
    shown: list[dict[str, Any]] = []

    def show(look: _Look) -> None:
        stream = (record for record in look.batches.records() if key in (None, record.key))
        chosen: list[SourceRecord] = []
        try:
            chosen.extend(islice(stream, 1 if key is not None else min(limit, MOST_RECORDS)))
        finally:  # what came before the source broke off, or time was up, is shown
            shown.extend(_shown(look, chosen))

    findings = _looked(draft, show)
    return {"records": shown, "findings": findings, "seconds": round(time.monotonic() - started, 1)}


def test(draft: Draft) -> dict[str, Any]:
    """Whether a source answers: reads its first record. The mapping may be empty.

    Returns:
        ``ok, seconds, requests, total`` (None when the source does not say), ``found`` (``key`` and ``title`` of the
        first record, None when there is none) and ``findings``.
    """
    started = time.monotonic()
    told: dict[str, Any] = {"requests": 0, "total": None, "found": None}
    wrong: list[Finding] = []

    def ask(look: _Look) -> None:
        try:
            record = next(look.batches.records(), None)
        finally:
            told.update(requests=look.reading.client.requests_made, total=look.reading.total)
        if record is not None:
            title = look.assembly.mapping.apply(record).entry.get("title")
            told["found"] = {"key": record.key, "title": None if title is None else str(title)}
            wrong.extend(record.findings)

    if check_mapping(draft.mapping):
        draft = replace(draft, mapping={})
    findings = [*_looked(draft, ask), *wrong]
    ok = not any(finding.severity == "error" for finding in findings)
    return {"ok": ok, "seconds": round(time.monotonic() - started, 1), **told, "findings": findings}


def _shown(look: _Look, chosen: list[SourceRecord]) -> list[dict[str, Any]]:
    draft, mapping = look.draft, look.assembly.mapping
    source = model.Session.get(Source, draft.source_id) if draft.source_id else None
    checks = Checks.of(draft.organization_id, draft.approved, draft.source_id, source.priority if source else 100)
    preparer = Preparer(look.lease, mapping, checks, False, meaning_of(mapping, checks), try_table)
    samples = [_Sample(record, look.lease.until) for record in chosen]
    stored = records.load(look.lease.source_id, [record.key for record in chosen])
    preparer.begin([sample.reading() for sample in samples], stored)
    told = [_told(look, checks, preparer, sample, stored.get(sample.record.key)) for sample in samples]
    variables = look.assembly.variables
    return [
        variables.redact_all(one) | {"findings": [redacted(variables, finding) for finding in one["findings"]]}
        for one in told
    ]


def _told(
    look: _Look, checks: Checks, preparer: Preparer, sample: _Sample, stored: records.Stored | None
) -> dict[str, Any]:
    record, source_id = sample.record, look.lease.source_id
    try:
        prepared = preparer.prepare(sample.reading(), stored)
    except Exception as error:
        log.exception("Record %s failed", record.key)
        prepared = Prepared.failed(source_id, record.key, stored, error)
    changes = outcome(prepared, approved=look.draft.approved)
    mapped = look.assembly.mapping.apply(record)
    entry = checks.candidate(record, mapped).entry
    title = entry.get("title")
    findings = list(prepared.findings)
    rows = _first_rows(sample, mapped.items, findings)
    if sample.cut:  # by the clock, perhaps before the first row
        findings = [finding for finding in findings if finding.kind not in ("table-empty", "table-rows-fewer")]
    return {
        "key": record.key,
        "title": None if title is None else str(title),
        "result": prepared.result,
        "rule": prepared.rule,
        "entry": {name: plain(value) for name, value in entry.items() if name != "items"},
        "items": plain(entry.get("items") or []),
        "findings": findings,
        "changes": changes,
        "payload": plain(record.payload),
        "rows": rows,
        "sampled": sample.cut,
    }


def _first_rows(sample: _Sample, items: Sequence[MappedItem], findings: list[Finding]) -> list[dict[str, Any]]:
    """By column; personal data that was found stays hidden."""
    hidden = {finding.column for finding in findings if finding.kind.startswith("personal-data")}
    shown = [mapped for mapped in items if not {mapped.item.name, mapped.item.column} & hidden]
    try:
        rows = list(islice(sample.open(), _SHOWN_ROWS))
    except (TableRefused, RecordRefused) as error:
        findings += [finding for finding in error.findings if finding not in findings]
        return []
    except OpenHuizhouError as error:
        findings.append(source_finding(error))
        return []
    return [{mapped.item.column: plain(row.get(mapped.cell)) for mapped in shown} for row in rows]


def _looked(draft: Draft, look_at: Callable[[_Look], None]) -> list[Finding]:
    """Open the source, do this with it, close it. What was found of it as a whole, without any secret; every error
    becomes a finding."""
    # whatever of the configuration is an address has its password hidden; secret options are hidden as such
    variables = Variables({str(number): text for number, text in enumerate(_texts(draft.config))})
    look: _Look | None = None
    findings: list[Finding] = []
    try:
        look = _Look.at(draft, variables)
        look.batches.kind.open()
        look_at(look)
    except _OutOfTime:
        findings.append(Finding("preview-out-of-time", params={"seconds": int(_SECONDS)}))
    except OpenHuizhouError as error:
        findings.append(source_finding(error))
    except Exception as error:
        log.exception("A look at a source failed")
        findings.append(unexpected(error))
    finally:
        if look is not None:
            findings += look.batches.take_findings()
            look.batches.kind.close()
            look.reading.client.close()
        model.Session.rollback()
    return [redacted(variables, finding) for finding in findings]


def _texts(value: Any) -> Iterator[str]:
    """Every text in a configuration."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list)):
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(member)
