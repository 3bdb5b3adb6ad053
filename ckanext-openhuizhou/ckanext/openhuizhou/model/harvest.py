"""Sources, their runs, the state of each record, what was found, and what waits to be indexed.

Times are UTC without zone, as in CKAN's own tables. There is no foreign key into CKAN's tables.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import cache
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.domain.city_time import utcnow

#: queued → running → (paused →) (held →) done | failed | cancelled
RUN_STATES = ("queued", "running", "paused", "held", "done", "failed", "cancelled")
#: A source has one run in these states at most.
ACTIVE_STATES = ("queued", "running", "paused")
#: normal: as little as possible. full: nothing that was remembered counts. dry: writes nothing, says what would be.
RUN_MODES = ("normal", "full", "dry")
TRIGGERS = ("person", "schedule", "command")
#: published: in the catalogue. pending: written, its table is not yet. withdrawn: gone from the source.
#: refused: breaks a rule. failed: could not be read or written. superseded: a source of higher priority has the entry.
RECORD_STATES = ("published", "pending", "withdrawn", "refused", "failed", "superseded")
COUNTERS = ("added", "changed", "unchanged", "withdrawn", "refused", "failed")
#: When the department is told of a run by mail.
NOTIFY = ("always", "change", "error", "never")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    """The condition of a CHECK."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


_NAMESPACE = uuid.UUID("5f5c1d0e-6f0b-5d0a-9d0e-0b6f4f70656e")


def source_id_of(name: str) -> str:
    """A source's id comes from its name, so that the entries' ids are the same on every site that reads it."""
    return str(uuid.uuid5(_NAMESPACE, name))


@cache
def _namespace(source_id: str) -> uuid.UUID:
    return uuid.UUID(source_id)


def dataset_id_of(source_id: str, key: str, number: int = 1) -> str:
    """The id of the entry that a record becomes; writing it twice cannot make two.

    ``number``: from 2 on for a record whose earlier entry belongs to another source now.
    """
    more = "" if number == 1 else f"\0{number}"
    return str(uuid.uuid5(_namespace(source_id), f"dataset:{key}{more}"))


def resource_id_of(source_id: str, key: str) -> str:
    """The id of the resource that holds the record's table."""
    return str(uuid.uuid5(_namespace(source_id), f"resource:{key}"))


def link_id_of(source_id: str, key: str, url: str) -> str:
    """The id of the resource that points to a file of the record; a new name leaves it as it is."""
    return str(uuid.uuid5(_namespace(source_id), f"link:{key}{url}"))


class Source(tk.BaseModel):
    """A department's system. ``config`` and ``mapping`` are as in the YAML file, variables not filled in.

    ``secrets``: option path → what stands there, encrypted. ``next_run``: when the schedule is due next (UTC).
    ``approved``: by a platform officer, for this configuration and mapping. ``active``: the schedule counts.
    ``seed_digest``: digest of the file that the row was made from; an edited row differs from it.
    ``state``: what the kind remembers of the source as a whole (an ETag).
    """

    __tablename__ = "openhuizhou_source"

    id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    name: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, unique=True)
    title: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    organization_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, index=True)
    kind: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    priority: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=100)
    approved: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    active: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    schedule: Mapped[str | None] = mapped_column(sa.UnicodeText)
    config: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    secrets: Mapped[dict[str, str]] = mapped_column(JSONB, nullable=False, default=dict)
    notify: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, default="error")
    contact_email: Mapped[str | None] = mapped_column(sa.UnicodeText)
    approved_by: Mapped[str | None] = mapped_column(sa.UnicodeText)
    approved_at: Mapped[datetime | None] = mapped_column(sa.DateTime)
    next_run: Mapped[datetime | None] = mapped_column(sa.DateTime)
    seed_digest: Mapped[str | None] = mapped_column(sa.UnicodeText)
    state: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, default=dict)
    state_mapping: Mapped[str | None] = mapped_column(sa.UnicodeText)
    last_good_run_at: Mapped[datetime | None] = mapped_column(sa.DateTime)
    created: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, default=utcnow)
    modified: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, default=utcnow)

    __table_args__ = (
        sa.Index("ix_openhuizhou_source_due", "next_run", postgresql_where=sa.text("active AND next_run IS NOT NULL")),
        sa.CheckConstraint(_one_of("notify", NOTIFY), name="ck_openhuizhou_source_notify"),
    )


