"""Each load of a table is a version: what was loaded, when, from where; its rows lie in a file (``data.versions``)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.model.database import engine

#: waiting: its rows lie as they were loaded. kept: as Parquet. dropped: older than the last N, its rows are gone.
STATES = ("waiting", "kept", "dropped")
_COLUMN_KEYS = ("name", "column", "data_type", "length", "scale", "unit", "is_key", "description")


class TableVersion(tk.BaseModel):
    """One row per load that changed the table. Times are UTC; ``digest`` is the SHA-256 of its CSV file.

    ``columns``: the items as they were. ``changes``: against the version before, see ``data.version_changes``.
    """

    __tablename__ = "openhuizhou_table_version"

    resource_id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    package_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, index=True)
    digest: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    rows: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, nullable=False)
    created: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False)
    run_id: Mapped[str | None] = mapped_column(sa.UnicodeText)
    job_id: Mapped[str | None] = mapped_column(sa.UnicodeText)
    state: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    file_size: Mapped[int | None] = mapped_column(sa.BigInteger)
    file_digest: Mapped[str | None] = mapped_column(sa.UnicodeText)
    changes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(Item.from_dict(values) for values in self.columns)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What there is to remember of a table that was published; ``run_id`` or ``job_id`` tells what loaded it."""

    resource_id: str
    package_id: str
    digest: str
    rows: int
    size_bytes: int
    columns: Sequence[Mapping[str, Any]]
    run_id: str | None = None
    job_id: str | None = None


def columns_of(items: Iterable[Item]) -> list[dict[str, Any]]:
    """The items as a version keeps them."""
    kept = ({key: getattr(item, key) for key in _COLUMN_KEYS} for item in items)
    return [
        {key: value for key, value in values.items() if value not in ("", None) and value is not False}
        for values in kept
    ]


#: A load of what is live already is no version of its own.
_INSERT = sa.text(
    "INSERT INTO openhuizhou_table_version"
    " (resource_id, number, package_id, digest, rows, size_bytes, columns, created, run_id, job_id, state)"
    " SELECT :resource_id, COALESCE(last.number, 0) + 1, :package_id, :digest, :rows, :size_bytes, :columns, :created,"
    " :run_id, :job_id, 'waiting' FROM (SELECT 1) AS one LEFT JOIN LATERAL (SELECT number, digest, columns"
    " FROM openhuizhou_table_version WHERE resource_id = :resource_id ORDER BY number DESC LIMIT 1) AS last ON true"
    " WHERE last.digest IS DISTINCT FROM :digest OR last.columns IS DISTINCT FROM :columns"
).bindparams(sa.bindparam("columns", type_=JSONB))


def add(connection: sa.Connection, loaded: Iterable[Loaded]) -> None:
    """In the transaction that records the load. The caller holds the publication lock of these resources."""
    now = utcnow()
    rows = [asdict(one) | {"columns": list(one.columns), "created": now} for one in loaded]
    if rows:
        connection.execute(_INSERT, rows)


def version(resource_id: str, number: int) -> TableVersion | None:
    return model.Session.get(TableVersion, (resource_id, number), populate_existing=True)


def versions(resource_id: str, limit: int | None = None, offset: int = 0) -> list[TableVersion]:
    """The newest first."""
    query = sa.select(TableVersion).where(TableVersion.resource_id == resource_id)
    query = query.order_by(TableVersion.number.desc()).limit(limit).offset(offset)
    return list(model.Session.scalars(query.execution_options(populate_existing=True)))


def count(resource_id: str) -> int:
    query = sa.select(sa.func.count()).where(TableVersion.resource_id == resource_id)
    return model.Session.execute(query).scalar_one()


def update(resource_id: str, number: int, **values: Any) -> None:
    """In a transaction of its own."""
    with engine().begin() as connection:
        table = sa.update(TableVersion).where(TableVersion.resource_id == resource_id, TableVersion.number == number)
        connection.execute(table.values(**values))


def forget(*resource_ids: str) -> None:
    """The resources have no table any more."""
    with engine().begin() as connection:
        connection.execute(sa.delete(TableVersion).where(TableVersion.resource_id.in_(resource_ids)))


def digests_in_use(resource_id: str, states: Collection[str] = ("waiting", "kept")) -> set[str]:
    """The digests of versions whose rows are still there."""
    query = sa.select(TableVersion.digest).where(TableVersion.resource_id == resource_id)
    return set(model.Session.scalars(query.where(TableVersion.state.in_(states))))
