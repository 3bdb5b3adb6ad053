"""Who changed a source, when and what: rows are only added, and outlive the source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.model.harvest import Source

#: seeded: made or taken over anew from its file.
ACTIONS: Final = ("created", "updated", "approved", "deleted", "seeded")


class SourceChange(tk.BaseModel):
    """One change. ``changes``: ``[{"field", "before", "after"}, …]`` (of a secret its name alone); ``changed_at``: UTC;
    ``changed_by``: a user id, None for the command line."""

    __tablename__ = "openhuizhou_source_change"

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    source_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    source_name: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    organization_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    action: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    changed_at: Mapped[dt.datetime] = mapped_column(sa.DateTime, nullable=False, default=utcnow)
    changed_by: Mapped[str | None] = mapped_column(sa.UnicodeText)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, nullable=False)

    __table_args__ = (
        sa.CheckConstraint(f"action IN {ACTIONS}", name="ck_openhuizhou_source_change_action"),
        sa.Index("ix_openhuizhou_source_change_source", "source_id", "id"),
    )


def record_change(source: Source, action: str, by: str | None, changes: Sequence[Mapping[str, Any]] = ()) -> None:
    """Keep what was done, in the caller's transaction. ``changes`` must hold no secret."""
    model.Session.add(
        SourceChange(
            source_id=source.id,
            source_name=source.name,
            organization_id=source.organization_id,
            action=action,
            changed_by=by,
            changes=[dict(change) for change in changes],
        )
    )


def source_changes(
    source_id: str | None, organizations: Collection[str] | None, limit: int, offset: int
) -> tuple[int, list[dict[str, Any]]]:
    """How many changes there are, and a page of them, the latest first; the changing user by name.

    :param source_id: of one source; None for those of all, deleted ones too
    :param organizations: of sources that were then these departments'; None for all
    """
    query = sa.select(SourceChange, model.User.name, model.User.fullname)
    query = query.outerjoin(model.User, model.User.id == SourceChange.changed_by)
    if source_id is not None:
        query = query.where(SourceChange.source_id == source_id)
    if organizations is not None:
        query = query.where(SourceChange.organization_id.in_(list(organizations)))
    count = model.Session.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()
    page = query.order_by(SourceChange.id.desc()).limit(limit).offset(offset)
    return count, [_as_dict(*row) for row in model.Session.execute(page)]


def _as_dict(change: SourceChange, user: str | None, fullname: str | None) -> dict[str, Any]:
    return {
        "id": change.id,
        "source_id": change.source_id,
        "source": change.source_name,
        "action": change.action,
        "changed_at": change.changed_at.isoformat(timespec="seconds") + "Z",
        "changed_by": user,
        "changed_by_title": fullname or user,
        "changes": change.changes,
    }
