"""Links that lead elsewhere: what each answers, since when, and when it is asked again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.model.database import engine

#: unknown: not asked yet. broken: failed twice in a row. refused: an address that nobody approved.
STATES = ("unknown", "ok", "broken", "refused")


class Link(tk.BaseModel):
    """One row per resource that is an address elsewhere. ``since``: when its state began; ``failures`` in a row."""

    __tablename__ = "openhuizhou_link"

    resource_id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    package_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, index=True)
    url: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    host: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    state: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    since: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False)
    failures: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    checked_at: Mapped[datetime | None] = mapped_column(sa.DateTime)
    next_check: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False)


class LinkCheck(tk.BaseModel):
    """The history: one row per question. ``error`` is a sentence of ours, a msgid filled."""

    __tablename__ = "openhuizhou_link_check"

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    resource_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    url: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    state: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    status: Mapped[int | None] = mapped_column(sa.Integer)
    error: Mapped[str | None] = mapped_column(sa.UnicodeText)
    milliseconds: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    checked_at: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False)


_LINKS = (
    "SELECT r.id, r.package_id, r.url, lower(substring(r.url FROM '^https?://(?:[^/?#@]*@)?([^/?#]+)')) AS host"
    " FROM resource r JOIN package p ON p.id = r.package_id WHERE r.state = 'active' AND p.state = 'active'"
    " AND COALESCE(r.url_type, '') = '' AND r.url ~ '^https?://[^/?#]'"
)
_FORGET = sa.text(
    f"DELETE FROM openhuizhou_link k WHERE NOT EXISTS (SELECT FROM ({_LINKS}) AS l WHERE l.id = k.resource_id)"  # noqa: S608
)
_REMEMBER = sa.text(
    "INSERT INTO openhuizhou_link (resource_id, package_id, url, host, state, since, failures, next_check)"  # noqa: S608
    f" SELECT l.id, l.package_id, l.url, l.host, 'unknown', :now, 0, :now FROM ({_LINKS}) AS l"
    " LEFT JOIN openhuizhou_link k ON k.resource_id = l.id WHERE k.url IS DISTINCT FROM l.url"
    " ON CONFLICT (resource_id) DO UPDATE SET package_id = excluded.package_id, url = excluded.url,"
    " host = excluded.host, state = 'unknown', since = :now, failures = 0, checked_at = NULL, next_check = :now"
)


def follow_resources(now: datetime | None = None) -> None:
    """New and changed addresses are to be asked, those of resources that are gone are forgotten."""
    with engine().begin() as connection:
        connection.execute(_FORGET)
        connection.execute(_REMEMBER, {"now": now or utcnow()})


def due(now: datetime, limit: int, per_host: int) -> list[Link]:
    """Links that are to be asked, the longest due first; at most so many of one host."""
    turn = sa.func.row_number().over(partition_by=Link.host, order_by=Link.next_check).label("turn")
    waiting = sa.select(Link.resource_id, turn).where(Link.next_check <= now).subquery()
    query = sa.select(Link).join(waiting, waiting.c.resource_id == Link.resource_id).where(waiting.c.turn <= per_host)
    return list(model.Session.scalars(query.order_by(Link.next_check).limit(limit)))


def record(link_values: Mapping[str, Any], check_values: Mapping[str, Any], resource_id: str, url: str) -> None:
    """What a link has answered, in a transaction of its own; nothing when its address has changed meanwhile."""
    with engine().begin() as connection:
        same = sa.and_(Link.resource_id == resource_id, Link.url == url)
        if connection.execute(sa.update(Link).where(same).values(**link_values)).rowcount:
            connection.execute(sa.insert(LinkCheck).values(resource_id=resource_id, url=url, **check_values))


def history(resource_id: str, limit: int = 20) -> list[LinkCheck]:
    """The newest first."""
    query = sa.select(LinkCheck).where(LinkCheck.resource_id == resource_id)
    return list(model.Session.scalars(query.order_by(LinkCheck.checked_at.desc()).limit(limit)))


def links(resource_ids: Iterable[str]) -> dict[str, Link]:
    """By resource id."""
    query = sa.select(Link).where(Link.resource_id.in_(list(resource_ids)))
    return {one.resource_id: one for one in model.Session.scalars(query.execution_options(populate_existing=True))}
