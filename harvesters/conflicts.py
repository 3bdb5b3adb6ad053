"""The same resource from two sources: the source of higher priority has the entry, the other's record waits.

Two records are the same resource when provider and normalised title are (``openhuizhou_title``). The entry keeps its
id, name, code and address when it changes hands; which record has it says ``Record.dataset_id``, once for each entry.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.data.tables import drop_table
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.text_rules import shown
from ckanext.openhuizhou.domain.title import title_key
from ckanext.openhuizhou.errors import TakeoverLost
from ckanext.openhuizhou.harvesters.prepared import TakenOver
from ckanext.openhuizhou.harvesters.stored import finding_to
from ckanext.openhuizhou.model.catalogue import TakenTitle
from ckanext.openhuizhou.model.harvest import Record, Source, dataset_id_of, resource_id_of
from ckanext.openhuizhou.model.load import Load

#: States of a record whose entry is its own.
OWN: Final = ("published", "pending", "withdrawn")
_LIVE: Final = ("published", "pending")
_KIND: Final = "conflict-priority"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has an entry. ``source_id`` and what follows is None for an entry that no source brought."""

    dataset_id: str
    source_id: str | None = None
    key: str | None = None
    state: str | None = None
    priority: int = 0
    source_title: str | None = None

    @property
    def live(self) -> bool:
        return self.state in _LIVE


@dataclass(frozen=True, slots=True)
class Claimant:
    """The source that brings a record."""

    source_id: str | None
    priority: int
    approved: bool


def holders(dataset_ids: Collection[str]) -> dict[str, Holder]:
    """Who has these entries; those that no source brought are absent."""
    if not dataset_ids:
        return {}
    columns = (Record.dataset_id, Record.source_id, Record.key, Record.state, Source.priority, Source.title)
    query = sa.select(*columns).join(Source, Source.id == Record.source_id)
    found = (Holder(*row) for row in model.Session.execute(query.where(Record.dataset_id.in_(list(dataset_ids)))))
    return {holder.dataset_id: holder for holder in found}


def takes_over(claimant: Claimant, holder: Holder) -> TakenOver | None:
    """The record that loses its entry to the claimant's, if it does.

    Only an approved source takes over, and only from a source of lower priority; or from any, when the entry was
    withdrawn because that source no longer has it.
    """
    if holder.source_id is None or holder.key is None or holder.state is None or not claimant.approved:
        return None
    if holder.live and claimant.priority <= holder.priority:
        return None
    resource_id = resource_id_of(holder.source_id, holder.key)
    return TakenOver(holder.source_id, holder.key, resource_id, holder.state)


def conflict(title: str, holder: Holder, provider: str) -> Finding:
    """Why a record does not become an entry; ``provider``: the title of its department."""
    params = {"source": holder.source_title or provider, "dataset_id": holder.dataset_id}
    return Finding(_KIND, field="title", value=shown(title), params=params)


def free_dataset_id(source_id: str, key: str, taken: Mapping[str, Holder]) -> str:
    """The id of a new entry of this record; another one when its first went to another source. ``taken``: who has the
    first, if anybody."""
    number, dataset_id = 1, dataset_id_of(source_id, key)
    while (holder := taken.get(dataset_id)) is not None and (holder.source_id, holder.key) != (source_id, key):
        number += 1
        dataset_id = dataset_id_of(source_id, key, number)
        taken = holders([dataset_id])
    return dataset_id


def supersede(taken: TakenOver, dataset_id: str, title: str | None, source_id: str) -> None:
    """Take the entry from the record that has it, in the session's transaction, for a record of ``source_id``.

    Raises:
        TakeoverLost: that record has it no longer, or is in another state.
    """
    by = model.Session.get_one(Source, source_id).title
    finding = Finding(_KIND, field="title", value=shown(title or ""), params={"source": by, "dataset_id": dataset_id})
    values: dict[str, Any] = {
        "state": "superseded",
        "dataset_id": None,
        "hash": None,
        "refused_hash": None,
        "payload_digest": None,
        "last_result": "refused",
        "findings": [finding_to(finding)],
        "last_seen": utcnow(),
    }
    done = model.Session.execute(
        sa.update(Record)
        .where(Record.source_id == taken.source_id, Record.key == taken.key)
        .where(Record.dataset_id == dataset_id, Record.state == taken.state)
        .values(values)
        .returning(Record.key)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if done is None:
        raise TakeoverLost("The entry {dataset_id} changed hands", dataset_id=dataset_id)


def may_come_back(source_id: str) -> bool:
    """Whether a record of this source waits for an entry that nobody holds against it any more."""
    query = sa.select(Record.title, Record.findings).where(Record.source_id == source_id, Record.state == "superseded")
    waiting = [(title, _held_by(findings)) for title, findings in model.Session.execute(query).tuples()]
    if not waiting:
        return False
    mine = sa.select(Source.priority).where(Source.id == source_id).scalar_subquery()
    held = (
        sa.select(TakenTitle.package_id, TakenTitle.normalised)
        .join(model.Package, model.Package.id == TakenTitle.package_id)
        .outerjoin(Record, Record.dataset_id == TakenTitle.package_id)
        .outerjoin(Source, Source.id == Record.source_id)
        .where(TakenTitle.package_id.in_([dataset_id for _title, dataset_id in waiting if dataset_id]))
        .where(model.Package.state != model.State.DELETED)
        .where(sa.or_(Record.key.is_(None), sa.and_(Record.state.in_(_LIVE), Source.priority >= mine)))
    )
    titles = dict(model.Session.execute(held).tuples().all())
    return any(titles.get(dataset_id or "") != title_key(title or "") for title, dataset_id in waiting)


def _held_by(findings: Collection[Mapping[str, Any]]) -> str | None:
    conflicts = (values["params"].get("dataset_id") for values in findings if values.get("kind") == _KIND)
    return next(conflicts, None)


def finish_takeovers() -> list[str]:
    """Remove the tables that takeovers left when they were killed before their end; their resource ids."""
    query = sa.select(Record.source_id, Record.key).where(Record.state == "superseded")
    left = [resource_id_of(source_id, key) for source_id, key in model.Session.execute(query).tuples()]
    loaded = list(model.Session.scalars(sa.select(Load.resource_id).where(Load.resource_id.in_(left)))) if left else []
    for resource_id in loaded:
        drop_table(resource_id)
    return loaded
