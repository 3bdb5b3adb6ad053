"""What PostgreSQL alone needs: ``raw_copy.py CSV RESOURCE`` copies the file into the columns of that table and makes
its indexes, in one transaction, and prints the seconds and rows. The copy is gone afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

from _app import answer, application, timed


def copy(path: Path, resource_id: str) -> int:
    import sqlalchemy as sa
    from ckanext.datastore.backend.postgres import get_write_engine

    name = f"raw_{resource_id}"
    with get_write_engine().connect() as connection:
        columns = connection.execute(
            sa.text(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
                " WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
            ),
            {"table": f'"{resource_id}"'},
        ).all()
        indexes = connection.scalars(
            sa.text("SELECT indexdef FROM pg_indexes WHERE tablename = :table AND indexname NOT LIKE '%pkey'"),
            {"table": resource_id},
        ).all()
        declared = ", ".join(
            '"_id" serial PRIMARY KEY' if column == "_id" else f'"{column}" {kind}' for column, kind in columns
        )
        filled = ", ".join(f'"{column}"' for column, _kind in columns if not column.startswith("_"))
        connection.exec_driver_sql(f'CREATE TABLE "{name}" ({declared})')
        connection.exec_driver_sql("SET LOCAL TimeZone = 'Asia/Shanghai'")
        with path.open("rb") as source, connection.connection.cursor() as cursor:
            cursor.copy_expert(
                f'COPY "{name}" ({filled}) FROM STDIN WITH (FORMAT csv, HEADER true, FORCE_NULL ({filled}))', source
            )
            rows = cursor.rowcount
        for number, definition in enumerate(indexes):
            connection.exec_driver_sql(_renamed(definition, resource_id, name, f"raw_{number}_{resource_id}"))
        connection.commit()
    return rows


def _renamed(definition: str, table: str, copy_name: str, index: str) -> str:
    """``CREATE INDEX name ON schema.table USING …`` for another table."""
    using = definition.partition(" USING ")[2]
    unique = "UNIQUE " if definition.startswith("CREATE UNIQUE") else ""
    assert f'"{table}"' in definition, "an index of this table"
    return f'CREATE {unique}INDEX "{index[:63]}" ON "{copy_name}" USING {using}'


def drop(resource_id: str) -> None:
    from ckanext.datastore.backend.postgres import get_write_engine

    with get_write_engine().begin() as connection:
        connection.exec_driver_sql(f'DROP TABLE IF EXISTS "raw_{resource_id}"')


with application():
    file, resource = Path(sys.argv[1]), sys.argv[2]
    drop(resource)
    seconds, count = timed(lambda: copy(file, resource))
    drop(resource)
    answer(seconds=seconds, rows=count)
