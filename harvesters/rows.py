"""The rows of a record: the cells that an entry publishes, and when they changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from ckanext.openhuizhou.domain.city_time import to_city, utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import RecordRefused
from ckanext.openhuizhou.harvesters.links import utc_moment
from ckanext.openhuizhou.harvesters.mapping import MappedItem
from ckanext.openhuizhou.harvesters.records import Row

#: Clocks differ; what lies further ahead is a mistake that its department should know of.
_CLOCK_SKEW: Final = timedelta(days=1)


def cells_of(rows: Iterable[Row], items: Sequence[MappedItem], *, listed: bool) -> Iterator[list[object]]:
    """The cells of each row in the order of ``items``.

    Raises:
        RecordRefused: a listed column is not in the first row.
    """
    cells = [item.cell for item in items]
    for number, row in enumerate(rows):
        if number == 0 and listed:
            missing = [item for item in items if item.cell not in row]
            if missing:
                raise RecordRefused([Finding("column-missing", column=i.item.name, value=i.cell) for i in missing])
        yield [row.get(cell) for cell in cells]


def moment_of(modified: str | None) -> tuple[str, tuple[Finding, ...]]:
    """When the data changed, in UTC without zone as CKAN stores times; now when the source does not say, or says a
    time that is yet to come."""
    now = utcnow().replace(microsecond=0)
    moment = utc_moment(modified)
    if moment is None:
        return now.isoformat(), ()
    skewed = () if moment - now <= _CLOCK_SKEW else (Finding("modified-in-future", value=_in_city(moment)),)
    return min(moment, now).isoformat(), skewed


def _in_city(moment: datetime) -> str:
    return to_city(moment).strftime("%Y-%m-%d %H:%M")
