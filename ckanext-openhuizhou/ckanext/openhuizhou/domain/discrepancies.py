"""Where database, index, records, tables and files can tell different things, and what is done about each.

A discrepancy is data: its kind, what it is about, what was found, and whether it was repaired. The sentences are
msgids, made where they are shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from ckanext.openhuizhou.domain.findings import N_

#: So many of each kind are kept one by one; all are counted.
KEPT: Final = 100
CLEAN, REPAIRED, LEFT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class DiscrepancyKind:
    """``message``: what is wrong. ``repair``: what is done, or what a person has to do where nothing can be done."""

    message: str
    repair: str


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """``what``: an id, or ``source: key``. ``before``: what was found. ``done``: repaired, or left to a person."""

    kind: str
    what: str
    before: str
    done: bool

    def as_dict(self) -> dict[str, Any]:
        """With the two msgids."""
        kind = KINDS[self.kind]
        return asdict(self) | {"message": kind.message, "repair": kind.repair}


@dataclass(slots=True)
class Report:
    """What one comparison found. ``looked_at``: how many of each sort of thing were compared."""

    dry: bool
    deep: bool = False
    found: list[Discrepancy] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    looked_at: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)

    def add(self, discrepancies: Iterable[Discrepancy]) -> None:
        for one in discrepancies:
            self.counts[one.kind] += 1
            if not one.done:
                self.left[one.kind] += 1
            if self.counts[one.kind] <= KEPT:
                self.found.append(one)

    @property
    def status(self) -> int:
        """0: all tell the same. 1: repaired. 2: something is left; always so when a dry comparison found something."""
        if not self.counts:
            return CLEAN
        return LEFT if self.left or self.dry else REPAIRED

    def as_dict(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "dry": self.dry,
            "deep": self.deep,
            "looked_at": dict(self.looked_at),
            "counts": dict(self.counts),
            "left": dict(self.left),
            "skipped": self.skipped,
            "found": [one.as_dict() for one in self.found],
        }


#: In alphabetical order.
KINDS: Final[dict[str, DiscrepancyKind]] = {
    "document-missing": DiscrepancyKind(
        N_("An entry is not in the search index"), N_("It was put into the outbox and indexed")
    ),
    "document-outdated": DiscrepancyKind(
        N_("The search index has an older version of an entry"), N_("It was put into the outbox and indexed")
    ),
    "document-superfluous": DiscrepancyKind(
        N_("The search index has an entry that does not exist"), N_("It was taken out of the index")
    ),
    "document-unwritable": DiscrepancyKind(
        N_("An entry cannot be brought into the search index"), N_("See the log of the command for the reason")
    ),
    "entry-without-record": DiscrepancyKind(
        N_("An entry came from a source, and no record of a source has it"),
        N_("The department's sources are read anew; withdraw the entry by hand if it is none of theirs"),
    ),
    "file-orphan": DiscrepancyKind(N_("A file belongs to no resource"), N_("It was deleted")),
    "file-wrong": DiscrepancyKind(
        N_("The file of a table is missing, or is not the one that was published"),
        N_("The table counts as not readable until the next run of its source publishes it anew"),
    ),
    "job-dead": DiscrepancyKind(
        N_("A job on a table has a worker that is gone"), N_("The next worker begins it again")
    ),
    "lease-dead": DiscrepancyKind(
        N_("A run has a worker that is gone"), N_("The run waits for another worker and goes on where it stopped")
    ),
    "load-orphan": DiscrepancyKind(
        N_("A loaded table belongs to a resource that does not exist"), N_("The table and its file were deleted")
    ),
    "outbox-gone": DiscrepancyKind(
        N_("An entry that does not exist waits to be indexed"), N_("It was taken out of the outbox and the index")
    ),
    "publication-interrupted": DiscrepancyKind(
        N_("A table was published, its file or its verdict was not"), N_("The publication was completed")
    ),
    "record-entry-back": DiscrepancyKind(
        N_("A record counts as refused, and its entry is in the catalogue"), N_("The next run looks at it again")
    ),
    "record-entry-deleted": DiscrepancyKind(
        N_("A record counts as published, and a person deleted its entry"), N_("The record counts as refused")
    ),
    "record-entry-gone": DiscrepancyKind(
        N_("A record counts as published, and its entry does not exist"), N_("The next run writes it again")
    ),
    "record-entry-withdrawn": DiscrepancyKind(
        N_("A record counts as published, and its entry was withdrawn because the source lacked it"),
        N_("The record counts as withdrawn and comes back with the next run that meets it"),
    ),
    "staging-left": DiscrepancyKind(N_("A load that was killed left a table or a file"), N_("It was deleted")),
    "table-missing": DiscrepancyKind(
        N_("A table is gone, or is not the one that was published"),
        N_("The table counts as not readable until the next run of its source publishes it anew"),
    ),
    "table-orphan": DiscrepancyKind(
        N_("A table of the DataStore belongs to no resource"), N_("The table was deleted")
    ),
    "table-tampered": DiscrepancyKind(
        N_("A table has more or fewer rows than were published"),
        N_("The table counts as not readable until the next run of its source publishes it anew"),
    ),
    "upload-left": DiscrepancyKind(
        N_("A file was uploaded for a load that does not exist"), N_("The file was deleted")
    ),
}  # fmt: skip
