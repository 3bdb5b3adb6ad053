"""One page of a table's rows, wherever in the table it lies.

The table's own order has page numbers: ``_id`` counts its rows from 1, so a page is a range of the primary key, and
page 20,000 costs what page 1 costs. Any other order, and rows that were picked, go by the row that the reader saw
last (keyset): ``after`` and ``before`` name it by its ``_id``, its place in the order is looked up, and the rows behind
it are read. A cursor also carries the table's digest and how many rows lie before it, for a reader who wants to know
where he is; after another load it leads to the first page and says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ckanext.openhuizhou.data.datastore_tables import parsed_mark
from ckanext.openhuizhou.data.table_keyset import stretches
from ckanext.openhuizhou.data.table_query import TableQuery, cell_sql, quoted, where_sql
from ckanext.openhuizhou.data.table_reading import reading
from ckanext.openhuizhou.domain.findings import Finding

SIZES: Final = (20, 50, 100, 200)
#: Rows that were picked are counted up to here, and so long.
MOST_COUNTED: Final = 100_000
COUNT_TIMEOUT_MS: Final = 1500
#: Characters of a text that a page shows; the whole text is in the download.
TEXT_SHOWN: Final = 2000
END: Final = "end"
_CURSOR = re.compile(r"(?P<digest>[0-9a-z]{1,8})-(?P<id>[0-9]{1,18})(?:-(?P<before>[0-9]{1,18}))?", re.ASCII)
_CANCELED: Final = "57014"

Link = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the table the reader is: a page number, or the ``after`` or ``before`` of an address."""

    number: int = 1
    after: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """``rows`` hold the cells of the query's columns. ``start``: number of the first row, None when nobody knows.

    ``total`` is None when counting took too long; with ``at_least`` there are more. ``number`` and ``pages`` are those
    of the table's own order. ``first``, ``previous``, ``next``, ``last``: parameter and value, None where it leads
    nowhere.
    """

    rows: tuple[tuple[Any, ...], ...]
    start: int | None
    total: int | None
    at_least: bool = False
    number: int | None = None
    pages: int | None = None
    first: Link | None = None
    previous: Link | None = None
    next: Link | None = None
    last: Link | None = None
    findings: tuple[Finding, ...] = field(default=())


def page(query: TableQuery, place: Place, size: int, digest: str = "") -> Page:
    """The rows at this place. ``digest``: of the table's load, by which old cursors are known.

    Raises:
        ReadTimedOut: it takes longer than a page may.
        LookupError: the table, or a column of it, is gone.
    """
    with reading() as connection:
        if not query.narrowed and not query.sort:
            return _numbered(connection, query, place, size)
        return _Keyset(connection, query, size, digest[:8] or "0").page(place)


def _select(query: TableQuery) -> str:
    """What is read of a row: ``_id``, then its cells; texts no longer than anybody reads in a table."""
    cells = (
        f"left({cell_sql(query, name)}, {TEXT_SHOWN + 1})" if name in query.searched else quoted(name)
        for name in query.columns
    )
    return f"SELECT {', '.join(['_id', *cells])} FROM {quoted(query.resource_id)}"  # noqa: S608 - names are quoted


