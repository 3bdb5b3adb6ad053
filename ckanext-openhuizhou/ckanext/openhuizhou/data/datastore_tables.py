"""DataStore tables written below CKAN's actions: COPY into a staging table, then a swap in one transaction.

``datastore_create`` and ``datastore_upsert`` write a live table row by row, readers see it half filled, and they
reach about three thousand rows a second. What this path skips, and why that is safe here:

- the actions' auth and schema validation: callers are the loader only, and ``tables.stage_table`` has typed and
  checked every cell and column name;
- ``IDataDictionaryForm`` hooks of other plugins: none of ours implements them;
- ``_full_text``, its trigger and its index: ``text_search`` answers ``q`` without them (ADR 0041);
- the background job that counts rows: the count is known and stored with the swap;
- ``resource_patch(datastore_active=True)``: the harvest writes the resource with that flag.

The outcome is what the actions make: column types, data dictionary (comments), primary key, rights and search results;
``tests/integration/data/test_datastore_tables.py`` compares the two.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import get_write_engine, identifier, literal_string
from sqlalchemy.exc import OperationalError

from ckanext.openhuizhou.data import filter_indexes
from ckanext.openhuizhou.domain.cell_types import POSTGRESQL_TYPES
from ckanext.openhuizhou.domain.column_info import info_of
from ckanext.openhuizhou.domain.items import Item

log = logging.getLogger(__name__)

#: Somebody who looks at a filled staging table: the connection of its transaction, and its quoted name.
Look = Callable[[sa.Connection, str], None]

#: The swap waits this long for readers of the old table before it lets new readers pass and tries again …
LOCK_TIMEOUT_MS = 2000
#: … this many times.
SWAP_ATTEMPTS = 15
#: When many are swapped at once, readers of all of them wait for one: then rather one by one.
LOCK_TIMEOUT_TOGETHER_MS = 100
_LOCK_NOT_AVAILABLE = "55P03"
#: Bytes that COPY asks for at a time; for each the interpreter's lock is taken.
_READ_BYTES = 1 << 18


class Readable(Protocol):
    """A CSV file."""

    def read(self, size: int, /) -> bytes: ...


#: The mark of a table, known when its file was read to the end.
MarkWhenRead = Callable[[], Mapping[str, Any]]


def staging_name(resource_id: str) -> str:
    """CKAN hides tables whose name begins with an underscore from every DataStore action."""
    return f"_stage_{resource_id}"


def column_comment(item: Item) -> str:
    """The data dictionary entry of a column, as CKAN 2.12 stores it (a leading space marks the format)."""
    content = {"_info": info_of(item)}
    return " " + json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def dictionary_digest(items: Sequence[Item]) -> str:
    """Fingerprint of what a table has besides its rows: columns, types, labels."""
    parts = [f"{item.column} {POSTGRESQL_TYPES[item.data_type]}{column_comment(item)}" for item in items]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def copy_to_staging(
    resource_id: str, items: Sequence[Item], source: Readable, mark: MarkWhenRead, look: Look | None = None
) -> int:
    """Create the staging table, fill it from a CSV file, leave a mark as its comment; nothing is left when it fails.

    ``source`` may still be written; ``mark`` is asked once it was read to its end, and may wait, and raise. ``look``
    sees the finished table in the same transaction, and may raise too.

    Returns the number of rows.
    """
    with _write_connection() as connection:
        # whoever loses a staging table in a crash of the server stages it again; the swap's commit makes it durable
        _execute(connection, "SET LOCAL synchronous_commit = off")
        return _fill_staging(connection, resource_id, items, source, mark, look)


def copy_on_trial(items: Sequence[Item], source: Readable, look: Look | None = None) -> int:
    """Fill a table as ``copy_to_staging`` does, in a transaction that is rolled back. Returns the number of rows."""
    connection = get_write_engine().connect()
    try:
        return _fill_staging(connection, str(uuid.uuid4()), items, source, dict, look)
    finally:
        connection.rollback()
        connection.close()


def _fill_staging(
    connection: sa.Connection,
    resource_id: str,
    items: Sequence[Item],
    source: Readable,
    mark: MarkWhenRead,
    look: Look | None,
) -> int:
    table = identifier(staging_name(resource_id))
    _execute(connection, f"DROP TABLE IF EXISTS {table} CASCADE", *_create_statements(resource_id, items))
    rows = _copied(connection, table, items, source)
    comment = f"COMMENT ON TABLE {table} IS {literal_string(json.dumps(mark()))}"
    _execute(connection, comment, f"ANALYZE {table}")
    filter_indexes.create(connection, staging_name(resource_id), items, rows)
    if look is not None:
        look(connection, table)
    return rows


def copy_to_temporary(connection: sa.Connection, name: str, items: Sequence[Item], path: Path) -> None:
    """Fill a table that only this connection's transaction sees; ``_id`` is the number of the row."""
    table = identifier(name)
    _execute(connection, f"CREATE TEMPORARY TABLE {table} (_id serial, {_columns(items)}) ON COMMIT DROP")
    with path.open("rb") as source:
        _copied(connection, table, items, source)
    _execute(connection, f"ANALYZE {table}")


