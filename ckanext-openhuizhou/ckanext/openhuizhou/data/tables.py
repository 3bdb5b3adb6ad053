"""A table's way from rows to readers: stage, publish, discard.

``stage_table`` types and checks every row, writes the CSV file that will be downloaded, and copies that same file
into a staging table. ``publish_table`` swaps both in. Nobody reads a staging table, and a refused or broken load
leaves what was published before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item


@dataclass(frozen=True, slots=True)
class StagedTable:
    """Rows that passed every check and wait to be published. ``digest`` is the SHA-256 of the CSV file."""

    resource_id: str
    rows: int
    digest: str
    size_bytes: int
    findings: tuple[Finding, ...]
    csv_path: Path
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What was published: ``changed`` is False when the live table already held the same bytes."""

    resource_id: str
    rows: int
    digest: str
    size_bytes: int
    changed: bool


def stage_table(resource_id: str, items: Sequence[Item], rows: Iterable[Sequence[object]]) -> StagedTable:
    """Type, check and stage ``rows`` (cells in the order of ``items``).

    Raises:
        TableRefused: a cell does not fit its type, a row has the wrong width, or a column holds personal data.
    """
    raise NotImplementedError


def publish_table(staged: StagedTable, package_id: str) -> LoadResult:
    """Swap the staged table and file in; on failure the old ones stay and the verdict of the load says so."""
    raise NotImplementedError


def discard_table(staged: StagedTable) -> None:
    """Drop the staging table and its file. Idempotent."""
    raise NotImplementedError


def drop_table(resource_id: str) -> None:
    """Remove what is published of a resource: table, file and verdict. Idempotent."""
    raise NotImplementedError


def record_failure(resource_id: str, package_id: str, findings: Iterable[Finding]) -> None:
    """Keep the verdict of a load that was refused before anything could be published."""
    raise NotImplementedError
