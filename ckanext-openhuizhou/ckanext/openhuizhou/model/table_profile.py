"""What each column of a table holds, counted once per load (``data.profile``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.model.database import engine


class TableProfile(tk.BaseModel):
    """One row per resource. ``digest`` and ``dictionary`` are those of the table that was counted.

    ``columns``: see ``domain.column_profile.ColumnProfile``. ``sampled``: rows that were counted, where not all of
    them were. ``made_at``: UTC; ``seconds``: how long it took.
    """

    __tablename__ = "openhuizhou_table_profile"

    resource_id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    digest: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    dictionary: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    rows: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    sampled: Mapped[int | None] = mapped_column(sa.BigInteger)
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, nullable=False)
    made_at: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False)
    seconds: Mapped[float] = mapped_column(sa.Float, nullable=False)


def profile_of(resource_id: str) -> TableProfile | None:
    """The profile that was counted last, of whichever load; read anew."""
    return model.Session.get(TableProfile, resource_id, populate_existing=True)


def keep(
    resource_id: str,
    *,
    digest: str,
    dictionary: str,
    rows: int,
    sampled: int | None,
    columns: Sequence[dict[str, Any]],
    seconds: float,
) -> None:
    """Put a profile in the place of the one before. Commits in a transaction of its own."""
    values = {
        "digest": digest,
        "dictionary": dictionary,
        "rows": rows,
        "sampled": sampled,
        "columns": list(columns),
        "made_at": utcnow(),
        "seconds": seconds,
    }
    statement = insert(TableProfile).values(resource_id=resource_id, **values)
    with engine().begin() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=[TableProfile.resource_id], set_=values))


def forget(*resource_ids: str) -> None:
    """The resources have no table any more. Commits in a transaction of its own."""
    with engine().begin() as connection:
        connection.execute(sa.delete(TableProfile).where(TableProfile.resource_id.in_(resource_ids)))
