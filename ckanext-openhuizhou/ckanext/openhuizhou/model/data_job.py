"""Work on tables that waits, is done, or was done: loads that a person asked for, and what follows from any load.

A resource is worked on by one job at a time. Loads of one resource are done in the order in which they were asked for;
of what is derived from a table, one waits at most, however often the table was published meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.domain.city_time import utcnow

KINDS: Final = ("load", "derive")
#: replace: the file's rows are the table. append: they come behind the table's. upsert: by key, they take the place of
#: the table's, or come behind them.
MODES: Final = ("replace", "append", "upsert")
#: held: the checks keep the table back until an officer decides. refused: the file breaks a rule. failed: it could not
#: be loaded for a reason that is not the file's.
STATES: Final = ("queued", "running", "held", "done", "refused", "failed", "cancelled")
ACTIVE: Final = ("queued", "running")
#: What a worker is at: reading the file, publishing what was read.
STEPS: Final = ("staging", "publishing")


class DataJob(tk.BaseModel):
    """One piece of work. ``worker`` may write while ``lease_until`` lies ahead. Times are UTC.

    ``file_name``: as the person's machine called it. ``attempts``: workers that have taken it. ``control``: ``cancel``
    when a person asks a running job to stop. ``digest``: of the table that it is about to publish, or has published.
    ``rows``: read so far, in the end those of the table.
    """

    __tablename__ = "openhuizhou_data_job"

    id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True, default=lambda: str(uuid.uuid4()))
    resource_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    package_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    kind: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    state: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, default="queued")
    mode: Mapped[str | None] = mapped_column(sa.UnicodeText)
    file_name: Mapped[str | None] = mapped_column(sa.UnicodeText)
    digest: Mapped[str | None] = mapped_column(sa.UnicodeText)
    requested_by: Mapped[str | None] = mapped_column(sa.UnicodeText)
    created: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, default=utcnow)
    started: Mapped[datetime | None] = mapped_column(sa.DateTime)
    finished: Mapped[datetime | None] = mapped_column(sa.DateTime)
    worker: Mapped[str | None] = mapped_column(sa.UnicodeText)
    lease_until: Mapped[datetime | None] = mapped_column(sa.DateTime)
    control: Mapped[str | None] = mapped_column(sa.UnicodeText)
    attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    step: Mapped[str | None] = mapped_column(sa.UnicodeText)
    rows: Mapped[int | None] = mapped_column(sa.BigInteger)
    bytes_total: Mapped[int | None] = mapped_column(sa.BigInteger)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, nullable=False, default=list)


_QUEUE_DERIVES: Final = sa.text(
    "INSERT INTO openhuizhou_data_job (id, resource_id, package_id, kind, state, created)"
    " SELECT CAST(gen_random_uuid() AS text), resource_id, package_id, 'derive', 'queued', :now"
    " FROM unnest(CAST(:resource_ids AS text[]), CAST(:package_ids AS text[])) AS published (resource_id, package_id)"
    # in one order everywhere, so that two who publish the same tables do not wait for each other
    " ORDER BY resource_id"
    " ON CONFLICT (resource_id) WHERE kind = 'derive' AND state = 'queued' DO NOTHING"
)


def queue_derives(connection: sa.Connection, published: Iterable[tuple[str, str]]) -> None:
    """What follows from these tables, ``(resource id, package id)``, is to be made, in the caller's transaction."""
    of = dict(published)
    if of:
        given = {"now": utcnow(), "resource_ids": list(of), "package_ids": list(of.values())}
        connection.execute(_QUEUE_DERIVES, given)


def job_of(job_id: object) -> DataJob | None:
    """The job, read anew: workers write by transactions of their own."""
    return model.Session.get(DataJob, job_id, populate_existing=True) if isinstance(job_id, str) else None


def loads(limit: int, offset: int, **where: Any) -> tuple[int, Sequence[DataJob]]:
    """How many loads there are with these values of columns, and a page of them, the newest first. A list of values
    means any of them."""
    conditions = [DataJob.kind == "load"]
    for name, value in where.items():
        column = getattr(DataJob, name)
        conditions.append(column.in_(value) if isinstance(value, (list, tuple, set)) else column == value)
    count = model.Session.execute(sa.select(sa.func.count()).select_from(DataJob).where(*conditions)).scalar_one()
    page = sa.select(DataJob).where(*conditions).order_by(DataJob.created.desc(), DataJob.id)
    page = page.limit(limit).offset(offset).execution_options(populate_existing=True)
    return count, model.Session.scalars(page).all()


def forget(resource_id: str) -> None:
    """The resource is gone, and what was to be done about it, in the session's transaction."""
    model.Session.execute(sa.delete(DataJob).where(DataJob.resource_id == resource_id))
