"""What readers get of a published table: ``read_table.py RESOURCE`` prints seconds of its export as CSV, of COPY TO
STDOUT of the same rows, of pages of the table, and of the profile; and the export's memory above the idle process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from _app import answer, application, timed
from memory import Memory

#: Each is done so often; the fastest counts.
ROUNDS = 3
PAGE_ROWS = 50


class Counter:
    """A file that only counts what is written to it."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, chunk: bytes) -> int:
        self.size += len(chunk)
        return len(chunk)


def fastest(work: Callable[[], Any]) -> float:
    return min(timed(work)[0] for _ in range(ROUNDS))


def export(query: Any) -> int:
    from ckanext.openhuizhou.exports.formats import FORMATS
    from ckanext.openhuizhou.exports.rows import rows_of

    with rows_of(query) as rows:
        return sum(len(chunk) for chunk in FORMATS["csv"].write(rows))


def copy(resource_id: str, columns: tuple[str, ...]) -> int:
    from ckanext.datastore.backend.postgres import get_read_engine

    names = ", ".join(f'"{column}"' for column in columns)
    target = Counter()
    with get_read_engine().connect() as connection, connection.connection.cursor() as cursor:
        cursor.copy_expert(f'COPY (SELECT {names} FROM "{resource_id}" ORDER BY _id) TO STDOUT (FORMAT csv)', target)
    return target.size


def main(resource_id: str) -> None:
    from ckanext.openhuizhou.data import profile
    from ckanext.openhuizhou.data.datastore_tables import live_mark
    from ckanext.openhuizhou.data.table_columns import columns_of
    from ckanext.openhuizhou.data.table_pages import Place, page
    from ckanext.openhuizhou.data.table_query import TableQuery

    columns = tuple(item.column for item in columns_of(resource_id))
    plain = TableQuery(resource_id, columns)
    by_amount = TableQuery(resource_id, columns, sort=(("amount", True),))
    mark = live_mark(resource_id)
    assert mark is not None, "a table that was loaded before"
    deep = mark["rows"] * 9 // 10
    pages = {
        "first_page": fastest(lambda: page(plain, Place(), PAGE_ROWS)),
        "deep_page": fastest(lambda: page(plain, Place(deep // PAGE_ROWS), PAGE_ROWS)),
        "sorted_page": fastest(lambda: page(by_amount, Place(), PAGE_ROWS)),
    }
    memory = Memory()
    exported = fastest(lambda: export(plain))
    grown = memory.grown()
    answer(
        **pages,
        deep_row=deep,
        export=exported,
        mebibytes=grown,
        copy=fastest(lambda: copy(resource_id, columns)),
        profile=timed(lambda: profile.profile(resource_id, mark["rows"]))[0],
    )


with application():
    main(sys.argv[1])
