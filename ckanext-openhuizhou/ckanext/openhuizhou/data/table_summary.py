"""A table's rows put together for a chart: groups of a category or of steps of time, or a sample of two figures.

One statement over the rows that a reader's query leaves (``table_query``), so that a chart of a filtered table is a
chart of what the reader sees. Counts, sums, minima and maxima of groups can be put together again, which is how what
is beyond the first few becomes “others” without being read twice. Sums are exact decimals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa

from ckanext.openhuizhou.data.table_query import TableQuery, quoted, where_sql
from ckanext.openhuizhou.data.table_reading import reading
from ckanext.openhuizhou.domain.chart_guess import GRAINS, Chart
from ckanext.openhuizhou.domain.column_roles import Role, role_of
from ckanext.openhuizhou.domain.items import Item

#: Steps of time, points of a scatter plot: more cannot be told apart on a screen, nor read as a table.
MOST_KEYS: Final = 400
#: … when each is drawn several times.
MOST_KEYS_OF_SERIES: Final = 100
#: Series that are drawn apart; the rest is one more.
MOST_SERIES: Final = 7
#: Summaries that a process keeps. A few hundred short rows each, of tables that do not change under their digest.
KEPT: Final = 256

_STEP: Final = {"hour": 1 / 24, "day": 1.0, "month": 28.0, "quarter": 90.0, "year": 365.0}
_FORMAT: Final = {
    "hour": "YYYY-MM-DD HH24:00",
    "day": "YYYY-MM-DD",
    "month": "YYYY-MM",
    "quarter": 'YYYY"Q"Q',
    "year": "YYYY",
}
_WEIGHT: Final = {
    "count": "sum(n) OVER w",
    "sum": "sum(total) OVER w",
    "mean": "sum(total) OVER w / nullif(sum(known) OVER w, 0)",
    "min": "min(low) OVER w",
    "max": "max(high) OVER w",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with the same key, and of the same series where there are several.

    ``key`` and ``series`` are the values' text, None for empty cells; ``others`` and ``other_series`` mark what is
    beyond those drawn apart. ``known`` of the ``rows`` have a figure; ``total``, ``low`` and ``high`` are of those.
    """

    key: str | None
    series: str | None
    others: bool
    other_series: bool
    rows: int
    known: int
    total: Decimal | None
    low: Decimal | None
    high: Decimal | None

    def value(self, how: str) -> Decimal | None:
        """The group's figure, one of ``chart_guess.MEASURES``; None when no row of it has one."""
        if how == "count":
            return Decimal(self.rows)
        if how == "mean":
            return self.total / self.known if self.total is not None else None
        return {"sum": self.total, "min": self.low, "max": self.high}[how]


@dataclass(frozen=True, slots=True)
class Summary:
    """``groups`` in the order in which they are drawn. ``rows``: all that were looked at, ``without`` of them have no
    time; ``left_out``: groups that are in “others”, or older than what is drawn (``cut``). ``grain``: of the steps.
    """

    groups: tuple[Group, ...]
    rows: int
    without: int
    left_out: int
    cut: bool
    grain: str


@dataclass(frozen=True, slots=True)
class Points:
    """Pairs of figures, every ``stride``-th row of the ``rows`` that have both; ``without`` have not."""

    pairs: tuple[tuple[Decimal, Decimal], ...]
    rows: int
    without: int
    stride: int


def merged(groups: Iterable[Group], key: str | None) -> Group | None:
    """Groups put together as one, for spellings of one thing; None of none."""
    all_ = tuple(groups)
    if not all_:
        return None
    totals = [group.total for group in all_ if group.total is not None]
    lows = [group.low for group in all_ if group.low is not None]
    highs = [group.high for group in all_ if group.high is not None]
    return Group(
        key,
        None,
        others=False,
        other_series=False,
        rows=sum(group.rows for group in all_),
        known=sum(group.known for group in all_),
        total=sum(totals, Decimal(0)) if totals else None,
        low=min(lows, default=None),
        high=max(highs, default=None),
    )


