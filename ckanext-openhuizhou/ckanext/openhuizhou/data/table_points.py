"""A table's coordinates for a map: the places themselves while they are few, else how many are in each square.

What is outside of Huizhou, and what has no coordinates, is counted and not drawn. Both axes of a square are in the
table's own coordinate system; only what is drawn is turned into CGCS2000.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ckanext.openhuizhou.data.table_query import TableQuery, quoted, where_sql
from ckanext.openhuizhou.data.table_reading import reading
from ckanext.openhuizhou.domain.coordinates import EAST, NORTH, SOUTH, WEST, Pair, to_cgcs2000

#: Places that are drawn, and listed beside the map.
MOST_PLACES: Final = 2000
#: Side of a square in degrees, about four kilometres: at most two thousand squares cover the city.
SQUARE: Final = 0.04


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees in CGCS2000, as drawn; ``rows`` is 1 for a single place, more for a square (``label`` is empty)."""

    longitude: float
    latitude: float
    label: str
    value: Decimal | None
    rows: int


@dataclass(frozen=True, slots=True)
class Places:
    """``outside``: rows whose coordinates are not in Huizhou, ``swapped`` of them would be if they changed places;
    ``without``: rows that lack one. ``squares`` when the places are put together.
    """

    places: tuple[Place, ...]
    rows: int
    inside: int
    outside: int
    swapped: int
    without: int
    squares: bool


def places_of(query: TableQuery, pair: Pair, label: str = "", value: str = "") -> Places:
    """The rows of ``query`` as places. ``label`` and ``value`` are columns to show with each, or empty.

    Raises:
        ReadTimedOut: it takes longer than a page may.
        LookupError: the table, or a column of it, is gone.
    """
    where, params = where_sql(query)
    params |= {"west": WEST, "east": EAST, "south": SOUTH, "north": NORTH}
    table, x, y = quoted(query.resource_id), quoted(pair.longitude.column), quoted(pair.latitude.column)
    inside = f"({x} BETWEEN %(west)s AND %(east)s AND {y} BETWEEN %(south)s AND %(north)s)"
    swapped = f"({y} BETWEEN %(west)s AND %(east)s AND {x} BETWEEN %(south)s AND %(north)s)"
    counted = f"""
        SELECT count(*), count(*) FILTER (WHERE {inside}), count(*) FILTER (WHERE {x} IS NULL OR {y} IS NULL),
               count(*) FILTER (WHERE {swapped})
        FROM {table} WHERE {where}
    """  # noqa: S608 - every name is quoted, every value bound
    with reading() as connection:
        rows, within, without, turned = connection.exec_driver_sql(counted, params).one()
        squares = within > MOST_PLACES
        texts = (f"{quoted(label)}::text" if label else "''", quoted(value) if value else "NULL::numeric")
        statement = (
            f"SELECT avg({x}), avg({y}), '', NULL::numeric, count(*) FROM {table} WHERE ({where}) AND {inside}"  # noqa: S608
            f" GROUP BY floor({x} / {SQUARE}), floor({y} / {SQUARE}) ORDER BY count(*) DESC, 1, 2"
            if squares
            else f"SELECT {x}, {y}, {texts[0]}, {texts[1]}, 1 FROM {table} WHERE ({where}) AND {inside} ORDER BY _id"  # noqa: S608
        )
        found = connection.exec_driver_sql(statement, params).all()
    return Places(
        tuple(_place(row, pair.system) for row in found),
        rows,
        within,
        rows - within - without,
        turned,
        without,
        squares,
    )


def _place(row: Any, system: str) -> Place:
    longitude, latitude = to_cgcs2000(float(row[0]), float(row[1]), system)
    value = None if row[3] is None else Decimal(row[3])
    return Place(round(longitude, 6), round(latitude, 6), row[2] or "", value, row[4])
