"""The columns of a published table, told by the table itself: its dictionary was loaded together with its rows."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import get_read_engine

from ckanext.openhuizhou.domain.column_info import item_of
from ckanext.openhuizhou.domain.items import Item

#: Columns that begin with an underscore are the DataStore's own.
_COLUMNS = sa.text(
    "SELECT a.attname, format_type(a.atttypid, NULL), col_description(a.attrelid, a.attnum)"
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " WHERE c.relname = :name AND c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
    " AND a.attnum > 0 AND NOT a.attisdropped AND NOT starts_with(a.attname, '_') ORDER BY a.attnum"
)
#: Tables whose columns are kept in memory; a table that is loaded anew with another dictionary is another table.
_KEPT = 1000


def columns_of(resource_id: str) -> tuple[Item, ...]:
    """The columns of the live table, in its order. Share and open types are the entry's and are empty here.

    The database is asked each time (a millisecond), so that the answer belongs to the table that is read next.

    Raises:
        LookupError: the resource has no table.
    """
    with get_read_engine().connect() as connection:
        return columns_in(connection, resource_id)


def columns_in(connection: sa.Connection, resource_id: str) -> tuple[Item, ...]:
    """``columns_of`` inside a transaction that reads the same table."""
    told = tuple(
        (str(name), str(type_), comment) for name, type_, comment in connection.execute(_COLUMNS, {"name": resource_id})
    )
    if not told:
        raise LookupError(resource_id)
    return _items(told)


@lru_cache(maxsize=_KEPT)
def _items(told: tuple[tuple[str, str, str | None], ...]) -> tuple[Item, ...]:
    return tuple(item_of(name, type_, _info(comment)) for name, type_, comment in told)


def _info(comment: str | None) -> dict[str, Any]:
    """What CKAN keeps in a column's comment; another program's comment says nothing."""
    try:
        content = json.loads(comment or "null")
    except ValueError:
        return {}
    # before CKAN 2.11 the dictionary was the whole comment
    info = content.get("_info", content) if isinstance(content, dict) else {}
    return info if isinstance(info, dict) else {}