def _cells(rows: Sequence[Sequence[Any]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(row[1:]) for row in rows)


# the table's own order


def _numbered(connection: sa.Connection, query: TableQuery, place: Place, size: int) -> Page:
    first_id, last_id, total = _extent(connection, query.resource_id)
    pages = max(1, -(-total // size))
    number = min(max(1, place.number), pages)
    skipped = (number - 1) * size
    if last_id - first_id + 1 == total:
        condition, params = "_id >= %(start)s AND _id < %(end)s", {"start": first_id + skipped}
        params["end"] = params["start"] + size
    else:  # rows were deleted by hand: their numbers are no range any more
        condition = f"_id >= (SELECT _id FROM {quoted(query.resource_id)} ORDER BY _id OFFSET %(skipped)s LIMIT 1)"  # noqa: S608
        params = {"skipped": skipped}
    statement = f"{_select(query)} WHERE {condition} ORDER BY _id LIMIT %(size)s"
    rows = connection.exec_driver_sql(statement, {**params, "size": size}).all()
    return Page(
        _cells(rows),
        skipped + 1 if rows else None,
        total,
        number=number,
        pages=pages,
        first=("page", "1") if number > 1 else None,
        previous=("page", str(number - 1)) if number > 1 else None,
        next=("page", str(number + 1)) if number < pages else None,
        last=("page", str(pages)) if number < pages else None,
    )


def _extent(connection: sa.Connection, resource_id: str) -> tuple[int, int, int]:
    """The first and the last ``_id``, and how many rows there are: as the loader left it in the table's mark, which
    the reading role may see (``_table_stats`` it may not), else counted now."""
    table = quoted(resource_id)
    statement = f"""
        SELECT (SELECT min(_id) FROM {table}), (SELECT max(_id) FROM {table}),
               obj_description(to_regclass(quote_ident(%(name)s)), 'pg_class')
    """  # noqa: S608 - the name is quoted
    first_id, last_id, comment = connection.exec_driver_sql(statement, {"name": resource_id}).one()
    mark = parsed_mark(comment)
    total = mark["rows"] if mark else connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608
    return first_id or 1, last_id or 0, total


# any other order, and rows that were picked


class _Keyset:
    def __init__(self, connection: sa.Connection, query: TableQuery, size: int, digest: str) -> None:
        self._connection = connection
        self._query = query
        self._size = size
        self._digest = digest
        self._where, self._params = where_sql(query)
        self._keys = [(cell_sql(query, name), name, descending) for name, descending in query.sort]

    def page(self, place: Place) -> Page:
        findings: tuple[Finding, ...] = ()
        if place.before == END:
            return self._backward(None, None)
        cursor = place.after or place.before
        if cursor:
            found = self._found(cursor)
            if found is not None:
                return self._forward(*found) if place.after else self._backward(*found)
            findings = (Finding("query-cursor", params={"argument": "after" if place.after else "before"}),)
        return self._forward(None, 0, findings)

    def _forward(self, row: sa.RowMapping | None, before: int | None, findings: tuple[Finding, ...] = ()) -> Page:
        """The rows behind ``row``, of which ``before`` lie before them."""
        rows = self._read(row, backward=False)
        more, rows = len(rows) > self._size, rows[: self._size]
        total, at_least = self._total(len(rows), before, more=more)
        return Page(
            _cells(rows),
            before + 1 if before is not None and rows else None,
            total,
            at_least,
            first=("page", "1") if row else None,
            previous=("before", self._cursor(rows[0], before)) if row and rows else None,
            next=("after", self._cursor(rows[-1], None if before is None else before + len(rows))) if more else None,
            last=("before", END) if more else None,
            findings=findings,
        )

    def _backward(self, row: sa.RowMapping | None, before: int | None) -> Page:
        """The rows in front of ``row``, ``before`` of them; of no row, the last ones."""
        rows = self._read(row, backward=True)
        if len(rows) <= self._size:  # the first page, and a whole one
            return self._forward(None, 0)
        rows = rows[: self._size][::-1]
        total, at_least = self._total(len(rows), 0, more=True)
        if row is None and total is not None and not at_least:
            before = total
        start = None if before is None else max(0, before - len(rows))
        return Page(
            _cells(rows),
            None if start is None else start + 1,
            total,
            at_least,
            first=("page", "1"),
            previous=("before", self._cursor(rows[0], start)),
            next=("after", self._cursor(rows[-1], before)) if row else None,
            last=("before", END) if row else None,
        )

    def _read(self, row: sa.RowMapping | None, *, backward: bool) -> list[sa.Row[Any]]:
        """One row more than a page has, in the order of reading."""
        rows: list[sa.Row[Any]] = []
        for stretch in stretches(self._keys, row, backward=backward):
            missing = self._size + 1 - len(rows)
            if not missing:
                break
            statement = (
                f"{_select(self._query)} WHERE ({self._where}) AND {stretch.condition}"
                f" ORDER BY {stretch.order} LIMIT %(rows)s"
            )
            params = {**self._params, **stretch.params, "rows": missing}
            rows += self._connection.exec_driver_sql(statement, params).all()
        return rows

    def _found(self, cursor: str) -> tuple[sa.RowMapping, int | None] | None:
        """The row that a cursor names and how many lie before the page; None for a cursor of another load."""
        parts = _CURSOR.fullmatch(cursor)
        if parts is None or parts["digest"] != self._digest:
            return None
        cells = ", ".join(["_id", *(f"{column} AS {quoted(name)}" for column, name, _descending in self._keys)])
        statement = f"SELECT {cells} FROM {quoted(self._query.resource_id)} WHERE _id = %(id)s"  # noqa: S608
        row = self._connection.exec_driver_sql(statement, {"id": int(parts["id"])}).mappings().one_or_none()
        return None if row is None else (row, int(parts["before"]) if parts["before"] else None)

    def _cursor(self, row: sa.Row[Any], before: int | None) -> str:
        return f"{self._digest}-{row[0]}" + ("" if before is None else f"-{before}")

    def _total(self, shown: int, before: int | None, *, more: bool) -> tuple[int | None, bool]:
        """How many rows there are, and whether there are more than that."""
        if not self._query.narrowed:
            return _extent(self._connection, self._query.resource_id)[2], False
        if not more and before is not None:
            return before + shown, False
        picked = f"SELECT FROM {quoted(self._query.resource_id)} WHERE {self._where} LIMIT %(most)s"
        statement = f"SELECT count(*) FROM ({picked}) AS picked"  # noqa: S608
        try:
            with self._connection.begin_nested():
                self._connection.exec_driver_sql(f"SET LOCAL statement_timeout TO {COUNT_TIMEOUT_MS}")
                params = {**self._params, "most": MOST_COUNTED + 1}
                count = self._connection.exec_driver_sql(statement, params).scalar_one()
        except DBAPIError as error:
            if getattr(error.orig, "pgcode", None) != _CANCELED:
                raise
            return None, True
        return min(count, MOST_COUNTED), count > MOST_COUNTED
