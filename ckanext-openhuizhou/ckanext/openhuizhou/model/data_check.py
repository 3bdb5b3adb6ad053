"""What the checks of each table's rows found last, and how strict they are in which entry.

The checks themselves are declared in ``schemas/data_checks.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.model.database import engine

Decision = Literal["publish", "discard"]


class CheckRule(tk.BaseModel):
    """How strict one check is in one entry, where it differs from the default. ``threshold``: findings that are
    tolerated; below 1 a share of the rows, from 1 on a number. ``changed_by``: a user id."""

    __tablename__ = "openhuizhou_check_rule"

    package_id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    check: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    level: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    threshold: Mapped[Decimal | None] = mapped_column(sa.Numeric)
    changed_by: Mapped[str | None] = mapped_column(sa.UnicodeText)
    changed_at: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False)


class DataCheck(tk.BaseModel):
    """The last check of one table. ``digest``: SHA-256 of the rows' CSV file, None when they were refused before it was
    whole; ``results``: see ``domain.table_checks.Result``; ``checked_at``, ``decided_at``: UTC."""

    __tablename__ = "openhuizhou_data_check"

    resource_id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    package_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, index=True)
    verdict: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    digest: Mapped[str | None] = mapped_column(sa.UnicodeText)
    rows: Mapped[int | None] = mapped_column(sa.BigInteger)
    bad_rows: Mapped[int | None] = mapped_column(sa.BigInteger)
    results: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, nullable=False)
    checked_at: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False)
    decision: Mapped[str | None] = mapped_column(sa.UnicodeText)
    decided_by: Mapped[str | None] = mapped_column(sa.UnicodeText)
    decided_at: Mapped[datetime | None] = mapped_column(sa.DateTime)


def rules_of(package_id: str) -> dict[str, tuple[str, Decimal | None]]:
    """What this entry's officers changed: check → level and threshold."""
    query = sa.select(CheckRule.check, CheckRule.level, CheckRule.threshold).where(CheckRule.package_id == package_id)
    with engine().connect() as connection:
        return {check: (level, threshold) for check, level, threshold in connection.execute(query)}


def set_rules(package_id: str, rules: Mapping[str, tuple[str, Decimal | None]], by: str | None) -> None:
    """Keep these rules and forget all others of the entry, in the session's transaction."""
    model.Session.execute(sa.delete(CheckRule).where(CheckRule.package_id == package_id))
    now = utcnow()
    for check, (level, threshold) in rules.items():
        model.Session.add(
            CheckRule(
                package_id=package_id,
                check=check,
                level=level,
                threshold=threshold,
                changed_by=by,
                changed_at=now,
            )
        )


def check_of(resource_id: str) -> DataCheck | None:
    """The last check of a resource's rows, read anew: checks are written by transactions of their own."""
    return model.Session.get(DataCheck, resource_id, populate_existing=True)


def record_check(
    resource_id: str,
    package_id: str,
    *,
    verdict: str,
    digest: str | None,
    rows: int,
    bad_rows: int,
    results: Sequence[Mapping[str, Any]],
) -> None:
    """Keep what a check found, in the place of the one before. Commits in a transaction of its own."""
    values: dict[str, Any] = {
        "package_id": package_id,
        "verdict": verdict,
        "digest": digest,
        "rows": rows,
        "bad_rows": bad_rows,
        "results": [dict(result) for result in results],
        "checked_at": utcnow(),
        "decision": None,
        "decided_by": None,
        "decided_at": None,
    }
    statement = insert(DataCheck).values(resource_id=resource_id, **values)
    with engine().begin() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=[DataCheck.resource_id], set_=values))


def decision_on(resource_id: str, digest: str) -> str | None:
    """What was decided about exactly these rows, if anything was."""
    query = sa.select(DataCheck.decision).where(DataCheck.resource_id == resource_id, DataCheck.digest == digest)
    with engine().connect() as connection:
        return connection.execute(query).scalar_one_or_none()


def decide(resource_id: str, digest: str, decision: Decision, by: str | None) -> bool:
    """Keep a decision about rows that are held. False when they are not, or not any more: another load has come, or
    somebody else was faster. Commits in a transaction of its own."""
    statement = (
        sa.update(DataCheck)
        .where(
            DataCheck.resource_id == resource_id,
            DataCheck.digest == digest,
            DataCheck.verdict == "held",
            DataCheck.decision.is_(None),
        )
        .values(decision=decision, decided_by=by, decided_at=utcnow())
    )
    with engine().begin() as connection:
        return connection.execute(statement).rowcount == 1


def reopen(resource_id: str, digest: str) -> None:
    """Take a decision back that could not be carried out. Commits in a transaction of its own."""
    statement = (
        sa.update(DataCheck)
        .where(DataCheck.resource_id == resource_id, DataCheck.digest == digest)
        .values(decision=None, decided_by=None, decided_at=None)
    )
    with engine().begin() as connection:
        connection.execute(statement)


def held() -> frozenset[str]:
    """Ids of the resources whose staged table waits for an officer."""
    query = sa.select(DataCheck.resource_id).where(DataCheck.verdict == "held", DataCheck.decision.is_(None))
    with engine().connect() as connection:
        return frozenset(connection.execute(query).scalars())


def forget(resource_id: str) -> None:
    """The resource has no table any more. Commits in a transaction of its own."""
    with engine().begin() as connection:
        connection.execute(sa.delete(DataCheck).where(DataCheck.resource_id == resource_id))