def summarise(query: TableQuery, chart: Chart, items: Sequence[Item], digest: str | None = None) -> Summary:
    """Groups of the rows of ``query``. With the table's ``digest`` what was counted before is not counted again.

    Raises:
        ReadTimedOut: it takes longer than a page may.
        LookupError: the table, or a column of it, is gone.
    """
    by_id = {item.column: item for item in items}
    columns = (by_id[chart.x], by_id.get(chart.y), by_id.get(chart.by))
    return _kept_summary(query, chart, columns, digest) if digest else _summary(query, chart, columns)


def sample(query: TableQuery, chart: Chart, digest: str | None = None) -> Points:
    """Rows of two figures, evenly picked in the table's order. Raises as ``summarise`` does."""
    return _kept_points(query, chart, digest) if digest else _points(query, chart)


@lru_cache(maxsize=KEPT)
def _kept_summary(
    query: TableQuery,
    chart: Chart,
    columns: tuple[Item, Item | None, Item | None],
    digest: str,  # noqa: ARG001 - a table of another digest is another table
) -> Summary:
    return _summary(query, chart, columns)


@lru_cache(maxsize=KEPT)
def _kept_points(query: TableQuery, chart: Chart, digest: str) -> Points:  # noqa: ARG001
    return _points(query, chart)


def _summary(query: TableQuery, chart: Chart, columns: tuple[Item, Item | None, Item | None]) -> Summary:
    x, _y, by = columns
    role = role_of(x)
    ordered = role in (Role.TIME, Role.PERIOD)
    most = MOST_KEYS_OF_SERIES if by else MOST_KEYS
    top = most if ordered else min(chart.top, most)
    where, params = where_sql(query)
    with reading() as connection:
        grain = _fitting_grain(connection, query, x, chart.grain, most) if role is Role.TIME else ""
        statement = _statement(query.resource_id, where, chart, columns, grain, ordered=ordered)
        found = connection.exec_driver_sql(statement, {**params, "top": top, "lines": MOST_SERIES}).all()
    groups = tuple(_group(row) for row in found)
    if ordered:
        groups = _in_order(groups, natural=role is Role.PERIOD and x.data_type == "string")
    rows, without, places = (found[0].all_rows, found[0].without, found[0].places) if found else (0, 0, 0)
    return Summary(
        groups,
        int(rows),
        int(without or 0) if ordered else 0,
        max(0, places - top),
        cut=ordered and places > top,
        grain=grain,
    )


def _statement(
    resource_id: str,
    where: str,
    chart: Chart,
    columns: tuple[Item, Item | None, Item | None],
    grain: str,
    *,
    ordered: bool,
) -> str:
    x, y, by = columns
    key, label = _key(x, grain)
    figure = quoted(y.column) if y else "NULL::numeric"
    series = f"{quoted(by.column)}::text" if by else "NULL::text"
    order = "k DESC" if ordered else 'weight DESC NULLS LAST, k COLLATE "C" NULLS LAST'
    return f"""
        WITH groups AS (
          SELECT {key} AS k, {series} AS s, count(*) AS n, count({figure}) AS known, sum({figure}) AS total,
                 min({figure}) AS low, max({figure}) AS high
          FROM {quoted(resource_id)} WHERE {where} GROUP BY 1, 2
        ), weighed AS (
          SELECT *, {_WEIGHT[chart.how]} AS weight, sum(n) OVER (PARTITION BY s) AS row_count
          FROM groups {"WHERE k IS NOT NULL" if ordered else ""} WINDOW w AS (PARTITION BY k)
        ), ranked AS (
          SELECT *, dense_rank() OVER (ORDER BY {order}) AS place,
                 dense_rank() OVER (ORDER BY row_count DESC, s COLLATE "C" NULLS LAST) AS line
          FROM weighed
        )
        SELECT CASE WHEN place <= %(top)s THEN {label} END AS key, place > %(top)s AS others,
               CASE WHEN line <= %(lines)s THEN s END AS series, line > %(lines)s AS other_series,
               sum(n) AS n, sum(known) AS known, sum(total) AS total, min(low) AS low, max(high) AS high,
               (SELECT max(place) FROM ranked) AS places, (SELECT sum(n) FROM groups) AS all_rows,
               (SELECT sum(n) FROM groups WHERE k IS NULL) AS without
        FROM ranked {"WHERE place <= %(top)s" if ordered else ""}
        GROUP BY 1, 2, 3, 4 ORDER BY min(place), min(line)
    """  # noqa: S608 - names are quoted identifiers of the table's own dictionary, values are bound


