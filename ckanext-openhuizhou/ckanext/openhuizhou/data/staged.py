"""What a load has made, before and after it is published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item


@dataclass(frozen=True, slots=True)
class StagedTable:
    """Rows that passed every check and wait to be published.

    ``digest`` is the SHA-256 of the CSV file. ``changed`` is False when exactly this table is live already:
    publishing it then only renews the verdict. ``held``: it waits for an officer's decision (``checks.decide``), and
    publishing it does nothing.
    """

    resource_id: str
    rows: int
    digest: str
    size_bytes: int
    findings: tuple[Finding, ...]
    csv_path: Path
    dictionary: str
    changed: bool = True
    columns: tuple[Item, ...] = ()
    held: bool = False

    def mark(self) -> dict[str, Any]:
        """What the table in the DataStore remembers of its file."""
        return {
            "digest": self.digest,
            "rows": self.rows,
            "size_bytes": self.size_bytes,
            "dictionary": self.dictionary,
        }

    def result(self) -> LoadResult:
        return LoadResult(self.resource_id, self.rows, self.digest, self.size_bytes, self.changed, self.held)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What is published now; ``changed`` is False when it was so before. ``held``: what is told of waits, and what was
    published before stays."""

    resource_id: str
    rows: int
    digest: str
    size_bytes: int
    changed: bool
    held: bool = False
