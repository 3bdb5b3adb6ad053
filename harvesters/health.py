"""How sources fare, many at a time: states of their records, last runs, freshness of their entries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.freshness import oldest_in_time
from ckanext.openhuizhou.model.harvest import Record, Run, Source

Health = Literal["ok", "late", "failing", "held", "paused", "new", "unapproved"]

_TREND: Final = 10
#: So much later than planned a run may begin before its source counts as late.
_GRACE: Final = timedelta(hours=1)


def record_states(source_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """How many records each source has in which state."""
    counts = sa.select(Record.source_id, Record.state, sa.func.count()).where(Record.source_id.in_(source_ids))
    states: dict[str, dict[str, int]] = {}
    for source_id, state, count in model.Session.execute(counts.group_by(Record.source_id, Record.state)):
        states.setdefault(source_id, {})[state] = count
    return states


def trends(source_ids: Collection[str]) -> dict[str, list[Run]]:
    """The last runs of each source, the latest first: for each source a short walk through the index."""
    latest = sa.select(Run.id).where(Run.source_id == Source.id).order_by(Run.created.desc(), Run.id).limit(_TREND)
    last = latest.correlate(Source).lateral()
    query = sa.select(Run).select_from(Source).join(last, sa.true()).join(Run, Run.id == last.c.id)
    query = query.where(Source.id.in_(source_ids)).order_by(Run.created.desc(), Run.id)
    found: dict[str, list[Run]] = {}
    for run in model.Session.scalars(query.execution_options(populate_existing=True)):
        found.setdefault(run.source_id, []).append(run)
    return found


def freshness(source_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """``due_entries``: published ones whose update cycle promises something; ``late_entries``: those of them whose
    data is older than that."""
    extras = model.Package.extras
    changed = sa.func.coalesce(extras["data_modified"].astext, sa.cast(model.Package.metadata_modified, sa.Text))
    cycle = extras["update_cycle"].astext
    oldest = oldest_in_time(utcnow())
    late = sa.or_(*(sa.and_(cycle == name, _as_date(changed) < _as_text(moment)) for name, moment in oldest.items()))
    query = (
        sa.select(Record.source_id, sa.func.count(), sa.func.count().filter(late))
        .join(model.Package, model.Package.id == Record.dataset_id)
        .where(Record.source_id.in_(source_ids), Record.state == "published", cycle.in_(list(oldest)))
        .where(extras["entry_state"].astext == "published")
        .group_by(Record.source_id)
    )
    found = {source_id: {"due_entries": 0, "late_entries": 0} for source_id in source_ids}
    for source_id, due, late_count in model.Session.execute(query):
        found[source_id] = {"due_entries": due, "late_entries": late_count}
    return found


def of(source: Source, trend: Sequence[Run], fresh: Mapping[str, Any]) -> Health:
    """One word for a source: what waits for a person comes first, then what is broken, then what is late."""
    states = [run.state for run in trend if run.mode != "dry"]
    last = next((state for state in states if state not in ("queued", "running", "cancelled")), None)
    if states and states[0] in ("held", "paused"):
        return "held" if states[0] == "held" else "paused"
    if not source.approved:
        return "unapproved"
    if last is None:
        return "new"
    if last == "failed":
        return "failing"
    overdue = source.active and source.next_run is not None and source.next_run < utcnow() - _GRACE
    return "late" if overdue or fresh["late_entries"] else "ok"


def _as_date(text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """ISO texts sort as the moments do; compared as texts, one that is no date breaks no list."""
    return sa.func.replace(text, " ", "T").collate("C")


def _as_text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