def _key(x: Item, grain: str) -> tuple[str, str]:
    """SQL of what rows are grouped by, and of its text."""
    column = quoted(x.column)
    if not grain:
        return (column, "k::text") if role_of(x) is Role.PERIOD else (f"{column}::text", "k")
    moment = f"({column} AT TIME ZONE 'Asia/Shanghai')" if x.data_type == "datetime" else f"{column}::timestamp"
    return f"date_trunc('{grain}', {moment})", f"to_char(k, '{_FORMAT[grain]}')"


def _fitting_grain(connection: sa.Connection, query: TableQuery, x: Item, asked: str, most: int) -> str:
    """The step that was asked for, or the finest; coarser when there would be more steps than can be drawn."""
    where, params = where_sql(query)
    column = quoted(x.column)
    statement = f"SELECT min({column}), max({column}) FROM {quoted(query.resource_id)} WHERE {where}"  # noqa: S608
    first, last = connection.exec_driver_sql(statement, params).one()
    offered = GRAINS if x.data_type == "datetime" else GRAINS[1:]
    start = offered.index(asked) if asked in offered else 0
    if first is None:
        return offered[start]
    days = _days(first, last)
    return next((grain for grain in offered[start:] if days / _STEP[grain] < most), GRAINS[-1])


def _days(first: Any, last: Any) -> float:
    """Between two dates, or two moments."""
    span = last - first
    return span.days + span.seconds / 86_400


def _group(row: Any) -> Group:
    return Group(
        row.key,
        row.series,
        others=row.others,
        other_series=row.other_series,
        rows=int(row.n),
        known=int(row.known),
        total=_decimal(row.total),
        low=_decimal(row.low),
        high=_decimal(row.high),
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _in_order(groups: tuple[Group, ...], *, natural: bool) -> tuple[Group, ...]:
    """From early to late; text with numbers in it as people count (9月 before 10月), its series as they were."""
    keys = list(dict.fromkeys(group.key for group in groups))[::-1]
    if natural:
        keys.sort(key=lambda key: _natural(key or ""))
    place = {key: number for number, key in enumerate(keys)}
    return tuple(sorted(groups, key=lambda group: place[group.key]))


def _natural(text: str) -> list[tuple[int, int, str]]:
    parts = (part for part in re.split(r"([0-9]+)", text) if part)
    return [(0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part) for part in parts]


def _points(query: TableQuery, chart: Chart) -> Points:
    where, params = where_sql(query)
    table, x, y = quoted(query.resource_id), quoted(chart.x), quoted(chart.y)
    counted = f"SELECT count(*), count(*) FILTER (WHERE {x} IS NOT NULL AND {y} IS NOT NULL) FROM {table} WHERE {where}"  # noqa: S608
    picked = f"""
        SELECT x, y FROM (
          SELECT {x} AS x, {y} AS y, row_number() OVER (ORDER BY _id) AS number
          FROM {table} WHERE ({where}) AND {x} IS NOT NULL AND {y} IS NOT NULL
        ) AS numbered WHERE mod(number - 1, %(stride)s) = 0 ORDER BY number
    """  # noqa: S608
    with reading() as connection:
        rows, both = connection.exec_driver_sql(counted, params).one()
        stride = max(1, -(-both // MOST_KEYS))
        found = connection.exec_driver_sql(picked, {**params, "stride": stride}).all()
    return Points(tuple((Decimal(a), Decimal(b)) for a, b in found), both, rows - both, stride)
