"""Parquet: typed columns (``data.parquet``), for programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from ckanext.openhuizhou.data import export_files
from ckanext.openhuizhou.data.parquet import write_parquet

from .rows import CHUNK, Rows


def write(rows: Rows) -> Iterator[bytes]:
    """The first byte comes when the last row has been read: types of columns are known only then."""
    with TemporaryDirectory(dir=export_files.folder()) as folder:
        path = Path(folder) / "table.parquet"
        write_parquet(path, rows.columns, rows.batches())
        with path.open("rb") as file:
            yield from iter(lambda: file.read(CHUNK), b"")
