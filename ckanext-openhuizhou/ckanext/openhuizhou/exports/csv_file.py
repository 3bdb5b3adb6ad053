"""CSV: UTF-8 with a byte order mark (Excel shows Chinese only then), RFC 4180 quoting, NULL as nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ckanext.openhuizhou.domain.items import Item

from .rows import Rows

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a reader can choose. ``ids``: column ids in the first row in place of labels; ``harmless``: see ``rows``."""

    bom: bool = True
    ids: bool = False
    harmless: bool = False


def write(rows: Rows, dialect: Dialect = Dialect()) -> Iterator[bytes]:
    """The rows pass as PostgreSQL writes them; lines end with a line feed."""
    yield (BOM if dialect.bom else b"") + header(rows.columns, ids=dialect.ids)
    yield from rows.raw()


def header(columns: Sequence[Item], *, ids: bool) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([item.column if ids else item.name for item in columns])
    return line.getvalue().encode()
