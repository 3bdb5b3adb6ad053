"""From a source record to something that can be written: compared, mapped, checked, its table staged.

Nothing is published here. A record that breaks a rule leaves with its findings; what was published of it stays.
A batch goes through twice: ``Preparer.begin`` compares what the source sent with what it sent before, maps the rest,
and asks the database what judging it needs; ``Preparer.prepare`` judges record by record.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ckanext.openhuizhou.data.checks import checked
from ckanext.openhuizhou.data.row_checks import TableChecks
from ckanext.openhuizhou.data.tables import StagedTable, stage_table, try_table
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.text_rules import cleaned
from ckanext.openhuizhou.domain.visibility import public_items
from ckanext.openhuizhou.errors import (
    AddressRefused,
    ConfigurationError,
    DecodingError,
    OpenHuizhouError,
    RecordRefused,
    SourceDenied,
    SourceError,
    SourceUnreachable,
    StorageFull,
    TableRefused,
)
from ckanext.openhuizhou.harvesters import stored as records
from ckanext.openhuizhou.harvesters.checks import Candidate, Checks
from ckanext.openhuizhou.harvesters.compare import digest, payload_digest, record_hash
from ckanext.openhuizhou.harvesters.conflicts import OWN, Holder, free_dataset_id, takes_over
from ckanext.openhuizhou.harvesters.drift import columns_of, drift, published
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.mapping import MappedRecord, RecordMapping
from ckanext.openhuizhou.harvesters.prepared import Prepared
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rows import cells_of, moment_of
from ckanext.openhuizhou.harvesters.stored import GOOD, Stored, finding_from
from ckanext.openhuizhou.model.harvest import dataset_id_of, resource_id_of

log = logging.getLogger(__name__)

#: Changes when the engine makes something else of the same record.
ENGINE_VERSION: Final = "2"
Stage = Callable[[str, Sequence[Item], Iterator[Sequence[object]], TableChecks], StagedTable]


def meaning_of(mapping: RecordMapping, checks: Checks) -> str:
    """Digest of everything that decides what becomes of a record, apart from the record itself and its neighbours."""
    return digest([mapping.digest, ENGINE_VERSION, checks.meaning()])


def source_finding(error: OpenHuizhouError) -> Finding:
    """The finding for a source, or a part of it, that could not be read."""
    if isinstance(error, DecodingError):
        return Finding("encoding-unknown", params=error.params)
    kind = "source-malformed"
    if isinstance(error, SourceUnreachable):
        kind = "source-unreachable"
    elif isinstance(error, SourceDenied):
        kind = "source-denied"
    elif isinstance(error, AddressRefused):
        return Finding("address-refused", value=str(error.params.get("address", "")))
    elif isinstance(error, ConfigurationError):
        kind = "source-misconfigured"
    # the sentence is made where it is shown; the English one is for logs and exports
    params = {"reason": str(error), "reason_message": error.message, "reason_params": dict(error.params)}
    return Finding(kind, params=params)


@dataclass(slots=True)
class _Begun:
    """A record of the batch under way. ``mapped`` and ``candidate`` are None when it is settled already."""

    prepared: Prepared
    mapped: MappedRecord | None = None
    candidate: Candidate | None = None
    error: Exception | None = None


@dataclass(slots=True)
class Preparer:
    """Prepares the records of one run."""

    lease: Lease
    mapping: RecordMapping
    checks: Checks
    full: bool
    #: ``meaning_of`` mapping and checks
    meaning: str
    #: another way to stage a table; a dry run leaves nothing behind
    stage: Stage = stage_table
    _begun: dict[str, _Begun] = field(default_factory=dict)

    def begin(self, batch: Sequence[SourceRecord], stored: Mapping[str, Stored]) -> None:
        """Compare and map a batch, and ask the database at once what its records need; then ``prepare`` each."""
        if self.lease.mode != "dry":  # titles that a dry run would write are never in the database
            self.checks.claimed.clear()
        self._begun = {record.key: self._compared(record, stored.get(record.key)) for record in batch}
        open_ = [record for record in batch if self._begun[record.key].prepared.result == "failed"]
        if not open_:
            return
        whole = records.load_whole(self.lease.source_id, [r.key for r in open_ if r.key in stored])
        for record in open_:
            begun = self._begun[record.key]
            begun.prepared.stored = whole.get(record.key)
            try:
                self._map(record, begun)
            except Exception as error:  # noqa: BLE001 - raised again when it is this record's turn
                begun.error = error
        candidates = [begun.candidate for begun in self._begun.values() if begun.candidate is not None]
        ids = [begun.prepared.dataset_id for begun in self._begun.values() if begun.candidate is not None]
        self.checks.look_up(candidates, ids)

    def prepare(self, record: SourceRecord, stored: Stored | None) -> Prepared:
        """What is to be done about a record of the batch that was begun; any other is a batch of its own.

        Never raises for what is wrong with the record; only ``LeaseLost``, ``RunStopped`` and what nobody foresaw.
        """
        begun = self._begun.pop(record.key, None)
        if begun is None:
            self.begin([record], {record.key: stored} if stored is not None else {})
            begun = self._begun.pop(record.key)
        if begun.error is not None:
            raise begun.error
        if begun.mapped is not None and begun.candidate is not None:
            self._judge(record, begun.mapped, begun.candidate, begun.prepared)
        return begun.prepared

    # before the mapping

    def _compared(self, record: SourceRecord, stored: Stored | None) -> _Begun:
        """Settled as unchanged when the source sent the same as before; else open, with the result ``failed``."""
        source_id = self.lease.source_id
        own = stored is not None and stored["state"] in OWN and stored["dataset_id"]
        dataset_id = stored["dataset_id"] if stored is not None and own else dataset_id_of(source_id, record.key)
        prepared = Prepared(record.key, dataset_id, resource_id_of(source_id, record.key), "failed", stored)
        prepared.source_id = source_id
        prepared.mapping_digest = f"{self.mapping.columns_digest(record.key)[:16]}.{self.meaning}"
        prepared.data_digest, prepared.state = record.data_digest, record.state
        if not record.findings:
            prepared.payload_digest = payload_digest(record, with_modified=self.mapping.reads_modified)
        prepared.rule = self._rule(record, prepared)
        if self._as_before(record, prepared):
            prepared.result = "unchanged"
        return _Begun(prepared)

    def _rule(self, record: SourceRecord, prepared: Prepared) -> str:
        """What tells that the record changed, or did not (``domain.change_rules``)."""
        stored = prepared.stored
        if stored is None:
            return "new"
        if self.full:
            return "full"
        if stored["state"] != "published" or stored["last_result"] not in GOOD:
            return "again"
        if stored["mapping_digest"] != prepared.mapping_digest:
            return "mapping"
        by_data = record.rows is not None
        if by_data and record.data_digest is None:
            return "content"
        if by_data and (
            stored["payload_digest"] == prepared.payload_digest or stored["data_digest"] != record.data_digest
        ):
            return record.data_rule or "version"
        return "payload"

    def _as_before(self, record: SourceRecord, prepared: Prepared) -> bool:
        stored = prepared.stored
        return (
            stored is not None
            and prepared.payload_digest is not None
            and stored["payload_digest"] == prepared.payload_digest
            and stored["mapping_digest"] == prepared.mapping_digest
            and stored["kind_state"] == (record.state or {})
            and stored["hash"] is not None
            and self._hash_counts(record)
            and stored["state"] == "published"
            and stored["last_result"] in GOOD
        )

    def _hash_counts(self, record: SourceRecord) -> bool:
        """Rows whose source gives no digest have to be read to know whether they changed."""
        return not self.full and (record.data_digest is not None or record.rows is None)

    # mapping and rules

    def _map(self, record: SourceRecord, begun: _Begun) -> None:
        prepared = begun.prepared
        if record.findings:
            prepared.refuse(*record.findings)
            return
        begun.mapped = self.mapping.apply(record)
        begun.candidate = self.checks.candidate(record, begun.mapped)
        prepared.title = cleaned(str(begun.candidate.entry.get("title") or ""), 200) or None
        prepared.columns = columns_of(begun.mapped)
        prepared.links = begun.candidate.links

    def _judge(self, record: SourceRecord, mapped: MappedRecord, candidate: Candidate, prepared: Prepared) -> None:
        if self._conflicts(candidate, prepared):
            return
        if not candidate.errors:
            prepared.hash = self._hash(mapped, candidate)
            if self._unchanged(record, prepared):
                prepared.result, prepared.findings = "unchanged", tuple(self._drift(mapped, prepared)[1])
                return
        findings = candidate.findings + self.checks.broken_rules(candidate, prepared.dataset_id)
        errors = [finding for finding in findings if finding.severity == "error"]
        held, new = self._drift(mapped, prepared)
        if held and not errors:
            errors, prepared.held_columns = [held], prepared.columns
        if record.rows is not None and not mapped.items and not errors:
            errors = [Finding("mapping-columns-missing", field="items")]
        if errors:
            prepared.refuse(*errors)
            return
        prepared.findings = (*findings, *new)
        if not self._refused_before(record, prepared):
            self._stage(record, mapped, candidate, prepared)

    def _hash(self, mapped: MappedRecord, candidate: Candidate) -> str:
        made_by = [ENGINE_VERSION, self.checks.claimant.approved, [item.cell for item in mapped.items]]
        return record_hash(candidate.entry, candidate.links, made_by=made_by)

    def _conflicts(self, candidate: Candidate, prepared: Prepared) -> bool:
        """Whether another source keeps the entry; when this one takes it over, ``prepared`` says so."""
        checks, source_id = self.checks, self.lease.source_id
        own = prepared.stored is not None and prepared.stored["state"] in OWN and prepared.stored["dataset_id"]
        title = candidate.title or candidate.foreign
        holder = checks.known.holders.get(title) if title is not None else None
        if holder is not None and not _is_own(holder, source_id, prepared):
            taken = takes_over(checks.claimant, holder)
            if candidate.foreign is not None:
                prepared.refuse(checks.conflict(candidate, holder))
            elif own or holder.source_id in (None, source_id):
                return False  # two entries of one title: the rules of an entry say so
            elif taken is None:
                prepared.refuse(checks.conflict(candidate, holder))
            else:
                prepared.dataset_id, prepared.takes_over = holder.dataset_id, taken
                return False
            prepared.superseded = not own
            return True
        if not own:
            prepared.dataset_id = free_dataset_id(source_id, prepared.key, checks.known.entries)
        return False

    def _unchanged(self, record: SourceRecord, prepared: Prepared) -> bool:
        """Whether the hash says that the record is as it was published."""
        stored = prepared.stored
        return (
            stored is not None
            and self._hash_counts(record)
            and stored["state"] == "published"
            and stored["last_result"] in GOOD
            and stored["hash"] == prepared.hash
            and stored["data_digest"] == record.data_digest
        )

    def _refused_before(self, record: SourceRecord, prepared: Prepared) -> bool:
        """Whether the same rows were refused before; reading them again would find the same."""
        stored = prepared.stored
        if stored is None or not self._hash_counts(record) or stored["last_result"] != "refused":
            return False
        if stored["refused_hash"] != prepared.refused_hash:
            return False
        prepared.refuse(*(finding_from(values) for values in stored["findings"]))
        return True

    def _drift(self, mapped: MappedRecord, prepared: Prepared) -> tuple[Finding | None, list[Finding]]:
        """Columns may not change behind the same mapping: what holds the record, and what is only told."""
        stored = prepared.stored
        if stored is None or not stored["columns"] or prepared.columns is None:
            return None, []
        # the part before the point is what the mapping says of columns; whoever edited it has looked at them
        if str(stored["mapping_digest"]).partition(".")[0] != str(prepared.mapping_digest).partition(".")[0]:
            return None, []
        found = drift(stored["columns"], prepared.columns, listed=mapped.listed)
        held = Finding("columns-changed", params={"change": found.change}) if found.change else None
        return held, [Finding("column-new", column=name) for name in found.new]

    # rows

    def _stage(self, record: SourceRecord, mapped: MappedRecord, candidate: Candidate, prepared: Prepared) -> None:
        try:
            prepared.staged = self._staged_table(record, mapped, candidate.entry, prepared)
        except (TableRefused, RecordRefused) as error:
            prepared.refuse(*error.findings)
            prepared.table_refused = True
        except DecodingError as error:
            prepared.refuse(source_finding(error))
        except StorageFull:
            prepared.result, prepared.findings = "failed", (Finding("storage-full"),)
        except SourceError as error:
            prepared.result, prepared.findings = "failed", (source_finding(error),)
            # one file that is not for us says nothing about the others
            prepared.source_failed = isinstance(error, SourceUnreachable)
        else:
            self._decide(record, candidate, prepared)

    def _staged_table(
        self, record: SourceRecord, mapped: MappedRecord, entry: Mapping[str, Any], prepared: Prepared
    ) -> StagedTable | None:
        if record.rows is None or self._rows_known(record, prepared):
            return None
        shown = {id(item) for item in public_items(entry, [mapped_item.item for mapped_item in mapped.items])}
        items = [mapped_item for mapped_item in mapped.items if id(mapped_item.item) in shown]
        rows = self.lease.watched(cells_of(record.rows(), items, listed=mapped.listed))
        columns = [mapped_item.item for mapped_item in items]
        return checked(
            prepared.resource_id,
            prepared.dataset_id,
            lambda checks: self.stage(prepared.resource_id, columns, rows, checks),
            keep=self.stage is not try_table,
        )

    def _rows_known(self, record: SourceRecord, prepared: Prepared) -> bool:
        """Whether the published table is the right one, so that only the entry's words have changed."""
        stored = prepared.stored
        return (
            not self.full
            and stored is not None
            and stored["state"] == "published"
            and stored["last_result"] in GOOD
            and record.data_digest is not None
            and stored["data_digest"] == record.data_digest
            and stored["mapping_digest"] == prepared.mapping_digest
            and published(stored["columns"]) == published(prepared.columns)
        )

    def _decide(self, record: SourceRecord, candidate: Candidate, prepared: Prepared) -> None:
        stored, staged, entry = prepared.stored, prepared.staged, candidate.entry
        same_table = staged is None or not staged.changed or staged.held
        prepared.findings = (*prepared.findings, *(staged.findings if staged else ()))
        if stored is not None and stored["state"] == "published" and same_table and stored["hash"] == prepared.hash:
            prepared.result = "unchanged"
            return
        if staged is not None and not staged.held:
            entry["row_count"] = staged.rows
            if staged.changed:
                entry["data_modified"], skewed = moment_of(record.modified)
                prepared.findings += skewed
        state = self.checks.known.states.get(prepared.dataset_id)
        if state == "deleted":
            prepared.discard()
            prepared.refuse(Finding("entry-deleted"))
            return
        prepared.entry, prepared.write = entry, True
        prepared.result = "changed" if state else "added"
        self.checks.claim_title(candidate)


def _is_own(holder: Holder, source_id: str, prepared: Prepared) -> bool:
    """Whether the entry is this record's; the id alone says so only when no record has it."""
    if holder.source_id is None:
        return holder.dataset_id == prepared.dataset_id
    return (holder.source_id, holder.key) == (source_id, prepared.key)
