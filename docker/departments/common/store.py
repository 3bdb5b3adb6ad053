"""Generate once into a folder, reuse afterwards; SQLite as the store behind the HTTP services."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from .datasets import Dataset, Department

MARKER = ".generated"
BUILDING = ".building"


def generate_once(folder: Path, fingerprint: str, build: Callable[[Path], None]) -> bool:
    """Fill ``folder`` by ``build`` unless it already holds data of this fingerprint; returns whether it was filled.

    Built in a folder inside and moved up (``folder`` may be a mounted volume); the marker goes first and comes last,
    so that an interrupted start is noticed at the next one.
    """
    marker = folder / MARKER
    if marker.is_file() and marker.read_text(encoding="utf-8") == fingerprint:
        return False
    building = folder / BUILDING
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    build(building)
    marker.unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
    for path in building.iterdir():
        path.replace(folder / path.name)
    building.rmdir()
    marker.write_text(fingerprint, encoding="utf-8")
    return True


def build_sqlite(department: Department, folder: Path) -> None:
    """One table per dataset, named by number; ``digest`` keeps the SHA-256 and the count of each one's rows."""
    connection = sqlite3.connect(folder / "rows.sqlite")
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("CREATE TABLE digest (key TEXT PRIMARY KEY, number INTEGER, rows INTEGER, digest TEXT)")
    for number, dataset in enumerate(department.datasets):
        names = ", ".join(f'"c{index}"' for index in range(len(dataset.columns)))
        marks = ", ".join("?" * len(dataset.columns))
        connection.execute(f"CREATE TABLE t{number} ({names})")
        digest, count = hashlib.sha256(), 0

        def counted(key: str = dataset.key, digest: hashlib._Hash = digest) -> object:
            nonlocal count
            for row in department.rows(key):
                count += 1
                digest.update(repr(row).encode())
                yield row

        connection.executemany(f"INSERT INTO t{number} VALUES ({marks})", counted())
        connection.execute("INSERT INTO digest VALUES (?, ?, ?, ?)", (dataset.key, number, count, digest.hexdigest()))
    connection.commit()
    connection.close()


class RowStore:
    """Pages of rows by dataset key. A connection per call: the HTTP servers answer in many threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rows.sqlite"
        with self._connect() as connection:
            found = connection.execute("SELECT key, number, rows, digest FROM digest")
            self._tables = {key: (number, rows, digest) for key, number, rows, digest in found}

    def count(self, key: str) -> int:
        return self._tables[key][1]

    def digest(self, key: str) -> str:
        return self._tables[key][2]

    def page(self, dataset: Dataset, page: int, size: int) -> list[tuple]:
        """Rows of page ``page`` (from 1) of ``size`` rows, in the order of the department's table."""
        number = self._tables[dataset.key][0]
        first = (page - 1) * size
        with self._connect() as connection:
            return connection.execute(
                f"SELECT * FROM t{number} WHERE rowid > ? AND rowid <= ? ORDER BY rowid", (first, first + size)
            ).fetchall()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
