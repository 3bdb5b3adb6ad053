"""What a reader asks of a table: which columns, which rows, in which order. Pages, exports, charts and maps share it.

In an address (everything else in it belongs to the page)::

    columns=year&columns=county     the columns that are shown, in the table's order; all without it
    f.county.eq=惠城区               one comparison of a column; ``f.county.eq`` twice is one value or the other
    f.year.ge=2018&f.year.le=2020   different comparisons hold together
    f.note.empty=1                  comparisons with nothing take any value
    sort=-year,county               ``-`` is from large to small; empty cells stand last both ways
    q=污水 处理                      each word somewhere in the row's texts, as a part of a text

What cannot be used of it is left out and said: a finding never stops a page. Values are typed as the loader types
cells, and reach the database as bound parameters only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, cast, get_args

from ckanext.datastore.backend.postgres import identifier

from ckanext.openhuizhou.domain.cell_types import CONVERTERS
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item

Op = Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "empty", "not_empty"]
Value = str | int | Decimal | date | datetime | bool | None

OPS: Final[tuple[Op, ...]] = get_args(Op)
#: Comparisons that take no value.
UNARY: Final = frozenset({"empty", "not_empty"})
TEXTUAL: Final = frozenset({"string", "text"})
_ORDERED: Final = frozenset(OPS) - {"contains"}
#: Which comparisons a type takes.
OPS_OF: Final[Mapping[str, frozenset[str]]] = {
    "string": frozenset(OPS),
    "text": frozenset(OPS),
    "integer": _ORDERED,
    "number": _ORDERED,
    "currency": _ORDERED,
    "date": _ORDERED,
    "datetime": _ORDERED,
    "boolean": frozenset({"eq", "ne", "empty", "not_empty"}),
}
PREFIX: Final = "f."
MOST_FILTERS, MOST_SORTS, MOST_WORDS = 50, 5, 10
LONGEST_TEXT: Final = 500
_DAY: Final = timedelta(days=1)
_DIGITS_OF_A_DAY: Final = len("20180301")


@dataclass(frozen=True, slots=True)
class Period:
    """A day as a value of a column of moments: from ``start`` to before ``end``."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """One comparison. ``value`` is typed as the column is; None for ``empty`` and ``not_empty``."""

    column: str
    op: Op
    value: Value | Period = None


@dataclass(frozen=True, slots=True)
class TableQuery:
    """``columns`` are shown, ``searched`` are those whose text ``q`` is looked for in; ``sort``: (column, descending).

    ``findings`` say what of an address was not used, ``params["argument"]`` which part of it; ``args`` is what was
    used, as an address spells it. Neither belongs to what is asked.
    """

    resource_id: str
    columns: tuple[str, ...]
    filters: tuple[Filter, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    q: str = ""
    searched: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=(), compare=False)
    args: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def narrowed(self) -> bool:
        """Whether it leaves rows out."""
        return bool(self.filters or self.words)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.q.split()) if self.searched else ()


def parse_query(resource_id: str, items: Sequence[Item], args: Mapping[str, Any]) -> TableQuery:
    """Read the parameters of an address (``request.args``, or a dict of texts and lists of texts). Never raises."""
    reader = _Reader({item.column: item for item in items}, args)
    columns, filters, sort, q = reader.columns(), reader.filters(), reader.sort(), reader.q()
    return TableQuery(
        resource_id,
        columns,
        filters,
        sort,
        q,
        tuple(item.column for item in items if item.data_type in TEXTUAL),
        tuple(reader.findings),
        tuple(reader.used),
    )


def typed(data_type: str, text: str) -> Value | Period:
    """The value of a comparison with a column of this type.

    Raises:
        ValueError: it is none of this type.
    """
    text = text.strip()
    if "\x00" in text or len(text) > LONGEST_TEXT or not text:
        raise ValueError(text)
    if data_type in TEXTUAL:
        return text
    canonical = CONVERTERS[data_type](text)
    if canonical is None:  # what a cell may say for “nothing” is no value to compare with
        raise ValueError(text)
    if data_type == "integer":
        return int(canonical)
    if data_type in ("number", "currency"):
        return Decimal(canonical)
    if data_type == "boolean":
        return canonical == "true"
    if data_type == "date":
        return date.fromisoformat(canonical)
    moment = datetime.fromisoformat(canonical)
    return _whole_day(moment) if sum(map(str.isdigit, text)) <= _DIGITS_OF_A_DAY else moment


def _whole_day(moment: datetime) -> Period:
    """A mere date stands for all its moments: until a day is until its end, after a day is after its end."""
    try:
        start = datetime.combine(moment.astimezone(CITY_ZONE), time(0), CITY_ZONE)
        return Period(start, start + _DAY)
    except OverflowError as error:
        raise ValueError(moment) from error


class _Reader:
    """Takes what it understands out of the parameters; the rest becomes findings."""

    def __init__(self, items: Mapping[str, Item], args: Mapping[str, Any]) -> None:
        self._items = items
        self._args = args
        self.findings: list[Finding] = []
        self.used: list[tuple[str, str]] = []

    def columns(self) -> tuple[str, ...]:
        asked = dict.fromkeys(name for text in self._texts("columns") for name in _names(text))
        known = tuple(name for name in self._items if name in asked)
        for name in asked:
            if name not in self._items:
                self._not_used("query-column", "columns", name)
        if not known or len(known) == len(self._items):
            return tuple(self._items)
        self.used += [("columns", name) for name in known]
        return known

    def filters(self) -> tuple[Filter, ...]:
        found: dict[Filter, tuple[str, str]] = {}
        for name, text in self._filter_texts():
            read = self._filter(name, text)
            if read is None:
                continue
            if len(found) == MOST_FILTERS:
                self._not_used("query-too-many", name, text, most=MOST_FILTERS)
                break
            found.setdefault(read, (name, text))
        self.used += found.values()
        return tuple(found)

    def sort(self) -> tuple[tuple[str, bool], ...]:
        found: dict[str, bool] = {}
        for part in (part for text in self._texts("sort") for part in _names(text)):
            name, descending = part.removeprefix("-"), part.startswith("-")
            if name not in self._items:
                self._not_used("query-column", "sort", name)
            elif len(found) == MOST_SORTS:
                self._not_used("query-too-many", "sort", name, most=MOST_SORTS)
                break
            else:
                found.setdefault(name, descending)
        if found:
            self.used.append(("sort", sort_text(found.items())))
        return tuple(found.items())

    def q(self) -> str:
        text = " ".join(self._texts("q"))
        words = text.replace("\x00", " ").split()
        if not words:
            return ""
        if not any(item.data_type in TEXTUAL for item in self._items.values()):
            self._not_used("query-no-text", "q", text)
            return ""
        if len(words) > MOST_WORDS or len(text) > LONGEST_TEXT:
            self._not_used("query-too-long", "q", text, most=MOST_WORDS)
            return ""
        found = " ".join(words)
        self.used.append(("q", found))
        return found

    def _filter_texts(self) -> Iterator[tuple[str, str]]:
        for name in self._args:
            if isinstance(name, str) and name.startswith(PREFIX):
                for text in self._texts(name):
                    yield name, text

    def _filter(self, argument: str, text: str) -> Filter | None:
        """``f.<column>.<op>``; a column's own name may hold dots."""
        name, _dot, op = argument.removeprefix(PREFIX).rpartition(".")
        item = self._items.get(name)
        if item is None:
            self._not_used("query-column", argument, name)
            return None
        if op not in OPS_OF.get(item.data_type, OPS_OF["string"]):
            self._not_used("query-op", argument, op, item)
            return None
        if op in UNARY:
            return Filter(name, cast(Op, op))
        try:
            return Filter(name, cast(Op, op), typed(item.data_type, text))
        except ValueError:
            self._not_used("query-value", argument, text, item)
            return None

    def _texts(self, name: str) -> list[str]:
        """The values of a parameter; a form sends its empty fields along, which ask for nothing."""
        if hasattr(self._args, "getlist"):
            values = self._args.getlist(name)  # type: ignore[attr-defined] - werkzeug's MultiDict
        else:
            given = self._args.get(name, ())
            values = [given] if isinstance(given, str) else list(given)
        return [text for value in values if (text := str(value).strip())]

    def _not_used(self, kind: str, argument: str, value: str, item: Item | None = None, **params: Any) -> None:
        known = {"data_type": item.data_type} if item else {}
        self.findings.append(
            Finding(
                kind,
                column=item.name if item else None,
                value=value if len(value) <= 40 else value[:39] + "…",
                params={"argument": argument, **known, **params},
            )
        )


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def sort_text(sort: Any) -> str:
    """``[("year", True), ("county", False)]`` → ``-year,county``."""
    return ",".join(f"-{name}" if descending else name for name, descending in sort)


