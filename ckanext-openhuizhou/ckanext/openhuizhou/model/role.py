"""Who holds which platform role. Revoking dates a row and deletes none, so that it stays known who could do what."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.roles import ROLES


class Role(tk.BaseModel):
    """One grant. Times are UTC; ``granted_by`` and ``revoked_by`` are user ids, ``None`` for the command line."""

    __tablename__ = "openhuizhou_role"
    __table_args__ = (
        sa.CheckConstraint(f"role IN {ROLES}", name="openhuizhou_role_known"),
        sa.Index(
            "openhuizhou_role_once", "user_id", "role", unique=True, postgresql_where=sa.text("revoked_at IS NULL")
        ),
    )

    id: Mapped[int] = mapped_column(sa.Integer, sa.Identity(), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    role: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    granted_at: Mapped[dt.datetime] = mapped_column(sa.DateTime, nullable=False)
    granted_by: Mapped[str | None] = mapped_column(sa.UnicodeText)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime)
    revoked_by: Mapped[str | None] = mapped_column(sa.UnicodeText)


def roles_of(user_id: str) -> frozenset[str]:
    """The roles that an active user holds now."""
    return frozenset(model.Session.scalars(_held(Role.role).where(Role.user_id == user_id)))


def has_role(user_id: str, role: str) -> bool:
    """Whether an active user holds the role now."""
    return role in roles_of(user_id)


def grant(user_id: str, role: str, by: str | None) -> bool:
    """Give a role; ``False`` when the user has it. Part of the caller's transaction."""
    statement = insert(Role).values(user_id=user_id, role=role, granted_at=utcnow(), granted_by=by)
    granted = model.Session.execute(
        statement.on_conflict_do_nothing(
            index_elements=["user_id", "role"], index_where=sa.text("revoked_at IS NULL")
        ).returning(Role.id)
    )
    return granted.scalar_one_or_none() is not None


def revoke(user_id: str, role: str, by: str | None) -> bool:
    """Take a role away; ``False`` when the user does not have it. Part of the caller's transaction."""
    revoked = model.Session.execute(
        sa.update(Role)
        .where(Role.user_id == user_id, Role.role == role, Role.revoked_at.is_(None))
        .values(revoked_at=utcnow(), revoked_by=by)
        .returning(Role.id)
        .execution_options(synchronize_session=False)
    )
    return revoked.scalar_one_or_none() is not None


def grants() -> list[dict[str, Any]]:
    """Roles held now: user_id, user_name, role, granted_at (UTC, ISO 8601), by user name and role."""
    rows = model.Session.execute(
        _held(Role.user_id, model.User.name, Role.role, Role.granted_at).order_by(model.User.name, Role.role)
    )
    return [
        {"user_id": user_id, "user_name": name, "role": role, "granted_at": granted_at.isoformat()}
        for user_id, name, role, granted_at in rows
    ]


def _held(*columns: Any) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .join(model.User, model.User.id == Role.user_id)
        .where(Role.revoked_at.is_(None), model.User.state == model.State.ACTIVE)
    )
