"""From a source record to something that can be written: mapped, checked, compared, its table staged.

Nothing is published here. A record that breaks a rule leaves with its findings; what was published of it stays.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ckanext.openhuizhou.data.tables import StagedTable, discard_table, stage_table
from ckanext.openhuizhou.domain.cell_types import to_datetime
from ckanext.openhuizhou.domain.findings import Finding
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
from ckanext.openhuizhou.harvesters.checks import Checks, dataset_exists
from ckanext.openhuizhou.harvesters.compare import record_hash
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.mapping import MappedItem, MappedRecord, RecordMapping
from ckanext.openhuizhou.harvesters.records import Row, SourceRecord
from ckanext.openhuizhou.harvesters.stored import GOOD, Stored, finding_from
from ckanext.openhuizhou.model.harvest import dataset_id_of, resource_id_of

log = logging.getLogger(__name__)

#: Changes when the engine makes something else of the same record.
ENGINE_VERSION = "1"


@dataclass(slots=True)
class Prepared:
    """What is to be done about one record.

    ``result``: added, changed, unchanged, refused or failed. ``write``: whether the entry has to be written;
    ``staged``: a table that waits to be published. ``source_failed``: the source itself did not answer.
    """

    key: str
    dataset_id: str
    resource_id: str
    result: str
    stored: Stored | None
    title: str | None = None
    entry: dict[str, Any] | None = None
    staged: StagedTable | None = None
    write: bool = False
    hash: str | None = None
    data_digest: str | None = None
    mapping_digest: str | None = None
    columns: list[list[str]] | None = None
    state: Mapping[str, Any] | None = None
    findings: tuple[Finding, ...] = ()
    table_refused: bool = False
    source_failed: bool = False

    @property
    def published_before(self) -> bool:
        return self.stored is not None and self.stored["state"] == "published"

    @classmethod
    def failed(cls, source_id: str, key: str, stored: Stored | None, error: Exception) -> Prepared:
        """A record that failed in a way that nobody foresaw."""
        finding = Finding("unexpected", params={"reason": type(error).__name__})
        ids = dataset_id_of(source_id, key), resource_id_of(source_id, key)
        return cls(key, *ids, result="failed", stored=stored, findings=(finding,))

    def discard(self) -> None:
        """Let go of a staged table that will not be published."""
        if self.staged is not None and self.staged.changed:
            discard_table(self.staged)
        self.staged = None


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
class Preparer:
    """Prepares the records of one run."""

    lease: Lease
    mapping: RecordMapping
    checks: Checks
    full: bool
    #: digest of everything that decides what becomes of a record
    meaning: str

    def prepare(self, record: SourceRecord, stored: Stored | None) -> Prepared:
        """Never raises for what is wrong with the record; only ``LeaseLost`` and broken infrastructure pass."""
        source_id = self.lease.source_id
        prepared = Prepared(
            record.key, dataset_id_of(source_id, record.key), resource_id_of(source_id, record.key), "failed", stored
        )
        if record.findings:
            prepared.result, prepared.findings = "refused", record.findings
            return prepared
        mapped = self.mapping.apply(record)
        entry, findings = self.checks.entry_of(mapped)
        prepared.title = str(entry.get("title") or "")[:200] or None
        prepared.mapping_digest = self.meaning
        prepared.hash = record_hash(entry, self.meaning, record.data_digest)
        prepared.data_digest = record.data_digest
        prepared.state = record.state
        prepared.columns = [[item.item.column, item.item.data_type] for item in mapped.items]
        if not findings and self._unchanged(record, prepared):
            prepared.result = "unchanged"
            return prepared
        findings += self.checks.broken_rules(entry, findings, prepared.dataset_id)
        errors = [finding for finding in findings if finding.severity == "error"] or self._drift(mapped, prepared)
        if record.rows is not None and not mapped.items and not errors:
            errors = [Finding("mapping-columns-missing", field="items")]
        if errors:
            prepared.result, prepared.findings = "refused", tuple(errors)
            return prepared
        prepared.findings = tuple(findings)
        if self._refused_before(record, prepared):
            return prepared
        self._stage(record, mapped, entry, prepared)
        return prepared

    def _unchanged(self, record: SourceRecord, prepared: Prepared) -> bool:
        """Whether the hash says that the record is as it was published."""
        stored = prepared.stored
        return (
            stored is not None
            and self._hash_counts(record)
            and stored["state"] == "published"
            and stored["last_result"] in GOOD
            and stored["hash"] == prepared.hash
        )

    def _refused_before(self, record: SourceRecord, prepared: Prepared) -> bool:
        """Whether the same rows were refused before; reading them again would find the same."""
        stored = prepared.stored
        if stored is None or not self._hash_counts(record) or stored["last_result"] != "refused":
            return False
        if stored["refused_hash"] != prepared.hash:
            return False
        prepared.result = "refused"
        prepared.findings = tuple(finding_from(values) for values in stored["findings"])
        return True

    def _hash_counts(self, record: SourceRecord) -> bool:
        """Rows whose source gives no digest have to be read to know whether they changed."""
        return not self.full and (record.data_digest is not None or record.rows is None)

    def _drift(self, mapped: MappedRecord, prepared: Prepared) -> list[Finding]:
        """Columns that nobody listed one by one may not change behind the same mapping."""
        stored = prepared.stored
        if mapped.listed or stored is None or not stored["columns"] or self.full:
            return []
        if stored["mapping_digest"] != prepared.mapping_digest or stored["columns"] == prepared.columns:
            return []
        before, after = (
            {tuple(column) for column in columns} for columns in (stored["columns"], prepared.columns or [])
        )
        named_before, named_after = {c[0] for c in before}, {c[0] for c in after}
        change = [f"+{name}" for name in sorted(named_after - named_before)]
        change += [f"-{name}" for name in sorted(named_before - named_after)]
        change += [f"~{name}" for name, _type in sorted(after - before) if name in named_before]
        if not change:  # only the order is another; the table is written anew
            return []
        return [Finding("columns-changed", params={"change": " ".join(change)[:500]})]

    def _stage(self, record: SourceRecord, mapped: MappedRecord, entry: dict[str, Any], prepared: Prepared) -> None:
        try:
            prepared.staged = self._staged_table(record, mapped, entry, prepared)
        except (TableRefused, RecordRefused) as error:
            prepared.result, prepared.findings, prepared.table_refused = "refused", error.findings, True
        except DecodingError as error:
            prepared.result, prepared.findings = "refused", (source_finding(error),)
        except StorageFull:
            prepared.result, prepared.findings = "failed", (Finding("storage-full"),)
        except SourceError as error:
            prepared.result, prepared.findings = "failed", (source_finding(error),)
            prepared.source_failed = isinstance(error, (SourceUnreachable, SourceDenied))
        else:
            self._decide(record, entry, prepared)

    def _staged_table(
        self, record: SourceRecord, mapped: MappedRecord, entry: Mapping[str, Any], prepared: Prepared
    ) -> StagedTable | None:
        if record.rows is None or self._rows_known(record, prepared):
            return None
        shown = {id(item) for item in public_items(entry, [mapped_item.item for mapped_item in mapped.items])}
        items = [mapped_item for mapped_item in mapped.items if id(mapped_item.item) in shown]
        rows = self.lease.watched(cells_of(record.rows(), items, listed=mapped.listed))
        return stage_table(prepared.resource_id, [mapped_item.item for mapped_item in items], rows)

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
            and stored["columns"] == prepared.columns
        )

    def _decide(self, record: SourceRecord, entry: dict[str, Any], prepared: Prepared) -> None:
        stored, staged = prepared.stored, prepared.staged
        same_table = staged is None or not staged.changed
        prepared.findings = (*prepared.findings, *(staged.findings if staged else ()))
        if stored is not None and stored["state"] == "published" and same_table and stored["hash"] == prepared.hash:
            prepared.result = "unchanged"
            return
        if staged is not None:
            entry["row_count"] = staged.rows
            if staged.changed:
                entry["data_modified"] = moment_of(record.modified)
        state = dataset_exists(prepared.dataset_id)
        if state == "deleted":
            prepared.discard()
            prepared.result, prepared.findings = "refused", (Finding("entry-deleted"),)
            return
        prepared.entry, prepared.write = entry, True
        prepared.result = "changed" if state else "added"
        self.checks.claim_title(entry, prepared.dataset_id)


def cells_of(rows: Iterator[Row], items: Sequence[MappedItem], *, listed: bool) -> Iterator[list[object]]:
    """The cells of each row in the order of ``items``.

    Raises:
        RecordRefused: a listed column is not in the first row.
    """
    cells = [item.cell for item in items]
    for number, row in enumerate(rows):
        if number == 0 and listed:
            missing = [item for item in items if item.cell not in row]
            if missing:
                raise RecordRefused([Finding("column-missing", column=i.item.name, value=i.cell) for i in missing])
        yield [row.get(cell) for cell in cells]


def moment_of(modified: str | None) -> str:
    """When the data changed, in UTC without zone as CKAN stores times; now when the source does not say."""
    moment = datetime.now(UTC)
    if modified:
        try:
            moment = datetime.fromisoformat(to_datetime(modified) or "").astimezone(UTC)
        except ValueError:
            log.debug("a record's time of change cannot be read")
    return moment.replace(tzinfo=None, microsecond=0).isoformat()
