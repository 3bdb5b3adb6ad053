"""What a run did, as data. Sentences are made where it is shown, in the reader's language."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters.stored import finding_from
from ckanext.openhuizhou.model.harvest import COUNTERS, Record, Run, RunFinding, Source
from ckanext.openhuizhou.model.load import Load
from ckanext.openhuizhou.transport.variables import without_secrets


def run_dict(run: Run, source: Source) -> dict[str, Any]:
    """A run with its counters; times in ISO 8601, UTC."""
    return {
        "id": run.id,
        "source_id": source.id,
        "source": source.name,
        "source_title": source.title,
        "organization_id": source.organization_id,
        "mode": run.mode,
        "state": run.state,
        "created": _iso(run.created),
        "started": _iso(run.started),
        "finished": _iso(run.finished),
        "seconds": _seconds(run.started, run.finished),
        "records": run.checkpoint,
        **{name: getattr(run, name) for name in COUNTERS},
    }


def runs(
    organizations: Collection[str] | None, source_id: str | None = None, limit: int = 20, offset: int = 0
) -> tuple[int, list[dict[str, Any]]]:
    """How many runs there are, and a page of them, the latest first. ``organizations``: None for all."""
    query = sa.select(Run, Source).join(Source, Source.id == Run.source_id)
    if organizations is not None:
        query = query.where(Source.organization_id.in_(list(organizations)))
    if source_id is not None:
        query = query.where(Run.source_id == source_id)
    count = model.Session.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()
    page = query.order_by(Run.created.desc(), Run.id).limit(limit).offset(offset)
    return count, [run_dict(run, source) for run, source in model.Session.execute(page)]


def latest_run(source_id: str) -> Run | None:
    """The last run of a source."""
    query = sa.select(Run).where(Run.source_id == source_id).order_by(Run.created.desc()).limit(1)
    return model.Session.execute(query).scalar_one_or_none()


def findings(run_id: str, limit: int | None = None, offset: int = 0) -> tuple[int, list[tuple[Finding, str | None]]]:
    """How many findings a run has, and a page of them with the records' titles, in the order of finding."""
    mine = RunFinding.run_id == run_id
    count = model.Session.execute(sa.select(sa.func.count()).select_from(RunFinding).where(mine)).scalar_one()
    table = RunFinding.__table__
    query = sa.select(table).where(mine).order_by(table.c.id).limit(limit).offset(offset)
    rows = model.Session.execute(query).mappings()
    return count, [(finding_from(dict(row)), row["title"]) for row in rows]


def published(source_id: str) -> tuple[int, int]:
    """How many entries of a source have a table that was read successfully, and how many rows these have."""
    query = (
        sa.select(sa.func.count(sa.distinct(Load.package_id)), sa.func.coalesce(sa.func.sum(Load.rows), 0))
        .join(Record, Record.dataset_id == Load.package_id)
        .where(Record.source_id == source_id, Record.state == "published", Load.verdict == "ok")
    )
    entries, rows = model.Session.execute(query).one()
    return entries, int(rows)


def source_dicts(sources: Collection[Source]) -> list[dict[str, Any]]:
    """Sources with their last run and how many records they have in which state, in the order given.

    Variables are not filled in, so no secret is shown.
    """
    ids = [source.id for source in sources]
    states: dict[str, dict[str, int]] = {source_id: {} for source_id in ids}
    by_state = sa.select(Record.source_id, Record.state, sa.func.count()).where(Record.source_id.in_(ids))
    for source_id, state, count in model.Session.execute(by_state.group_by(Record.source_id, Record.state)):
        states[source_id][state] = count
    latest = sa.select(Run).where(Run.source_id.in_(ids)).distinct(Run.source_id)
    last = {run.source_id: run for run in model.Session.scalars(latest.order_by(Run.source_id, Run.created.desc()))}
    return [_source_dict(source, states[source.id], last.get(source.id)) for source in sources]


def _source_dict(source: Source, states: dict[str, int], last: Run | None) -> dict[str, Any]:
    return {
        "id": source.id,
        "name": source.name,
        "title": source.title,
        "organization_id": source.organization_id,
        "kind": source.kind,
        "priority": source.priority,
        "approved": source.approved,
        "active": source.active,
        "schedule": source.schedule,
        "config": without_secrets(source.config),
        "mapping": source.mapping,
        "last_good_run": _iso(source.last_good_run_at),
        "records": states,
        "last_run": run_dict(last, source) if last else None,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds") + "Z"


def _seconds(started: datetime | None, finished: datetime | None) -> float | None:
    return None if started is None or finished is None else round((finished - started).total_seconds(), 1)
