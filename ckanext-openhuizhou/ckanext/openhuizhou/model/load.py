"""The last load of each table: was it read successfully, how much, when, and if not, why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.model import data_job, table_version
from ckanext.openhuizhou.model.database import engine

Verdict = Literal["ok", "failed"]


class Load(tk.BaseModel):
    """One row per resource. ``rows``, ``digest`` and ``loaded_at`` (UTC) tell of the last successful load."""

    __tablename__ = "openhuizhou_load"

    resource_id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    package_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, index=True)
    verdict: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    rows: Mapped[int | None] = mapped_column(sa.BigInteger)
    digest: Mapped[str | None] = mapped_column(sa.UnicodeText)
    size_bytes: Mapped[int | None] = mapped_column(sa.BigInteger)
    loaded_at: Mapped[datetime | None] = mapped_column(sa.DateTime)
    checked_at: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, nullable=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """What loaded a table: a run of the harvest, or a job."""

    run_id: str | None = None
    job_id: str | None = None


UNKNOWN = Origin()


@dataclass(frozen=True, slots=True)
class Published:
    """What there is to remember of a table that was published; ``changed`` is False when it was live before."""

    resource_id: str
    package_id: str
    rows: int
    digest: str
    size_bytes: int
    findings: Sequence[Mapping[str, Any]]
    columns: Sequence[Item] = ()
    changed: bool = True
    origin: Origin = UNKNOWN


def record_ok(*published: Published) -> None:
    """These tables were published: their verdicts, their versions, and that what follows from them is to be made.
    Commits in a transaction of its own."""
    now = utcnow()
    kept = ("resource_id", "package_id", "rows", "digest", "size_bytes", "findings")
    times = {"verdict": "ok", "loaded_at": now, "checked_at": now}
    changed = [one for one in published if one.changed]
    with engine().begin() as connection:
        _upsert(connection, [{name: getattr(one, name) for name in kept} | times for one in published])
        table_version.add(connection, (_version(one) for one in changed))
        data_job.queue_derives(connection, ((one.resource_id, one.package_id) for one in changed))


def _version(one: Published) -> table_version.Loaded:
    columns = table_version.columns_of(one.columns)
    known = (one.resource_id, one.package_id, one.digest, one.rows, one.size_bytes, columns)
    return table_version.Loaded(*known, one.origin.run_id, one.origin.job_id)


def record_failed(resource_id: str, package_id: str, findings: Sequence[Mapping[str, Any]]) -> None:
    """A load was refused or broke; what is known of the last good one stays. Commits in a transaction of its own."""
    values = {"resource_id": resource_id, "package_id": package_id, "verdict": "failed", "checked_at": utcnow()}
    with engine().begin() as connection:
        _upsert(connection, [values | {"findings": [dict(finding) for finding in findings]}])


def forget(resource_id: str) -> None:
    """The resource has no table any more."""
    with engine().begin() as connection:
        connection.execute(sa.delete(Load).where(Load.resource_id == resource_id))


def load_of(resource_id: str) -> Load | None:
    """The resource's last load, read anew: loads are written by transactions of their own."""
    return model.Session.get(Load, resource_id, populate_existing=True)


def digests() -> dict[str, str | None]:
    """The digest of each resource's last successful load, by resource id."""
    return dict(model.Session.execute(sa.select(Load.resource_id, Load.digest)).tuples().all())


def package_of(resource_id: str) -> str | None:
    """The package of a resource that has no load yet."""
    return model.Session.execute(
        sa.select(model.Resource.package_id).where(model.Resource.id == resource_id)
    ).scalar_one_or_none()


def verdicts(package_ids: Iterable[str]) -> dict[str, Verdict]:
    """Each package's verdict: ``failed`` when any of its tables failed. Packages without tables are absent."""
    query = sa.select(Load.package_id, sa.func.bool_and(Load.verdict == "ok")).where(
        Load.package_id.in_(list(package_ids))
    )
    return {
        package_id: "ok" if all_ok else "failed"
        for package_id, all_ok in model.Session.execute(query.group_by(Load.package_id))
    }


def _upsert(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """``rows`` name the same columns; what they do not name stays."""
    statement = insert(Load).values(rows)
    changed = {name: statement.excluded[name] for name in rows[0] if name != "resource_id"}
    connection.execute(statement.on_conflict_do_update(index_elements=[Load.resource_id], set_=changed))
