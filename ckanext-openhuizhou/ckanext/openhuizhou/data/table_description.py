"""What describes a published table, in the forms that others read: data dictionary, Table Schema, CSV on the Web.

Everything is told by the table itself and by its profile; while that is being made, there are no examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ckanext.openhuizhou.data import profile
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.domain import csvw, table_dictionary, table_schema
from ckanext.openhuizhou.domain.column_profile import ColumnProfile
from ckanext.openhuizhou.domain.items import Item


@dataclass(frozen=True, slots=True)
class Description:
    """``columns`` in the table's order; ``profiles`` by column id, None while they are being made."""

    columns: tuple[Item, ...]
    profiles: Mapping[str, ColumnProfile] | None

    @property
    def examples(self) -> dict[str, tuple[str, ...]]:
        """Values that may be shown, by column id."""
        return {name: one.examples for name, one in (self.profiles or {}).items() if one.examples}

    @property
    def fractions(self) -> frozenset[str] | None:
        """Columns of moments with parts of a second; None where nobody has looked."""
        if self.profiles is None:
            return None
        return frozenset(name for name, one in self.profiles.items() if one.fractions)


def describe(resource_id: str) -> Description:
    """Raises LookupError when the resource has no table."""
    columns = columns_of(resource_id)
    kept = profile.current(resource_id)
    profiles = kept and {values["column"]: ColumnProfile.from_dict(values) for values in kept.columns}
    return Description(columns, profiles)


def dictionary_csv(resource_id: str) -> bytes:
    """The data dictionary as a CSV file with Chinese headers. Raises LookupError when there is no table."""
    told = describe(resource_id)
    return table_dictionary.as_csv(told.columns, told.examples)


def schema_json(resource_id: str, title: str = "") -> dict[str, Any]:
    """The Table Schema of the table's CSV file. Raises LookupError when there is no table."""
    told = describe(resource_id)
    return table_schema.table_schema(told.columns, title=title, examples=told.examples, fractions=told.fractions)


def csvw_json(resource_id: str, url: str, about: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The CSVW metadata of the table's CSV file at ``url``. Raises LookupError when there is no table."""
    told = describe(resource_id)
    return csvw.metadata(told.columns, url, about, told.fractions)
