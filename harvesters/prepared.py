"""What is to be done about one record, between its reading and its writing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ckanext.openhuizhou.data.tables import StagedTable, discard_table
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters.records import Link
from ckanext.openhuizhou.harvesters.stored import GOOD, Stored
from ckanext.openhuizhou.model.harvest import dataset_id_of, resource_id_of


def unexpected(error: Exception) -> Finding:
    """The finding for what nobody foresaw; the log has the rest."""
    return Finding("unexpected", params={"reason": type(error).__name__})


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The record of another source whose entry this one takes over, and the resource of its table. ``state``: of that
    record when this was decided."""

    source_id: str
    key: str
    resource_id: str
    state: str


@dataclass(slots=True)
class Prepared:
    """What is to be done about one record.

    ``result``: added, changed, unchanged, refused or failed. ``write``: whether the entry has to be written;
    ``staged``: a table that waits to be published. ``source_failed``: the source itself did not answer.
    ``dataset_id``: not always ``dataset_id_of`` the record; an entry may change hands.
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
    #: what told that the record changed, or did not (``domain.change_rules``)
    rule: str | None = None
    #: files that stay where they are; checked
    links: tuple[Link, ...] = ()
    payload_digest: str | None = None
    #: columns that wait for a platform officer (``drift``)
    held_columns: list[list[str]] | None = None
    takes_over: TakenOver | None = None
    #: another source, which comes first, has the entry; this record has none
    superseded: bool = False
    source_id: str = ""

    @property
    def published_before(self) -> bool:
        return self.stored is not None and self.stored["state"] == "published"

    @property
    def refused_hash(self) -> str | None:
        """What makes reading the same rows again needless when they are refused."""
        return None if self.hash is None else f"{self.hash}.{self.data_digest}"

    @property
    def comes_back(self) -> bool:
        """Whether the entry was withdrawn because its source no longer had it."""
        if self.takes_over is not None:
            return self.takes_over.state == "withdrawn"
        return self.stored is not None and self.stored["state"] == "withdrawn"

    @property
    def nothing_new(self) -> bool:
        """Unchanged, and nothing about it that is not remembered already."""
        stored = self.stored
        return (
            self.result == "unchanged"
            and self.staged is None
            and stored is not None
            and stored["payload_digest"] == self.payload_digest
            and stored["mapping_digest"] == self.mapping_digest
            and stored["kind_state"] == (self.state or {})
        )

    @property
    def verdict_may_differ(self) -> bool:
        """Whether the index may know another verdict of the table. Rows that were read anew and are those of a good
        table tell nothing new; those of one that was refused, or was left half published by a killed run, do."""
        if self.staged is None:
            return self.table_refused and self.published_before
        as_good_as_before = self.published_before and self.stored is not None and self.stored["last_result"] in GOOD
        return self.staged.changed or not as_good_as_before

    @classmethod
    def failed(cls, source_id: str, key: str, stored: Stored | None, error: Exception) -> Prepared:
        """A record that failed in a way that nobody foresaw."""
        ids = dataset_id_of(source_id, key), resource_id_of(source_id, key)
        return cls(key, *ids, result="failed", stored=stored, findings=(unexpected(error),))

    def refuse(self, *findings: Finding) -> None:
        """The record does not become an entry, or does not change the one that it is."""
        self.result, self.findings = "refused", findings

    def discard(self) -> None:
        """Let go of a staged table that will not be published."""
        if self.staged is not None and self.staged.changed:
            discard_table(self.staged)
        self.staged = None
