"""The profile of a table: what each column holds, counted by PostgreSQL once per load.

The table is read in few passes. One counts what can be added up, for all columns. One counts the values of all columns
that have few of them: whatever else there is to know of these follows from the counts. A column of many values is
grouped by itself, for how many there are and the most frequent ones; one more pass gives the quantiles of such columns
and a last one their histograms. Each pass is a transaction of its own, so that a load that swaps the table waits for
one pass at most; a profile of a table that was swapped meanwhile is not kept.

Above ``SAMPLED_ABOVE`` rows a sample of blocks is read instead, and the profile says so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import identifier

from ckanext.openhuizhou.data import datastore_tables
from ckanext.openhuizhou.data.profile_passes import Counting, Passes
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.data.table_reading import reading
from ckanext.openhuizhou.domain.column_profile import NUMBERS, TIMES, ColumnProfile, guarded
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.model import table_profile

log = logging.getLogger(__name__)

#: Columns with so few values, by the planner's statistics, are counted value by value.
FEW_VALUES: Final = 5000
#: Rows that are all read; of a larger table, blocks with about ``SAMPLE`` rows.
SAMPLED_ABOVE: Final = 5_000_000
SAMPLE: Final = 1_000_000


def derive(resource_id: str) -> None:
    """Count the columns of a published table anew, unless its present rows and labels were counted already."""
    mark = datastore_tables.live_mark(resource_id)
    if mark is None:
        return
    kept = table_profile.profile_of(resource_id)
    if kept is not None and (kept.digest, kept.dictionary) == (mark["digest"], mark["dictionary"]):
        return
    began = time.monotonic()
    try:
        made = profile(resource_id, mark["rows"])
    except LookupError:
        made = None  # another load has swapped the columns away, and asked for a profile of its own
    if made is None or datastore_tables.live_mark(resource_id) != mark:
        log.info("Table %s was loaded again while it was counted", resource_id)
        return
    table_profile.keep(
        resource_id,
        digest=mark["digest"],
        dictionary=mark["dictionary"],
        rows=mark["rows"],
        sampled=made.sampled,
        columns=[column.as_dict() for column in made.columns],
        seconds=round(time.monotonic() - began, 3),
    )


@dataclass(frozen=True, slots=True)
class Made:
    """A profile; ``sampled``: the rows that were read, where not all of them were."""

    columns: tuple[ColumnProfile, ...]
    sampled: int | None


def profile(resource_id: str, rows: int, *, sampled_above: int = SAMPLED_ABOVE, sample: int = SAMPLE) -> Made:
    """Count the columns of a table that has about ``rows`` rows.

    Raises:
        LookupError: the table is not there, or it was swapped meanwhile for one of other columns.
        ReadTimedOut: a pass took longer than two minutes.
    """
    items = columns_of(resource_id)
    source = identifier(resource_id)
    if rows > sampled_above:
        # always the same blocks, so that all passes tell of the same rows
        source += f" TABLESAMPLE SYSTEM ({100 * sample / rows:.6f}) REPEATABLE (1)"
    passes = Passes(source, items, rows > sampled_above)
    counted = passes.totals()
    columns = [Counting(item, passes.present[item.column], total) for item, total in zip(items, counted, strict=True)]
    estimates = _estimates(resource_id, rows)
    few = [one for one in columns if one.present and _is_few(one.item, estimates, passes.rows)]
    passes.count_values(few)
    many = [one for one in columns if one.present and one.values is None]
    for one in many:
        passes.count_many(one, estimates.get(one.item.column))
    passes.spread([one for one in many if one.item.data_type in NUMBERS | TIMES])
    for one in columns if passes.is_sample else ():
        one.distinct, one.estimated = max(one.distinct, estimates.get(one.item.column, 0)), True
    made = tuple(guarded(one.profile(passes.rows), one.item, items) for one in columns)
    return Made(made, passes.rows if passes.is_sample else None)


def _is_few(item: Item, estimates: Mapping[str, int], rows: int) -> bool:
    return item.data_type == "boolean" or min(rows, estimates.get(item.column, rows)) <= FEW_VALUES


def _estimates(resource_id: str, rows: int) -> dict[str, int]:
    """How many values the columns have, as the planner believes since the table was loaded."""
    query = sa.text("SELECT attname, n_distinct FROM pg_stats WHERE schemaname = 'public' AND tablename = :name")
    with reading() as connection:
        found = connection.execute(query, {"name": resource_id}).tuples().all()
    return {name: int(number if number >= 0 else -number * rows) for name, number in found if number}


def current(resource_id: str) -> table_profile.TableProfile | None:
    """The profile of the table that is live now; None while it is being made."""
    kept = table_profile.profile_of(resource_id)
    mark = datastore_tables.live_mark(resource_id) if kept is not None else None
    if kept is None or mark is None or (kept.digest, kept.dictionary) != (mark["digest"], mark["dictionary"]):
        return None
    return kept
