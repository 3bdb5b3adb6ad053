"""Resource codes that were given out, and the titles that are taken.

A code is taken in a short transaction on a connection of its own: two that ask at once get two numbers, nobody
waits for a whole entry to be saved, and a number that was given out stays given out when the entry is not saved.
A title is claimed in the transaction that saves the entry, so it is free again when that is rolled back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from ckanext.openhuizhou.domain.catalogue_code import CatalogueCode, application_name
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.model.database import engine

#: The counter of application names; no category of the tree looks like it.
_APPLICATIONS = "application"


class CodeCounter(tk.BaseModel):
    """The last number given out in each category."""

    __tablename__ = "openhuizhou_code_counter"

    category: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    last: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)


class AssignedCode(tk.BaseModel):
    """Every code ever given out. ``package_id`` is the entry it was meant for, saved or not; ``assigned_at`` is UTC."""

    __tablename__ = "openhuizhou_catalogue_code"

    code: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    package_id: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False, index=True)
    assigned_at: Mapped[dt.datetime] = mapped_column(sa.DateTime, nullable=False)


class TakenTitle(tk.BaseModel):
    """The normalised title (``domain.title``) of each entry, once per provider."""

    __tablename__ = "openhuizhou_title"
    __table_args__ = (sa.UniqueConstraint("owner_org", "normalised", name="openhuizhou_title_once_per_provider"),)

    package_id: Mapped[str] = mapped_column(sa.UnicodeText, primary_key=True)
    owner_org: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)
    normalised: Mapped[str] = mapped_column(sa.UnicodeText, nullable=False)


def assign_code(category: str, package_id: str) -> CatalogueCode:
    """Give the entry the next code of its category, for ever. Commits by itself."""
    with engine().begin() as connection:
        code = CatalogueCode(category, _next(connection, category))
        connection.execute(insert(AssignedCode).values(code=str(code), package_id=package_id, assigned_at=utcnow()))
    return code


def assign_codes(categories: Mapping[str, str]) -> dict[str, CatalogueCode]:
    """The same for many entries, in their order: id → category, id → code. Commits by itself."""
    codes: dict[str, CatalogueCode] = {}
    with engine().begin() as connection:
        # in one order everywhere, so that two that ask at once do not wait for each other
        for category in sorted(set(categories.values())):
            ids = [package_id for package_id, one in categories.items() if one == category]
            last = _next(connection, category, len(ids))
            numbers = range(last - len(ids) + 1, last + 1)
            codes |= {id_: CatalogueCode(category, number) for id_, number in zip(ids, numbers, strict=True)}
        rows = [{"code": str(code), "package_id": id_, "assigned_at": utcnow()} for id_, code in codes.items()]
        if rows:
            connection.execute(insert(AssignedCode), rows)
    return codes


def assign_application_name() -> str:
    """The next name of an application. Commits by itself."""
    with engine().begin() as connection:
        return application_name(_next(connection, _APPLICATIONS))


def package_of_code(code: str) -> str | None:
    """The id of the entry that has this code, if the entry exists and was not deleted."""
    return model.Session.execute(_living(AssignedCode.package_id).where(AssignedCode.code == code)).scalar_one_or_none()


def existing_codes(codes: Collection[str]) -> set[str]:
    """Of these codes, those whose entry exists and was not deleted."""
    if not codes:
        return set()
    return set(model.Session.scalars(_living(AssignedCode.code).where(AssignedCode.code.in_(list(codes)))))


def title_holder(owner_org: str, normalised: str) -> str | None:
    """The id of the provider's entry with this title; a deleted or purged entry holds none."""
    return model.Session.execute(
        sa.select(TakenTitle.package_id)
        .join(model.Package, model.Package.id == TakenTitle.package_id)
        .where(
            TakenTitle.owner_org == owner_org,
            TakenTitle.normalised == normalised,
            model.Package.state != model.State.DELETED,
        )
    ).scalar_one_or_none()


