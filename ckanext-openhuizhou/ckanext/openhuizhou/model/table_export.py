"""Files of whole tables in other formats: made of which load, how large."""

from __future__ import annotations

from datetime import datetime

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.model.database import engine


class TableExport(tk.BaseModel):
    """The last file of a resource in a format. ``digest`` names the table that it was made of (``data.export_files``),
    ``sha256`` is the file's own; ``made_at`` in UTC."""

    __tablename__ = "openhuizhou_table_export"

    resource_id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    format: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    digest: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    rows: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    sha256: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    made_at: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False)


def exports_of(resource_id: str) -> dict[str, TableExport]:
    """By format, read anew: files are made in transactions of their own."""
    query = sa.select(TableExport).where(TableExport.resource_id == resource_id)
    found = model.Session.scalars(query.execution_options(populate_existing=True))
    return {export.format: export for export in found}


def record(resource_id: str, format_name: str, *, digest: str, rows: int, size_bytes: int, sha256: str) -> None:
    """A file was made. In a transaction of its own."""
    values = {"digest": digest, "rows": rows, "size_bytes": size_bytes, "sha256": sha256, "made_at": utcnow()}
    statement = insert(TableExport).values(resource_id=resource_id, format=format_name, **values)
    key = [TableExport.resource_id, TableExport.format]
    with engine().begin() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


def forget(resource_id: str, *formats: str) -> None:
    """These formats (all without any) have no file any more."""
    statement = sa.delete(TableExport).where(TableExport.resource_id == resource_id)
    if formats:
        statement = statement.where(TableExport.format.in_(formats))
    with engine().begin() as connection:
        connection.execute(statement)
