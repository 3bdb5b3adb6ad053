"""What the profile of a table tells a chart's or a map's first guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from ckanext.openhuizhou.domain.chart_guess import Facts
from ckanext.openhuizhou.domain.column_profile import ColumnProfile
from ckanext.openhuizhou.domain.column_roles import NUMERIC
from ckanext.openhuizhou.model import table_profile


@dataclass(frozen=True, slots=True)
class TableFacts:
    """By column id: how many values, the least figure, the most frequent values. ``rows`` is None without a profile."""

    columns: Mapping[str, Facts] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: int | None = None


def facts_of(resource_id: str, digest: str) -> TableFacts:
    """From the profile of exactly this load; nothing while it is being made."""
    known = table_profile.profile_of(resource_id)
    if known is None or not digest or known.digest != digest:
        return TableFacts()
    columns = [ColumnProfile.from_dict(column) for column in known.columns]
    facts = {column.column: Facts(column.distinct, _low(column)) for column in columns}
    values = {column.column: tuple(value for value, _count in column.top) for column in columns if column.top}
    return TableFacts(facts, values, known.rows)


def _low(column: ColumnProfile) -> Decimal | None:
    return Decimal(column.minimum) if column.minimum is not None and column.data_type in NUMERIC else None