def _copied(connection: sa.Connection, table: str, items: Sequence[Item], source: Readable) -> int:
    names = ", ".join(identifier(item.column) for item in items)
    with closing(connection.connection.cursor()) as cursor:
        # frozen rows: the table is of this transaction, so that nobody can have an older view of it
        cast(Any, cursor).copy_expert(
            f"COPY {table} ({names}) FROM STDIN"
            f" WITH (FORMAT csv, HEADER true, FREEZE true, ENCODING 'UTF8', FORCE_NULL ({names}))",
            source,
            _READ_BYTES,
        )
        return cursor.rowcount


def _columns(items: Sequence[Item]) -> str:
    return ", ".join(f"{identifier(item.column)} {POSTGRESQL_TYPES[item.data_type]}" for item in items)


def swap_in(resource_id: str, mark: Mapping[str, Any]) -> None:
    """Make the staging table that bears ``mark`` the live one; readers see the old table or the new one.

    Raises:
        LookupError: there is no such staging table: another load of this resource has taken its place.
        sqlalchemy.exc.OperationalError: readers held the old table through every attempt.
    """
    for attempt in range(1, SWAP_ATTEMPTS + 1):
        try:
            with _write_connection() as connection:
                _swap(connection, {resource_id: mark}, LOCK_TIMEOUT_MS)
        except OperationalError as error:
            if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE or attempt == SWAP_ATTEMPTS:
                raise
            log.info("Table %s is being read; swap tried again (%s)", resource_id, attempt)
            time.sleep(min(0.1 * attempt, 1.0))
        else:
            return


def swap_in_together(marks: Mapping[str, Mapping[str, Any]]) -> None:
    """The same for many tables in one transaction, without patience for readers: resource id → mark.

    Raises:
        LookupError: one of them has no such staging table; none was swapped.
        sqlalchemy.exc.OperationalError: readers hold one of the old tables; none was swapped.
    """
    with _write_connection() as connection:
        _swap(connection, marks, LOCK_TIMEOUT_TOGETHER_MS)


def _swap(connection: sa.Connection, marks: Mapping[str, Mapping[str, Any]], lock_timeout: int) -> None:
    _execute(connection, f"SET LOCAL lock_timeout = {lock_timeout}")
    staged = _marks(connection, [staging_name(resource_id) for resource_id in marks])
    for resource_id, mark in marks.items():
        if staged[staging_name(resource_id)] != mark:
            raise LookupError(resource_id)
    _execute(connection, *(statement for resource_id in marks for statement in _swap_statements(resource_id)))
    connection.execute(
        sa.text(
            "INSERT INTO _table_stats SELECT name, jsonb_build_object('rows', rows)"
            " FROM unnest(CAST(:names AS text[]), CAST(:rows AS bigint[])) AS counted (name, rows)"
            " ON CONFLICT (resource_id) DO UPDATE SET stats = excluded.stats"
        ),
        {"names": list(marks), "rows": [mark["rows"] for mark in marks.values()]},
    )