# the query as SQL


def select_sql(query: TableQuery, *, limit: int | None = None) -> tuple[str, dict[str, Any]]:
    """One ``SELECT`` of the query's columns and its parameters, for psycopg2 (``cursor.execute``, ``mogrify``).

    Rows come in the table's order, which is ``_id``, or in the query's with ``_id`` behind it.
    """
    where, params = where_sql(query)
    columns = ", ".join(map(quoted, query.columns)) or "_id"
    table, order = quoted(query.resource_id), order_sql(query)
    # every name is quoted, every value bound
    sql = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {order} LIMIT %(limit)s"  # noqa: S608
    return sql, {**params, "limit": limit}


def where_sql(query: TableQuery) -> tuple[str, dict[str, Any]]:
    """The condition (``true`` when there is none) and its parameters."""
    params: dict[str, Any] = {}

    def bound(value: Any) -> str:
        name = f"p{len(params)}"
        params[name] = value
        return f"%({name})s"

    def condition(filter_: Filter) -> str:
        return _condition(cell_sql(query, filter_.column), filter_, bound)

    parts = [condition(filter_) for filter_ in query.filters if filter_.op != "eq"]
    for column in dict.fromkeys(filter_.column for filter_ in query.filters if filter_.op == "eq"):
        same = [f for f in query.filters if f.op == "eq" and f.column == column]
        parts.append("(" + " OR ".join(map(condition, same)) + ")")
    for word in query.words:
        pattern = bound(contains_pattern(word))
        parts.append("(" + " OR ".join(f"{cell_sql(query, name)} ILIKE {pattern}" for name in query.searched) + ")")
    return " AND ".join(parts) or "true", params


