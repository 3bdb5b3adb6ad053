"""The records of a source in batches: each with a key of its own, none twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.record_key import check_key
from ckanext.openhuizhou.errors import SourceError
from ckanext.openhuizhou.harvesters.kinds import Reading, SourceKind
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.mapping import RecordMapping
from ckanext.openhuizhou.harvesters.records import SourceRecord

#: Records that are compared at once.
BATCH: Final = 1000
#: Seconds after which a slow source's batch is handed on, so that a run that is killed has little to do again.
_PATIENCE: Final = 5.0


@dataclass(slots=True)
class Batches:
    """Iterates over what ``kind`` reads. ``findings``: of what has no key to write it under, until they are taken.

    A key that was met is remembered as its hash: 300,000 keys are 26 MB, whatever their length.
    """

    kind: SourceKind
    reading: Reading
    mapping: RecordMapping
    lease: Lease
    findings: list[Finding] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    @property
    def count(self) -> int:
        """How many records were met."""
        return len(self._seen)

    def met(self, key: str) -> bool:
        """Whether the source has a record of this key."""
        return hash(key) in self._seen

    def __iter__(self) -> Iterator[list[SourceRecord]]:
        """Batches of records; those that came before the source broke are still handed on."""
        stream = self.records()
        for first in stream:
            batch: list[SourceRecord] = []
            until = time.monotonic() + _PATIENCE
            try:
                for record in chain((first,), stream):
                    batch.append(record)
                    if len(batch) == BATCH or time.monotonic() > until:
                        break
            except SourceError:
                yield batch
                raise
            yield batch

    def records(self) -> Iterator[SourceRecord]:
        """The records one by one."""
        for number, record in enumerate(self.kind.records(), 1):
            self.lease.total = self.reading.total
            self.lease.beat_when_due()
            wrong = check_key(record.key, number)
            if wrong is not None:
                self.findings += record.findings or (wrong,)
            elif self.mapping.skips(record.key):
                continue
            elif self.met(record.key):
                self.findings.append(Finding("key-duplicate", record=record.key, value=record.key))
            else:
                self._seen.add(hash(record.key))
                yield record

    def take_findings(self) -> list[Finding]:
        """What was found since the last call."""
        taken, self.findings = self.findings, []
        return taken