class Run(tk.BaseModel):
    """One reading of a source. ``worker`` may write while ``lease_until`` lies ahead.

    ``checkpoint``: records gone through, of ``total`` if the source says how many it has. ``rules``: how many records
    were found changed or unchanged by which rule. ``requests``: asked of the source. ``control``: what a person wants
    of a run that is under way (pause, cancel). ``decision``: on a held run (approved, refused), by whom and when.
    ``claimed``: when the worker that has it now took it, with ``claimed_at_record`` records settled by then.
    ``workers_lost``: how many in a row ended in it without settling a record.
    """

    __tablename__ = "openhuizhou_run"

    id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True, default=lambda: str(uuid.uuid4()))
    source_id: Mapped[str] = mapped_column(
        sa.UnicodeText, sa.ForeignKey("openhuizhou_source.id", ondelete="CASCADE"), nullable=False
    )
    mode: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, default="normal")
    state: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, default="queued")
    created: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, default=utcnow)
    started: Mapped[datetime | None] = mapped_column(sa.DateTime)
    finished: Mapped[datetime | None] = mapped_column(sa.DateTime)
    worker: Mapped[str | None] = mapped_column(sa.UnicodeText)
    heartbeat: Mapped[datetime | None] = mapped_column(sa.DateTime)
    lease_until: Mapped[datetime | None] = mapped_column(sa.DateTime)
    checkpoint: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    added: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    changed: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    unchanged: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    withdrawn: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    refused: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    failed: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    total: Mapped[int | None] = mapped_column(sa.Integer)
    requests: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    rules: Mapped[dict[str, int]] = mapped_column(JSONB, nullable=False, default=dict)
    trigger: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, default="person")
    requested_by: Mapped[str | None] = mapped_column(sa.UnicodeText)
    control: Mapped[str | None] = mapped_column(sa.UnicodeText)
    decision: Mapped[str | None] = mapped_column(sa.UnicodeText)
    decided_by: Mapped[str | None] = mapped_column(sa.UnicodeText)
    decided_at: Mapped[datetime | None] = mapped_column(sa.DateTime)
    claimed: Mapped[datetime | None] = mapped_column(sa.DateTime)
    claimed_at_record: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    workers_lost: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)

    __table_args__ = (
        sa.CheckConstraint(_one_of("state", RUN_STATES), name="ck_openhuizhou_run_state"),
        sa.CheckConstraint(_one_of("mode", RUN_MODES), name="ck_openhuizhou_run_mode"),
        sa.CheckConstraint(_one_of("trigger", TRIGGERS), name="ck_openhuizhou_run_trigger"),
        sa.CheckConstraint("control IN ('pause', 'cancel')", name="ck_openhuizhou_run_control"),
        sa.CheckConstraint("decision IN ('approved', 'refused')", name="ck_openhuizhou_run_decision"),
        sa.Index("ix_openhuizhou_run_held", "source_id", postgresql_where=sa.text("state = 'held'")),
        sa.Index("ix_openhuizhou_run_waiting", "created", postgresql_where=sa.text("state IN ('queued', 'running')")),
        sa.Index("ix_openhuizhou_run_source_created", "source_id", "created"),
        sa.Index("ix_openhuizhou_run_created", "created"),
        # one source is read by one run at a time
        sa.Index(
            "uq_openhuizhou_run_active",
            "source_id",
            unique=True,
            postgresql_where=sa.text("state IN ('queued', 'running', 'paused')"),
        ),
    )


