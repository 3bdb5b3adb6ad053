"""Which columns of a table get an index: those that people filter by, where it saves them a pass over the table.

An index costs a second for each million rows of a load, and is read by equality, by ranges and by sorting. Candidates
are keys, dates and codes, as the items say; the statistics of the filled table say which of them are worth it.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import identifier
from sqlalchemy.exc import OperationalError

from ckanext.openhuizhou.domain.items import Item

log = logging.getLogger(__name__)

#: Below that many rows a pass takes a few milliseconds.
ROWS: Final = 20_000
#: Indexes of one table.
MOST: Final = 4
#: An index on fewer values than these finds too many rows at once to be read.
_FEWEST_VALUES: Final = 50
_CODE_NAME: Final = re.compile(r"(?:编号|编码|代码|号码|证号|文号|序列号|批号|编号（[^）]*）|代号|许可证|信用码)$")
_CODE_COLUMN: Final = re.compile(r"(?:^|_)(?:id|code|no|number|num|bh|bm|dm|uscc)$")
#: Texts that are longer on average are no codes.
_LONGEST_BYTES: Final = 100
#: An entry of a B-tree takes a third of a page at most.
_TOO_LONG: Final = "54000"


def candidates(items: Sequence[Item]) -> list[Item]:
    """Columns that people filter by, the likeliest first."""
    keys = [item for item in items if item.is_key]
    moments = [item for item in items if item.data_type in ("date", "datetime")]
    codes = [item for item in items if item.data_type in ("string", "integer") and _is_code(item)]
    return list(dict.fromkeys([*keys, *codes, *moments]))


def _is_code(item: Item) -> bool:
    return _CODE_NAME.search(item.name) is not None or _CODE_COLUMN.search(item.column) is not None


def create(connection: sa.Connection, table: str, items: Sequence[Item], rows: int) -> list[str]:
    """Index the analysed ``table`` (its bare name) of so many rows; the ids of the columns that got one."""
    wanted = candidates(items) if rows >= ROWS else []
    if not wanted:
        return []
    connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '128MB'")
    return [column for column in _worth(connection, table, wanted, rows)[:MOST] if _indexed(connection, table, column)]


def _worth(connection: sa.Connection, table: str, wanted: Sequence[Item], rows: int) -> list[str]:
    query = sa.text(
        "SELECT attname FROM pg_stats WHERE schemaname = 'public' AND tablename = :table AND attname = ANY(:columns)"
        " AND CASE WHEN n_distinct < 0 THEN -n_distinct * :rows ELSE n_distinct END >= :fewest"
        " AND avg_width <= :longest"
    )
    columns = [item.column for item in wanted]
    params = {"table": table, "columns": columns, "rows": rows, "fewest": _FEWEST_VALUES, "longest": _LONGEST_BYTES}
    found = set(connection.scalars(query, params))
    return [column for column in columns if column in found]


def _indexed(connection: sa.Connection, table: str, column: str) -> bool:
    """False when a value is longer than an index can hold: such a column is no code."""
    # a name of its own, so that it need not be renamed when the table is swapped in
    name = identifier(f"filter_{uuid.uuid4().hex}")
    statement = f"CREATE INDEX {name} ON {identifier(table)} ({identifier(column)})"
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement.replace("%", "%%"))
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) != _TOO_LONG:
            raise
        log.info("Column %s of %s holds values too long for an index", column, table)
        return False
    return True
