"""What a run did, as data. Sentences are made where it is shown, in the reader's language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.change_rules import RULES
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters import health
from ckanext.openhuizhou.harvesters.stored import finding_from
from ckanext.openhuizhou.model.database import engine
from ckanext.openhuizhou.model.harvest import COUNTERS, Difference, Record, Run, RunFinding, Source
from ckanext.openhuizhou.model.load import Load
from ckanext.openhuizhou.transport.variables import without_secrets

#: Rows that a stream holds in memory.
_PART: Final = 1000


def run_dict(run: Run, source: Source, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A run with its counters; times in ISO 8601, UTC.

    ``percent``, ``per_second`` and ``seconds_left`` are None where they cannot be known. ``rules``: ``rule``, ``text``
    (a msgid) and ``count``, the most frequent first. ``names``: of the users in it by id, when they are at hand.
    """
    names = user_names([run]) if names is None else names
    return {
        "id": run.id,
        "source_id": source.id,
        "source": source.name,
        "source_title": source.title,
        "organization_id": source.organization_id,
        "mode": run.mode,
        "state": run.state,
        "created": iso(run.created),
        "started": iso(run.started),
        "finished": iso(run.finished),
        "seconds": _seconds(run),
        "records": run.checkpoint,
        "total": run.total,
        **_progress(run),
        "requests": run.requests,
        "heartbeat": iso(run.heartbeat),
        "rules": [
            {"rule": rule, "text": RULES.get(rule, rule), "count": count}
            for rule, count in sorted(run.rules.items(), key=lambda one: (-one[1], one[0]))
        ],
        "trigger": run.trigger,
        "requested_by": names.get(run.requested_by or ""),
        "control": run.control,
        "decision": run.decision,
        "decided_by": names.get(run.decided_by or ""),
        "decided_at": iso(run.decided_at),
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
    page = model.Session.execute(query.order_by(Run.created.desc(), Run.id).limit(limit).offset(offset)).all()
    names = user_names([run for run, _source in page])
    return count, [run_dict(run, source, names) for run, source in page]


def latest_run(source_id: str) -> Run | None:
    """The last run of a source."""
    query = sa.select(Run).where(Run.source_id == source_id).order_by(Run.created.desc()).limit(1)
    return model.Session.execute(query).scalar_one_or_none()


def findings(
    run_id: str,
    limit: int | None = None,
    offset: int = 0,
    *,
    kind: str | None = None,
    severity: str | None = None,
    record: str | None = None,
) -> tuple[int, list[tuple[Finding, str | None]]]:
    """How many findings of a run fit, and a page of them with the records' titles, in the order of finding."""
    asked = {"run_id": run_id, "kind": kind, "severity": severity, "record": record}
    table = RunFinding.__table__
    fits = [table.c[name] == value for name, value in asked.items() if value is not None]
    count = model.Session.execute(sa.select(sa.func.count()).select_from(table).where(*fits)).scalar_one()
    query = sa.select(table).where(*fits).order_by(table.c.id).limit(limit).offset(offset)
    rows = model.Session.execute(query).mappings()
    return count, [(finding_from(dict(row)), row["title"]) for row in rows]


def finding_kinds(run_id: str) -> list[dict[str, Any]]:
    """``kind``, ``severity`` and ``count`` of what a run found, the most frequent first."""
    count = sa.func.count().label("count")
    query = sa.select(RunFinding.kind, RunFinding.severity, count).where(RunFinding.run_id == run_id)
    query = query.group_by(RunFinding.kind, RunFinding.severity).order_by(count.desc(), RunFinding.kind)
    return [dict(row) for row in model.Session.execute(query).mappings()]


def stream_findings(run_id: str) -> Iterator[tuple[Finding, str | None]]:
    """Every finding of a run with its record's title, from a cursor of the server on a connection of its own."""
    table = RunFinding.__table__
    for row in _streamed(sa.select(table).where(table.c.run_id == run_id).order_by(table.c.id)):
        yield finding_from(dict(row)), row["title"]


def differences(
    run_id: str, action: str | None = None, limit: int | None = None, offset: int = 0
) -> tuple[int, list[dict[str, Any]]]:
    """How many differences a dry or held run has, and a page of them: ``record, title, dataset_id, action, changes``.

    What a change is: ``harvesters.differences.changes_of``.
    """
    query = _differences(run_id, action)
    count = model.Session.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()
    page = model.Session.execute(query.order_by(Difference.id).limit(limit).offset(offset))
    return count, [dict(row) for row in page.mappings()]


def stream_differences(run_id: str, action: str | None = None) -> Iterator[dict[str, Any]]:
    """Every difference of a run, as ``stream_findings``."""
    for row in _streamed(_differences(run_id, action).order_by(Difference.id)):
        yield dict(row)


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
    """Sources with their last run, how many records they have in which state, and their health, in the order given.

    The number of queries does not grow with that of the sources. Variables are not filled in and secrets are named
    only, so that none is shown.
    """
    ids = [source.id for source in sources]
    states, trends, fresh = health.record_states(ids), health.trends(ids), health.freshness(ids)
    last = {runs[0].source_id: runs[0] for runs in trends.values() if runs}
    names = user_names(last.values(), [source.approved_by for source in sources])
    return [
        {
            **_source_dict(source, names),
            "records": states.get(source.id, {}),
            "last_run": run_dict(last[source.id], source, names) if source.id in last else None,
            "health": health.of(source, trends.get(source.id, []), fresh[source.id]),
            "freshness": fresh[source.id],
            "trend": [_trend(run) for run in trends.get(source.id, [])],
        }
        for source in sources
    ]


def user_names(runs: Iterable[Run], others: Iterable[str | None] = ()) -> dict[str, str]:
    """What the users who asked and decided are called, by id; one query."""
    ids = {*(run.requested_by for run in runs), *(run.decided_by for run in runs), *others} - {None}
    if not ids:
        return {}
    query = sa.select(model.User.id, model.User.name, model.User.fullname).where(model.User.id.in_(ids))
    return {id_: fullname or name for id_, name, fullname in model.Session.execute(query)}


def iso(moment: datetime | None) -> str | None:
    """A moment in UTC as text; the city's clock is for whoever shows it."""
    return None if moment is None else moment.isoformat(timespec="seconds") + "Z"


def _source_dict(source: Source, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": source.id,
        "name": source.name,
        "title": source.title,
        "organization_id": source.organization_id,
        "kind": source.kind,
        "priority": source.priority,
        "approved": source.approved,
        "approved_by": names.get(source.approved_by or ""),
        "approved_at": iso(source.approved_at),
        "active": source.active,
        "schedule": source.schedule,
        "next_run": iso(source.next_run),
        "notify": source.notify,
        "contact_email": source.contact_email,
        "config": without_secrets(source.config),
        "secrets": sorted(source.secrets),
        "mapping": source.mapping,
        "last_good_run": iso(source.last_good_run_at),
    }


def _trend(run: Run) -> dict[str, Any]:
    values = {name: getattr(run, name) for name in COUNTERS}
    return {"id": run.id, "mode": run.mode, "state": run.state, "created": iso(run.created), **values}


def _seconds(run: Run) -> float | None:
    """From the first start, what a pause took included; of a run under way, until now."""
    until = run.finished or (utcnow() if run.state == "running" else run.heartbeat)
    return None if run.started is None or until is None else round((until - run.started).total_seconds(), 1)


def _progress(run: Run) -> dict[str, Any]:
    """The rate is that of the worker that has the run now: a run that was paused did not become slower."""
    percent = per_second = left = None
    if run.total:
        percent = min(100, run.checkpoint * 100 // run.total)
    until = run.finished or run.heartbeat
    if run.claimed is not None and until is not None and (elapsed := (until - run.claimed).total_seconds()) > 0:
        per_second = round((run.checkpoint - run.claimed_at_record) / elapsed, 1)
    if run.state == "running" and run.total and per_second and per_second > 0:
        left = round(max(0, run.total - run.checkpoint) / per_second)
    return {"percent": percent, "per_second": per_second, "seconds_left": left}


def _differences(run_id: str, action: str | None) -> sa.Select[Any]:
    columns = (Difference.record, Difference.title, Difference.dataset_id, Difference.action, Difference.changes)
    query = sa.select(*columns).where(Difference.run_id == run_id)
    return query if action is None else query.where(Difference.action == action)


def _streamed(query: sa.Select[Any]) -> Iterator[sa.RowMapping]:
    with engine().connect() as connection:
        yield from connection.execution_options(stream_results=True, yield_per=_PART).execute(query).mappings()