class Record(tk.BaseModel):
    """The current state of one source record; one row per key, however often it is read.

    ``hash`` is what was last published; None makes the next run write again. ``refused_hash``: what was last refused,
    with ``findings``. ``columns``: the columns that were published, as ``[[column, data_type], …]``; ``held_columns``:
    those that wait for a person. ``payload_digest``: of the record as the source sent it, so that an unchanged one
    need not be mapped. ``rule``: what told that it changed, or did not.
    """

    __tablename__ = "openhuizhou_record"

    source_id: Mapped[str] = mapped_column(
        sa.UnicodeText, sa.ForeignKey("openhuizhou_source.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    state: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    title: Mapped[str | None] = mapped_column(sa.UnicodeText)
    dataset_id: Mapped[str | None] = mapped_column(sa.UnicodeText)
    hash: Mapped[str | None] = mapped_column(sa.UnicodeText)
    refused_hash: Mapped[str | None] = mapped_column(sa.UnicodeText)
    data_digest: Mapped[str | None] = mapped_column(sa.UnicodeText)
    mapping_digest: Mapped[str | None] = mapped_column(sa.UnicodeText)
    columns: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    held_columns: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    payload_digest: Mapped[str | None] = mapped_column(sa.UnicodeText)
    rule: Mapped[str | None] = mapped_column(sa.UnicodeText)
    kind_state: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, default=dict)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, nullable=False, default=list)
    last_result: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    last_run_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    first_seen: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, default=utcnow)
    last_seen: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, default=utcnow)

    __table_args__ = (
        sa.CheckConstraint(_one_of("state", RECORD_STATES), name="ck_openhuizhou_record_state"),
        sa.Index("ix_openhuizhou_record_sweep", "source_id", "last_run_id"),
        sa.Index("ix_openhuizhou_record_held", "source_id", postgresql_where=sa.text("held_columns IS NOT NULL")),
        sa.Index(
            "uq_openhuizhou_record_dataset",
            "dataset_id",
            unique=True,
            postgresql_where=sa.text("dataset_id IS NOT NULL"),
        ),
    )


class RunFinding(tk.BaseModel):
    """Something found in a run (``domain.findings.Finding``); ``record`` is None when it is about the source."""

    __tablename__ = "openhuizhou_finding"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(
        sa.UnicodeText, sa.ForeignKey("openhuizhou_run.id", ondelete="CASCADE"), nullable=False
    )
    kind: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    severity: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    record: Mapped[str | None] = mapped_column(sa.UnicodeText)
    title: Mapped[str | None] = mapped_column(sa.UnicodeText)
    field: Mapped[str | None] = mapped_column(sa.UnicodeText)
    row: Mapped[int | None] = mapped_column(sa.BigInteger)
    column: Mapped[str | None] = mapped_column(sa.UnicodeText)
    value: Mapped[str | None] = mapped_column(sa.UnicodeText)
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, default=dict)

    __table_args__ = (sa.Index("ix_openhuizhou_finding_run", "run_id", "id"),)


class Difference(tk.BaseModel):
    """What a dry run would do to one record, or which entries a held run would withdraw.

    ``action``: added, changed, withdrawn, refused. ``changes``: ``[{"field", "before", "after"}, …]``.
    """

    __tablename__ = "openhuizhou_difference"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(
        sa.UnicodeText, sa.ForeignKey("openhuizhou_run.id", ondelete="CASCADE"), nullable=False
    )
    record: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    title: Mapped[str | None] = mapped_column(sa.UnicodeText)
    dataset_id: Mapped[str | None] = mapped_column(sa.UnicodeText)
    action: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, nullable=False, default=list)

    __table_args__ = (sa.Index("ix_openhuizhou_difference_run", "run_id", "id"),)


class RunNotice(tk.BaseModel):
    """A mail about a run that is to be sent, written in the transaction that ends the run."""

    __tablename__ = "openhuizhou_run_notice"

    run_id: Mapped[str] = mapped_column(
        sa.UnicodeText, sa.ForeignKey("openhuizhou_run.id", ondelete="CASCADE"), primary_key=True
    )
    recipient: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    created: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, default=utcnow)
    attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    next_attempt: Mapped[datetime | None] = mapped_column(sa.DateTime, default=utcnow)
    sent: Mapped[datetime | None] = mapped_column(sa.DateTime)
    error: Mapped[str | None] = mapped_column(sa.UnicodeText)

    __table_args__ = (
        sa.Index("ix_openhuizhou_run_notice_due", "next_attempt", postgresql_where=sa.text("next_attempt IS NOT NULL")),
    )


class Outbox(tk.BaseModel):
    """A dataset whose committed change is not in the index yet."""

    __tablename__ = "openhuizhou_outbox"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=True)
    package_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    created: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, server_default=sa.func.now())


def record_of_table(package_id: str, resource_id: str) -> sa.RowMapping | None:
    """``source_id`` and ``key`` of the record whose table it is; an entry may also have tables of its officers' own."""
    table = Record.__table__
    query = sa.select(table.c.source_id, table.c.key).where(table.c.dataset_id == package_id)
    record = model.Session.execute(query).mappings().first()
    return record if record and resource_id_of(record["source_id"], record["key"]) == resource_id else None