def _swap_statements(resource_id: str) -> Iterator[str]:
    live, stage = identifier(resource_id), identifier(staging_name(resource_id))
    yield f"DROP TABLE IF EXISTS {live} CASCADE"
    yield f"ALTER TABLE {stage} RENAME TO {live}"
    for kind, suffix, final in _renames(resource_id):
        name = identifier(staging_name(resource_id) + suffix)
        yield f"ALTER {kind} {name} RENAME TO {identifier(final)}"


@contextmanager
def publication_lock(*resource_ids: str) -> Iterator[None]:
    """One publication of a resource at a time, its completion after a kill included. A killed holder holds nothing."""
    locked = "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(CAST(:names AS text[])) AS name"
    with _write_connection() as connection:
        # in one order everywhere, so that two who lock many do not wait for each other
        connection.execute(sa.text(locked), {"names": sorted(resource_ids)})
        yield


def live_mark(resource_id: str) -> dict[str, Any] | None:
    """The mark of the live table, or None when there is no such table or another writer made it."""
    with get_write_engine().connect() as connection:
        return _marks(connection, [resource_id])[resource_id]


def live_marks() -> dict[str, dict[str, Any]]:
    """The marks of all live tables that this module published, by resource id."""
    query = sa.text(
        "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'public'::regnamespace AND NOT starts_with(relname, '_')"
    )
    with get_write_engine().connect() as connection:
        marks = {name: parsed_mark(comment) for name, comment in connection.execute(query)}
    return {name: mark for name, mark in marks.items() if mark is not None}


def _marks(connection: sa.Connection, tables: Collection[str]) -> dict[str, dict[str, Any] | None]:
    query = sa.text(
        "SELECT name, obj_description(to_regclass(quote_ident(name)), 'pg_class')"
        " FROM unnest(CAST(:names AS text[])) AS name"
    )
    return {name: parsed_mark(comment) for name, comment in connection.execute(query, {"names": list(tables)})}


def parsed_mark(comment: str | None) -> dict[str, Any] | None:
    """The mark in a table's comment; None when it holds another comment, or none."""
    try:
        mark = json.loads(comment or "null")
    except ValueError:
        return None
    return mark if isinstance(mark, dict) and "digest" in mark else None


def drop_staging(resource_id: str) -> None:
    """Drop the staging table and what belongs to it, if there is one."""
    _drop(staging_name(resource_id))


def drop_live(resource_id: str) -> None:
    """Drop the live table, its aliases and its stored count, if there are any."""
    _drop(resource_id)
    with _write_connection() as connection:
        connection.execute(sa.text("DELETE FROM _table_stats WHERE resource_id = :name"), {"name": resource_id})


def _drop(table: str) -> None:
    with _write_connection() as connection:
        _execute(connection, f"DROP TABLE IF EXISTS {identifier(table)} CASCADE")


@contextmanager
def _write_connection() -> Iterator[sa.Connection]:
    """One transaction as the DataStore's writing role."""
    with get_write_engine().begin() as connection:
        yield connection


def _execute(connection: sa.Connection, *statements: str) -> None:
    """Send these statements at once: each way to the server and back costs more than most of them."""
    connection.exec_driver_sql("; ".join(statements).replace("%", "%%"))


def _create_statements(resource_id: str, items: Sequence[Item]) -> Iterator[str]:
    """The table as ``datastore_create`` makes it, without what only serves ``_full_text``."""
    table = identifier(staging_name(resource_id))
    # an empty search vector takes less room than NULL, which costs a bit for each column of the row
    yield f"CREATE TABLE {table} (_id serial PRIMARY KEY, _full_text tsvector DEFAULT '', {_columns(items)})"
    for item in items:
        comment = literal_string(column_comment(item))
        yield f"COMMENT ON COLUMN {table}.{identifier(item.column)} IS {comment}"


def _renames(resource_id: str) -> Iterator[tuple[str, str, str]]:
    """Kind, suffix of the staging name, final name: the names that ``datastore_create`` gives."""
    yield "INDEX", "_pkey", f"{resource_id}_pkey"
    yield "SEQUENCE", "__id_seq", f"{resource_id}__id_seq"
