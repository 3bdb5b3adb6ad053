"""The score of each entry with its reasons, and whether its data is in time; recomputed when something changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.model.database import engine


class Quality(tk.BaseModel):
    """One row per entry. ``score`` of 100; ``dimensions`` as ``domain.quality.Judged.as_dict``; times are UTC."""

    __tablename__ = "openhuizhou_quality"

    package_id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    organization_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, index=True)
    score: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    dimensions: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    freshness: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    due: Mapped[datetime | None] = mapped_column(sa.DateTime)
    computed_at: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False)


#: Entries whose score is older than what it is made of, or whose due date has passed since.
_STALE = sa.text(
    "SELECT p.id FROM package p LEFT JOIN openhuizhou_quality q ON q.package_id = p.id"
    " WHERE p.type = 'dataset' AND p.state = 'active' AND (q.package_id IS NULL OR p.metadata_modified > q.computed_at"
    " OR EXISTS (SELECT FROM openhuizhou_load l WHERE l.package_id = p.id AND l.checked_at > q.computed_at)"
    " OR EXISTS (SELECT FROM openhuizhou_data_check c WHERE c.package_id = p.id"
    "  AND GREATEST(c.checked_at, c.decided_at) > q.computed_at)"
    " OR EXISTS (SELECT FROM openhuizhou_link k WHERE k.package_id = p.id AND k.since > q.computed_at)"
    " OR (q.freshness = 'in_time' AND q.due < :now)) ORDER BY q.computed_at NULLS FIRST LIMIT :limit"
)


def stale(now: datetime, limit: int) -> list[str]:
    """Ids of entries whose score is to be computed, those without one first."""
    return list(model.Session.execute(_STALE, {"now": now, "limit": limit}).scalars())


def of(package_ids: Collection[str]) -> dict[str, Quality]:
    """The scores of these entries that have one."""
    query = sa.select(Quality).where(Quality.package_id.in_(list(package_ids)))
    return {one.package_id: one for one in model.Session.scalars(query.execution_options(populate_existing=True))}


def put(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write these scores, in a transaction of its own."""
    if not rows:
        return
    statement = insert(Quality).values(list(rows))
    changed = {name: statement.excluded[name] for name in rows[0] if name != "package_id"}
    with engine().begin() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=[Quality.package_id], set_=changed))


_OPEN = "p.state = 'active' AND NOT p.private AND p.type = 'dataset'"
#: Of entries that everybody may see; the row without organization is the city.
_SCORES = sa.text(
    "SELECT q.organization_id, count(*) AS entries, round(avg(q.score), 1) AS score,"  # noqa: S608
    " count(*) FILTER (WHERE q.freshness = 'in_time') AS in_time, count(*) FILTER (WHERE q.freshness = 'late') AS late"
    f" FROM openhuizhou_quality q JOIN package p ON p.id = q.package_id WHERE {_OPEN}"
    " GROUP BY ROLLUP (q.organization_id)"
)
_SHARES = sa.text(
    "SELECT q.organization_id, d.key, round(100 * sum((d.value->>'points')::numeric) / sum((d.value->>'most')::int))"  # noqa: S608
    " FROM openhuizhou_quality q JOIN package p ON p.id = q.package_id, jsonb_each(q.dimensions) AS d"
    f" WHERE {_OPEN} AND (d.value->>'most')::int > 0"
    " GROUP BY d.key, ROLLUP (q.organization_id)"
)


def averages() -> dict[str | None, dict[str, Any]]:
    """By organization (None: the city), of entries that everybody may see:
    ``{entries, score, in_time, late, dimensions: {key: reached points, of 100}}``."""
    found: dict[str | None, dict[str, Any]] = {}
    for organization_id, entries, score, in_time, late in model.Session.execute(_SCORES):
        counts = {"entries": entries, "score": float(score or 0), "in_time": in_time, "late": late}
        found[organization_id] = {**counts, "dimensions": {}}
    for organization_id, key, share in model.Session.execute(_SHARES):
        found[organization_id]["dimensions"][key] = int(share)
    return found
