"""The questions that kind ``sql`` asks a database. Each database's dialect writes them in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa


def everything(table: str, schema: str | None) -> sa.Select[Any]:
    """All columns of all rows, in any order."""
    return sa.select(sa.text("*")).select_from(sa.table(table, schema=schema))


def summary(table: str, schema: str | None, watermark: str) -> sa.Select[Any]:
    """One row: how many rows, how many with a watermark, the latest watermark."""
    described = sa.table(table, sa.column(watermark), schema=schema)
    column = described.c[watermark]
    return sa.select(sa.func.count(), sa.func.count(column), sa.func.max(column)).select_from(described)


def rows_since(table: str, schema: str | None, columns: Sequence[str], watermark: str, since: Any) -> sa.Select[Any]:
    """The rows with this watermark or a later one, in any order."""
    return rows(table, schema, columns, ()).where(sa.column(watermark) >= since)


def rows(table: str, schema: str | None, columns: Sequence[str], order: Sequence[str]) -> sa.Select[Any]:
    """All rows, in the order of these columns (of the key; without one, in any)."""
    described = sa.table(table, *(sa.column(name) for name in columns), schema=schema)
    return sa.select(*described.c).order_by(*(described.c[name] for name in order))
