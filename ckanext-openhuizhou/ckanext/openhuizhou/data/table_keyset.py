"""What lies behind a row, or in front of it, in a given order: the SQL of keyset paging.

Empty cells stand last, upwards and downwards. An index of the first column cannot be read so in both directions: in it
they lie at one end. Therefore the rows are read in two stretches, those with a value there and those without, and
each stretch has an order that the index has too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: SQL of a column, its name, whether it is descending.
Keys = Sequence[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows that are read one after the other: a condition with its parameters, and their order."""

    condition: str
    params: Mapping[str, Any]
    order: str


def stretches(keys: Keys, row: Mapping[Any, Any] | None, *, backward: bool = False) -> Iterator[Stretch]:
    """The rows behind ``row`` in their order, or those in front of it from back to front; of no row, all of them.

    ``row`` has ``_id`` and a value for each key.
    """
    if not keys:
        condition, params = _beyond(keys, row, backward=backward)
        yield Stretch(condition, params, _order(keys, backward=backward))
        return
    (column, name, _descending), rest = keys[0], keys[1:]
    at_empty = row is not None and row[name] is None
    filled = _filled(keys, None if at_empty else row, backward=backward)
    condition, params = _beyond(rest, row if at_empty else None, backward=backward)
    empty = Stretch(f"{column} IS NULL AND {condition}", params, _order(rest, backward=backward))
    if backward:
        if row is None or at_empty:
            yield empty
        yield filled
    else:
        if not at_empty:
            yield filled
        yield empty


def _filled(keys: Keys, row: Mapping[Any, Any] | None, *, backward: bool) -> Stretch:
    """The rows with a value in the first column. The bound repeats what the condition says, for the index to begin
    at."""
    column, _name, descending = keys[0]
    condition, params = _beyond(keys, row, backward=backward)
    if row is not None:
        condition = f"{column} {'<=' if descending != backward else '>='} %(k0)s AND {condition}"
    direction = "DESC" if descending != backward else "ASC"
    order = ", ".join([f"{column} {direction}", _order(keys[1:], backward=backward)])
    return Stretch(f"{column} IS NOT NULL AND {condition}", params, order)


def _order(keys: Keys, *, backward: bool) -> str:
    """The whole order, ``_id`` last: stable, and the same row for row from back to front."""
    parts = [
        f"{column} {'DESC' if descending != backward else 'ASC'} NULLS {'FIRST' if backward else 'LAST'}"
        for column, _name, descending in keys
    ]
    return ", ".join([*parts, "_id DESC" if backward else "_id"])


def _beyond(keys: Keys, row: Mapping[Any, Any] | None, *, backward: bool) -> tuple[str, dict[str, Any]]:
    """Rows beyond ``row``: later in the first key, or equal there and later in the next, and so on."""
    if row is None:
        return "true", {}
    params: dict[str, Any] = {"k_id": row["_id"]}
    ways: list[str] = []
    equal: list[str] = []
    for number, (column, name, descending) in enumerate(keys):
        value, key = row[name], f"k{number}"
        if value is None:
            if backward:
                ways.append(" AND ".join([*equal, f"{column} IS NOT NULL"]))
            equal.append(f"{column} IS NULL")
            continue
        params[key] = value
        sign = "<" if descending != backward else ">"
        empty = "" if backward else f" OR {column} IS NULL"
        ways.append(" AND ".join([*equal, f"({column} {sign} %({key})s{empty})"]))
        equal.append(f"{column} = %({key})s")
    ways.append(" AND ".join([*equal, f"_id {'<' if backward else '>'} %(k_id)s"]))
    return "(" + " OR ".join(f"({way})" for way in ways) + ")", params
