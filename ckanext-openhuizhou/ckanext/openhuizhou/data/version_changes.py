"""What changed from one version of a table to the next, read from their Parquet files by DuckDB with little memory.

Rows are the same row when their key is: the columns marked as key in both versions. Without a key, or where it is not
unique, whole rows are compared, and a changed row is one that went and one that came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import duckdb

from ckanext.openhuizhou.domain.items import Item

Kind = Literal["added", "removed", "changed"]
KINDS: Final[tuple[Kind, ...]] = ("added", "removed", "changed")
_MEMORY: Final = "200MB"


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """``before`` and ``after`` by column, as text; empty for a row that came or went."""

    kind: Kind
    before: Mapping[str, str | None]
    after: Mapping[str, str | None]

    @property
    def columns(self) -> tuple[str, ...]:
        """Where the two differ."""
        return tuple(name for name in self.after if self.before and self.before.get(name) != self.after[name])


def summary(before: Path, before_items: Sequence[Item], after: Path, after_items: Sequence[Item]) -> dict[str, Any]:
    """``{added, removed, changed, columns: {column: changed cells}, key: [column], columns_added, columns_removed}``.

    ``changed`` is 0 and ``key`` empty where whole rows were compared.
    """
    with _compared(before, before_items, after, after_items) as both:
        names = {item.column for item in before_items}, {item.column for item in after_items}
        return both.counts() | {
            "key": list(both.key),
            "columns_added": [item.column for item in after_items if item.column not in names[0]],
            "columns_removed": [item.column for item in before_items if item.column not in names[1]],
        }


def rows(
    before: Path, before_items: Sequence[Item], after: Path, after_items: Sequence[Item], kind: Kind,
    limit: int, offset: int = 0,
) -> list[ChangedRow]:  # fmt: skip
    """A page of the rows that came, went or changed, in the order of their key."""
    with _compared(before, before_items, after, after_items) as both:
        return both.rows(kind, limit, offset)


@dataclass(frozen=True, slots=True)
class _Both:
    """Two versions as tables ``a`` (before) and ``b`` (after) of a connection. ``common``: columns that both have."""

    connection: duckdb.DuckDBPyConnection
    before: Sequence[str]
    after: Sequence[str]
    common: Sequence[str]
    key: Sequence[str]

    def counts(self) -> dict[str, Any]:
        counts: dict[str, Any] = {kind: self._count(self._query(kind)) for kind in KINDS}
        rest = [name for name in self.common if name not in self.key]
        if not self.key or not rest:
            return counts | {"columns": {}}
        cells = ", ".join(f"count(*) FILTER (WHERE {_differs(name)})" for name in rest)
        found = self.connection.execute(f"SELECT {cells} FROM {self._joined('INNER')}").fetchone()  # noqa: S608
        assert found is not None, "an aggregate has one row"
        return counts | {"columns": {name: count for name, count in zip(rest, found, strict=True) if count}}

    def rows(self, kind: Kind, limit: int, offset: int) -> list[ChangedRow]:
        query = f"SELECT * FROM ({self._query(kind)}) ORDER BY ALL LIMIT {limit:d} OFFSET {offset:d}"  # noqa: S608
        found = self.connection.execute(query).fetchall()
        width = len(self.before) if kind != "added" else 0
        return [
            ChangedRow(
                kind,
                dict(zip(self.before, row[:width], strict=True)) if width else {},
                dict(zip(self.after, row[width:], strict=True)) if kind != "removed" else {},
            )
            for row in found
        ]

    def _query(self, kind: Kind) -> str:
        return self._by_key(kind) if self.key else self._by_row(kind)

    def _by_key(self, kind: Kind) -> str:
        before, after = _texts("a", self.before), _texts("b", self.after)
        if kind == "changed":
            differs = " OR ".join(_differs(name) for name in self.common if name not in self.key) or "false"
            return f"SELECT {before}, {after} FROM {self._joined('INNER')} WHERE {differs}"  # noqa: S608
        if kind == "added":
            return f"SELECT {after} FROM {self._joined('RIGHT')} WHERE a.__row IS NULL"  # noqa: S608
        return f"SELECT {before} FROM {self._joined('LEFT')} WHERE b.__row IS NULL"  # noqa: S608

    def _by_row(self, kind: Kind) -> str:
        if kind == "changed":
            return "SELECT 1 WHERE false"
        here, there, names = ("b", "a", self.after) if kind == "added" else ("a", "b", self.before)
        every = f"SELECT {_texts(here, names)} FROM {here}"  # noqa: S608
        if set(self.before) != set(self.after):
            return every  # no row of other columns is the same row
        return f"{every} EXCEPT ALL SELECT {_texts(there, names)} FROM {there}"  # noqa: S608

    def _joined(self, how: str) -> str:
        same = " AND ".join(f"a.{_quoted(name)} = b.{_quoted(name)}" for name in self.key)
        return f"a {how} JOIN b ON {same}"

    def _count(self, query: str) -> int:
        found = self.connection.execute(f"SELECT count(*) FROM ({query})").fetchone()  # noqa: S608
        assert found is not None, "an aggregate has one row"
        return found[0]


@contextmanager
def _compared(before: Path, before_items: Sequence[Item], after: Path, after_items: Sequence[Item]) -> Iterator[_Both]:
    with TemporaryDirectory(prefix="openhuizhou-") as folder, duckdb.connect() as connection:
        connection.execute("SET memory_limit = ?", [_MEMORY])
        connection.execute("SET threads = 1")
        connection.execute("SET temp_directory = ?", [folder])
        for name, path in (("a", before), ("b", after)):
            source = connection.read_parquet(str(path))
            texts = [_as_text(*column) for column in zip(source.columns, source.types, strict=True)]
            source.project(f"{', '.join(texts)}, true AS __row").create_view(name)
        old, new = [item.column for item in before_items], [item.column for item in after_items]
        common = [name for name in new if name in old]
        yield _Both(connection, old, new, common, _key(connection, before_items, after_items))


def _key(connection: duckdb.DuckDBPyConnection, before: Sequence[Item], after: Sequence[Item]) -> list[str]:
    """The columns that are key in both, when they tell every row apart in both; else none."""
    key = [item.column for item in after if item.is_key]
    if not key or key != [item.column for item in before if item.is_key]:
        return []
    columns = ", ".join(_quoted(name) for name in key)
    empty = " OR ".join(f"{_quoted(name)} IS NULL" for name in key)
    for table in ("a", "b"):
        query = f"SELECT count(*), count(DISTINCT ({columns})), count(*) FILTER (WHERE {empty}) FROM {table}"  # noqa: S608
        found = connection.execute(query).fetchone()
        assert found is not None, "an aggregate has one row"
        if found[0] != found[1] or found[2]:
            return []
    return key


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _as_text(name: str, kind: Any) -> str:
    """A cell as text, since a column may have another type in the other version. A decimal is written without the zeros
    that the widest figure of its version brings it."""
    text = f"CAST({_quoted(name)} AS VARCHAR)"
    if kind.id == "decimal" and dict(kind.children)["scale"]:
        text = f"rtrim(rtrim({text}, '0'), '.')"
    return f"{text} AS {_quoted(name)}"


def _texts(table: str, names: Sequence[str]) -> str:
    return ", ".join(f"{table}.{_quoted(name)}" for name in names)


def _differs(name: str) -> str:
    return f"a.{_quoted(name)} IS DISTINCT FROM b.{_quoted(name)}"
