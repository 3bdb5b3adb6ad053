"""The statements that count a table's columns, each a pass over the table (``data.profile``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import identifier

from ckanext.openhuizhou.data.table_reading import reading
from ckanext.openhuizhou.domain.cell_types import POSTGRESQL_TYPES
from ckanext.openhuizhou.domain.column_profile import (
    EXAMPLES,
    LONGEST,
    NUMBERS,
    QUANTILES,
    SHOWN_QUANTILES,
    TIMES,
    TOP_VALUES,
    ColumnProfile,
    as_text,
    bins_of,
    histogram_of,
    mean_text,
    quantiles_of,
)
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.profile_bins import Bins

#: Values of one column that are fetched; a column that has more is counted by the database alone.
MOST_FETCHED: Final = 50_000
#: Values of a column that are counted exactly; the number of more is the planner's estimate.
EXACT_VALUES: Final = 2_000_000
#: Columns in one statement; PostgreSQL's GROUPING takes no more than 31.
_TOGETHER: Final = 30
_PASS_TIMEOUT_MS: Final = 120_000
_FETCHED: Final = 5000


@dataclass(slots=True)
class Counting:
    """A column while it is counted. ``values``: all of them in their order, with counts, where they are few."""

    item: Item
    present: int
    total: Mapping[str, Any]
    values: list[tuple[Any, int]] | None = None
    distinct: int = 0
    estimated: bool = False
    most: list[tuple[Any, int]] = field(default_factory=list)
    quantiles: dict[float, Any] = field(default_factory=dict)
    bins: Bins | None = None
    buckets: dict[int, int] = field(default_factory=dict)

    @property
    def ordered(self) -> bool:
        return self.item.data_type in NUMBERS | TIMES

    def count_up(self, values: list[tuple[Any, int]]) -> None:
        """Everything follows from the counts of all values."""
        self.values = values
        self.distinct = len(values)
        self.most = sorted(values, key=lambda pair: (-pair[1], pair[0]))[:TOP_VALUES]
        if self.ordered:
            values.sort()
            self.quantiles = quantiles_of(values)
            self.choose_bins()
            for value, count in values if self.bins else ():
                bucket = self.bins.bucket(value) if self.bins else 0
                self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def choose_bins(self) -> None:
        self.bins = bins_of(self.item, self.total.get("min"), self.total.get("max"), self.quantiles)

    def profile(self, rows: int) -> ColumnProfile:
        told = self.ordered and self.present
        lengths = self.total.get("lengths")
        repeated = self.most and self.most[0][1] > 1
        examples = [value for value, _count in self.most] or [
            self.quantiles[share] for share in SHOWN_QUANTILES if told
        ]
        return ColumnProfile(
            self.item.column,
            self.item.name,
            self.item.data_type,
            self.item.unit,
            nulls=rows - self.present,
            distinct=self.distinct,
            estimated=self.estimated,
            minimum=as_text(self.total["min"]) if told else None,
            maximum=as_text(self.total["max"]) if told else None,
            mean=mean_text(self.total["mean"]) if told and self.item.data_type in NUMBERS else None,
            quantiles={str(share): as_text(self.quantiles[share]) for share in SHOWN_QUANTILES if told},
            histogram=histogram_of(self.bins, self.buckets) if self.bins else None,
            lengths=lengths if self.present else None,
            top=tuple((as_text(value), count) for value, count in self.most) if repeated else (),
            examples=tuple(dict.fromkeys(map(as_text, examples)))[:EXAMPLES],
            fractions=bool(self.total.get("fractions")),
        )


class Passes:
    """The statements over one table."""

    def __init__(self, source: str, items: Sequence[Item], is_sample: bool) -> None:
        self.source, self.items, self.is_sample = source, items, is_sample
        self.rows = 0
        self.present: dict[str, int] = {}

    def totals(self) -> list[dict[str, Any]]:
        """What is added up of each column; sets ``rows`` and ``present``."""
        found = []
        for chunk in _chunks(self.items):
            parts = [_totals_of(item) for item in chunk]
            wanted = ", ".join(sql for part in parts for sql in part.values())
            row = iter(self._all(f"SELECT count(*), {wanted} FROM {self.source}")[0])  # noqa: S608
            self.rows = next(row)
            for item, part in zip(chunk, parts, strict=True):
                total = {name: next(row) for name in part}
                self.present[item.column] = total.pop("present")
                if "shortest" in total:
                    total["lengths"] = (total.pop("shortest"), float(total.pop("length") or 0), total.pop("longest"))
                found.append(total)
        return found

    def count_values(self, few: Sequence[Counting]) -> None:
        """Count each value of columns that have few; one that has many after all is left for ``count_many``."""
        for chunk in _chunks(few):
            names = [identifier(one.item.column) for one in chunk]
            shown = [_shortened(one.item) for one in chunk]
            sets = ", ".join(f"({name})" for name in names)
            query = (
                f"SELECT GROUPING({', '.join(names)}), count(*), {', '.join(shown)} FROM {self.source}"  # noqa: S608
                f" GROUP BY GROUPING SETS ({sets})"
            )
            # GROUPING's bits are 0 for the columns that a row is grouped by; the first column is the highest bit
            full = (1 << len(chunk)) - 1
            column_of = {full ^ (1 << (len(chunk) - 1 - place)): place for place in range(len(chunk))}
            values: list[list[tuple[Any, int]]] = [[] for _ in chunk]
            for grouping, count, *cells in self._streamed(query):
                place = column_of[grouping]
                if cells[place] is not None and len(values[place]) <= MOST_FETCHED:
                    values[place].append((cells[place], count))
            for one, counted in zip(chunk, values, strict=True):
                if len(counted) <= MOST_FETCHED:
                    one.count_up(counted)

    def count_many(self, one: Counting, estimate: int | None) -> None:
        """How many values a column has, and the most frequent ones."""
        if estimate is not None and min(estimate, one.present) > EXACT_VALUES:
            one.distinct, one.estimated = estimate, True
            return
        name = identifier(one.item.column)
        order = f'{name} COLLATE "C"' if POSTGRESQL_TYPES[one.item.data_type] == "text" else name
        found = self._all(
            f"WITH counted AS MATERIALIZED (SELECT {name}, count(*) AS n FROM {self.source}"  # noqa: S608
            f" WHERE {name} IS NOT NULL GROUP BY {name})"
            " (SELECT count(*), NULL FROM counted) UNION ALL"
            f" (SELECT n, {_shortened(one.item)} FROM counted ORDER BY n DESC, {order} LIMIT {TOP_VALUES})"
        )
        one.distinct = found[0][0]
        one.most = [(value, count) for count, value in found[1:]]

    def spread(self, many: Sequence[Counting]) -> None:
        """Quantiles and histograms of columns of many values."""
        shares = ", ".join(map(str, QUANTILES))
        for chunk in _chunks(many):
            wanted = [
                f"percentile_disc(ARRAY[{shares}]) WITHIN GROUP (ORDER BY {identifier(one.item.column)})"
                for one in chunk
            ]
            row = self._all(f"SELECT {', '.join(wanted)} FROM {self.source}")[0]  # noqa: S608
            for one, quantiles in zip(chunk, row, strict=True):
                one.quantiles = dict(zip(QUANTILES, quantiles, strict=True))
                one.choose_bins()
        for chunk in _chunks([one for one in many if one.bins]):
            self._histograms(chunk)

    def _histograms(self, chunk: Sequence[Counting]) -> None:
        names = [f"b{place}" for place in range(len(chunk))]
        parameters = {f"e{place}": list(one.bins.edges) for place, one in enumerate(chunk) if one.bins}
        buckets = ", ".join(
            f"width_bucket({_comparable(one.item)}, CAST(:e{place} AS {_type(one.item)}[])) AS {name}"
            for place, (one, name) in enumerate(zip(chunk, names, strict=True))
        )
        sets = ", ".join(f"({name})" for name in names)
        query = (
            f"SELECT count(*), {', '.join(names)} FROM (SELECT {buckets} FROM {self.source}) AS cut"  # noqa: S608
            f" GROUP BY GROUPING SETS ({sets})"
        )
        for count, *found in self._all(query, parameters):
            for one, bucket in zip(chunk, found, strict=True):
                if bucket is not None:
                    one.buckets[bucket] = count

    def _all(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[Sequence[Any]]:
        with _one_pass() as connection:
            return list(connection.execute(sa.text(query), parameters or {}).tuples())

    def _streamed(self, query: str) -> Iterator[Sequence[Any]]:
        with _one_pass() as connection:
            streaming = connection.execution_options(stream_results=True, max_row_buffer=_FETCHED)
            yield from streaming.execute(sa.text(query)).tuples()


@contextmanager
def _one_pass() -> Iterator[sa.Connection]:
    with reading(_PASS_TIMEOUT_MS) as connection:
        # one processor is left for readers; groups of a million values need not be written out
        for setting in ("max_parallel_workers_per_gather = 0", "work_mem = '32MB'", "jit = off"):
            connection.exec_driver_sql(f"SET LOCAL {setting}")
        yield connection


def _totals_of(item: Item) -> dict[str, str]:
    """Name → SQL of what is added up of a column."""
    name = identifier(item.column)
    if item.data_type in NUMBERS:
        return {"present": f"count({name})", "min": f"min({name})", "max": f"max({name})", "mean": f"avg({name})"}
    if item.data_type in TIMES:
        totals = {"present": f"count({name})", "min": f"min({name})", "max": f"max({name})"}
        if item.data_type == "datetime":
            totals["fractions"] = f"bool_or({name} <> date_trunc('second', {name}))"
        return totals
    if item.data_type == "boolean":
        return {"present": f"count({name})"}
    return {
        "present": f"count({name})",
        "shortest": f"min(char_length({name}))",
        "length": f"avg(char_length({name}))",
        "longest": f"max(char_length({name}))",
    }


def _shortened(item: Item) -> str:
    name = identifier(item.column)
    return f"left({name}, {LONGEST + 1})" if POSTGRESQL_TYPES[item.data_type] == "text" else name


def _type(item: Item) -> str:
    return "numeric" if item.data_type in NUMBERS else POSTGRESQL_TYPES[item.data_type]


def _comparable(item: Item) -> str:
    name = identifier(item.column)
    return f"CAST({name} AS numeric)" if item.data_type == "integer" else name


def _chunks(whole: Sequence[Any]) -> Iterator[Sequence[Any]]:
    rest = iter(whole)
    while chunk := list(islice(rest, _TOGETHER)):
        yield chunk