def title_holders(titles: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Provider and normalised title → the entry that has it; titles that nobody holds are absent."""
    if not titles:
        return {}
    query = (
        sa.select(TakenTitle.owner_org, TakenTitle.normalised, TakenTitle.package_id)
        .join(model.Package, model.Package.id == TakenTitle.package_id)
        .where(
            sa.tuple_(TakenTitle.owner_org, TakenTitle.normalised).in_(list(titles)),
            model.Package.state != model.State.DELETED,
        )
    )
    return {(owner_org, normalised): package_id for owner_org, normalised, package_id in model.Session.execute(query)}


def package_states(package_ids: Collection[str]) -> dict[str, str]:
    """CKAN's state of each of these packages that exists."""
    if not package_ids:
        return {}
    query = sa.select(model.Package.id, model.Package.state).where(model.Package.id.in_(list(package_ids)))
    return dict(model.Session.execute(query).tuples().all())


def claim_title(package_id: str, owner_org: str, normalised: str) -> bool:
    """Take the title for this entry and give up the one it had; ``False`` when another entry of the provider has it.

    Part of the caller's transaction. Waits for another transaction that is claiming the same title.
    """
    if _insert_title(package_id, owner_org, normalised):
        return True
    # the entry has a row already, or another entry has the title
    same_title = (TakenTitle.owner_org == owner_org, TakenTitle.normalised == normalised)
    holder = model.Session.execute(sa.select(TakenTitle.package_id).where(*same_title)).scalar_one_or_none()
    if holder == package_id:
        return True
    living = sa.exists().where(model.Package.id == TakenTitle.package_id, model.Package.state != model.State.DELETED)
    _delete(*same_title, ~living)
    release_title(package_id)
    return _insert_title(package_id, owner_org, normalised)


def claim_titles(titles: Mapping[str, tuple[str, str]]) -> set[str]:
    """Take the titles of entries that have none yet: id → ``(owner_org, normalised)``; the ids that got theirs.

    Part of the caller's transaction. In one order, so that two that claim at once do not wait for each other.
    """
    rows = [
        {"package_id": id_, "owner_org": owner, "normalised": key}
        for id_, (owner, key) in sorted(titles.items(), key=lambda one: one[1])
        if key and owner
    ]
    if not rows:
        return set()
    table = TakenTitle.__table__
    statement = insert(table).on_conflict_do_nothing().returning(table.c.package_id)
    return set(model.Session.connection().execute(statement, rows).scalars())


def claimed_titles(package_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """The titles that these entries have: id → ``(owner_org, normalised)``."""
    query = sa.select(TakenTitle.package_id, TakenTitle.owner_org, TakenTitle.normalised)
    rows = model.Session.execute(query.where(TakenTitle.package_id.in_(list(package_ids)))).tuples()
    return {package_id: (owner_org, normalised) for package_id, owner_org, normalised in rows}


def _insert_title(package_id: str, owner_org: str, normalised: str) -> bool:
    statement = insert(TakenTitle).values(package_id=package_id, owner_org=owner_org, normalised=normalised)
    inserted = model.Session.execute(statement.on_conflict_do_nothing().returning(TakenTitle.package_id))
    return inserted.scalar_one_or_none() is not None


def release_title(package_id: str) -> None:
    """The entry has no title any more. Part of the caller's transaction."""
    _delete(TakenTitle.package_id == package_id)


def _delete(*conditions: sa.ColumnElement[bool]) -> None:
    model.Session.execute(sa.delete(TakenTitle).where(*conditions).execution_options(synchronize_session=False))


def _living(column: InstrumentedAttribute[str]) -> sa.Select[tuple[str]]:
    return (
        sa.select(column)
        .join(model.Package, model.Package.id == AssignedCode.package_id)
        .where(model.Package.state != model.State.DELETED)
    )


def _next(connection: sa.Connection, category: str, count: int = 1) -> int:
    """The last of ``count`` numbers."""
    statement = insert(CodeCounter).values(category=category, last=count)
    return connection.execute(
        statement.on_conflict_do_update(
            index_elements=[CodeCounter.category], set_={"last": CodeCounter.last + count}
        ).returning(CodeCounter.last)
    ).scalar_one()
