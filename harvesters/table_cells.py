"""Types of database columns: which are cells of a published table, and what has to be made of their values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import RecordRefused

#: Bytes, shapes, and what SQLAlchemy does not know: nothing that a table for everybody can hold.
_UNREADABLE: Final = frozenset(
    {
        "unknown",
        "binary",
        "varbinary",
        "blob",
        "tinyblob",
        "mediumblob",
        "longblob",
        "bytea",
        "raw",
        "long raw",
        "bfile",
    }
    | {"image", "rowversion", "timestamp binary", "large_binary"}
)


def type_name(column_type: sa.types.TypeEngine[Any]) -> str:
    """The SQL type without its length, in lower case. ``tinyint(1)`` is how MariaDB writes boolean."""
    if isinstance(column_type, sa.types.NullType):
        return "unknown"
    if isinstance(column_type, mysql.TINYINT) and column_type.display_width == 1:
        return "boolean"
    return column_type.__visit_name__.lower()


def unreadable(columns: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Names and types of the columns that cannot be published."""
    return {column["name"]: column["type"] for column in columns if column["type"] in _UNREADABLE}


def cell_readers(columns: Iterable[Mapping[str, Any]]) -> list[tuple[str, Callable[[Any], object]]]:
    """For each column whose driver gives something that is no cell: what makes one of it."""
    return [(column["name"], _READERS[column["type"]]) for column in columns if column["type"] in _READERS]


class TableRow(dict[str, object]):
    """A row of a table with columns that cannot be published; who asks for one of them is refused."""

    def __init__(self, cells: Mapping[str, object], refused: Mapping[str, str]) -> None:
        super().__init__(cells)
        self._refused = refused

    def get(self, key: str, default: object = None) -> object:
        self._check(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> object:
        self._check(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        return key in self._refused or super().__contains__(key)

    def _check(self, key: str) -> None:
        if key in self._refused:
            finding = Finding("column-unreadable", column=key, params={"data_type": self._refused[key]})
            raise RecordRefused([finding])


def _bits(value: Any) -> object:
    """MariaDB gives bytes, PostgreSQL the digits."""
    return int.from_bytes(value, "big") if isinstance(value, bytes) else value


def _json(value: Any) -> object:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


_READERS: Final[dict[str, Callable[[Any], object]]] = {
    "bit": _bits,
    **dict.fromkeys(("json", "jsonb", "array", "hstore"), _json),
}