def order_sql(query: TableQuery) -> str:
    """Stable: rows that are equal in the query's order keep the table's."""
    keys = [f"{cell_sql(query, name)} {'DESC' if descending else 'ASC'} NULLS LAST" for name, descending in query.sort]
    return ", ".join([*keys, "_id"])


def quoted(name: str) -> str:
    """An identifier in a statement with psycopg2's placeholders."""
    return identifier(name).replace("%", "%%")


def cell_sql(query: TableQuery, name: str) -> str:
    """A column as it is compared and sorted. Other programs' tables have types that are neither (JSON): their text is.
    Of a column of texts PostgreSQL drops the cast, so that an index of it is used."""
    return f"{quoted(name)}::text" if name in query.searched else quoted(name)


def contains_pattern(text: str) -> str:
    """The pattern that finds ``text`` anywhere, with nothing in it that is a sign of patterns."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


_SIGNS: Final = {"eq": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def _condition(column: str, filter_: Filter, bound: Callable[[Any], str]) -> str:
    op, value = filter_.op, filter_.value
    if op == "empty":
        return f"{column} IS NULL"
    if op == "not_empty":
        return f"{column} IS NOT NULL"
    if op == "contains":
        return f"{column} ILIKE {bound(contains_pattern(str(value)))}"
    if isinstance(value, Period):
        return _condition_of_period(column, op, value, bound)
    if op == "ne":
        return f"{column} IS DISTINCT FROM {bound(value)}"
    return f"{column} {_SIGNS[op]} {bound(value)}"


def _condition_of_period(column: str, op: str, period: Period, bound: Callable[[Any], str]) -> str:
    if op in ("lt", "ge"):
        return f"{column} {_SIGNS[op]} {bound(period.start)}"
    if op in ("le", "gt"):
        return f"{column} {'<' if op == 'le' else '>='} {bound(period.end)}"
    inside = f"{column} >= {bound(period.start)} AND {column} < {bound(period.end)}"
    return f"({inside})" if op == "eq" else f"({inside}) IS NOT TRUE"
