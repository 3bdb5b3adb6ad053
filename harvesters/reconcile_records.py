"""The records of the sources against the entries of the catalogue, and the runs against their workers.

The record is made to tell what the entry is; never the other way round: what a person did to an entry stays done.
Where an entry has to be written, the next run of the source does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.discrepancies import Discrepancy, Report
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters.lease import abandoned
from ckanext.openhuizhou.harvesters.quiet import quiet
from ckanext.openhuizhou.harvesters.stored import finding_to
from ckanext.openhuizhou.harvesters.sweep import WITHDRAW_REASON
from ckanext.openhuizhou.model.harvest import Record, Run, Source

PAGE: Final = 500
#: Makes the next run read the record whole and write it, whatever it remembered.
AGAIN: Final[Mapping[str, Any]] = {
    "state": "pending",
    "hash": None,
    "refused_hash": None,
    "data_digest": None,
    "payload_digest": None,
    "kind_state": {},
}
_REFUSED: Final[Mapping[str, Any]] = {
    "state": "refused",
    "hash": None,
    "refused_hash": None,
    "payload_digest": None,
    "last_result": "refused",
    "findings": [finding_to(Finding("entry-deleted"))],
}
_WITHDRAWN: Final[Mapping[str, Any]] = {"state": "withdrawn", "hash": None, "last_result": "withdrawn"}

_PACKAGE = model.Package.__table__  # pyright: ignore[reportAttributeAccessIssue]
_RECORD = Record.__table__
_ENTRY_STATE = _PACKAGE.c.extras["entry_state"].astext
_SWEPT = sa.and_(_ENTRY_STATE == "withdrawn", _PACKAGE.c.extras["withdraw_reason"].astext == WITHDRAW_REASON)
_DELETED = _PACKAGE.c.state == model.State.DELETED
_LIVES = _RECORD.c.state.in_(("published", "pending"))
#: A record that the next run writes anyway tells nothing wrong.
_NOT_YET_AGAIN = sa.or_(
    _RECORD.c.state == "published", _RECORD.c.hash.is_not(None), _RECORD.c.payload_digest.is_not(None)
)

#: Kind of discrepancy → when a record (with its entry, if there is one) is of it, and what the record then becomes.
RULES: Final[Mapping[str, tuple[sa.ColumnElement[bool], Mapping[str, Any]]]] = {
    "record-entry-gone": (sa.and_(_LIVES, _PACKAGE.c.id.is_(None), _NOT_YET_AGAIN), AGAIN),
    "record-entry-deleted": (sa.and_(_LIVES, _DELETED), _REFUSED),
    "record-entry-withdrawn": (sa.and_(_LIVES, _PACKAGE.c.state == model.State.ACTIVE, _SWEPT), _WITHDRAWN),
    "record-entry-back": (
        sa.and_(
            _RECORD.c.state.in_(("refused", "failed")), _PACKAGE.c.id.is_not(None), sa.func.coalesce(~_DELETED, False)
        ),
        AGAIN,
    ),
}


def compare_records(report: Report) -> None:
    """Find records and entries that tell different things; repair the records, unless the report is a dry one."""
    report.looked_at["records"] += _count(sa.select(sa.func.count()).select_from(Record))
    for source_id, name in model.Session.execute(sa.select(Source.id, Source.name).order_by(Source.name)).all():
        model.Session.rollback()
        with quiet(source_id) as free:
            if free:
                _compare_source(source_id, name, report)
            else:
                report.skipped.append(name)
    for page in _pages_without_record():
        report.add(page)
    if not report.dry and report.counts["entry-without-record"]:
        _read_anew()


def _compare_source(source_id: str, name: str, report: Report) -> None:
    for kind, (condition, values) in RULES.items():
        suspects = (
            sa.select(
                _RECORD.c.key, _RECORD.c.state, _PACKAGE.c.state.label("entry"), _ENTRY_STATE.label("entry_state")
            )
            .outerjoin(_PACKAGE, _PACKAGE.c.id == _RECORD.c.dataset_id)
            .where(_RECORD.c.source_id == source_id, condition)
            .order_by(_RECORD.c.key)
        )
        after = ""
        while rows := model.Session.execute(suspects.where(_RECORD.c.key > after).limit(PAGE)).all():
            after = rows[-1].key
            report.add(Discrepancy(kind, f"{name}: {row.key}", _told(row), not report.dry) for row in rows)
            if not report.dry:
                _repair(source_id, [row.key for row in rows], values)


def _repair(source_id: str, keys: list[str], values: Mapping[str, Any]) -> None:
    changed = sa.update(Record).where(Record.source_id == source_id, Record.key.in_(keys)).values(dict(values))
    model.Session.execute(changed.execution_options(synchronize_session=False))


def _told(row: sa.Row[Any]) -> str:
    entry = "none" if row.entry is None else f"{row.entry}, {row.entry_state}"
    return f"record {row.state}, entry {entry}"


# entries without record


def _without_record() -> sa.ColumnElement[bool]:
    """Entries that an engine made have ids of version 5 (``dataset_id_of``); those that people make, of version 4.

    A withdrawn entry needs no record: its source may have forgotten it.
    """
    mine = sa.exists().where(Record.dataset_id == _PACKAGE.c.id)
    return sa.and_(
        _PACKAGE.c.type == "dataset",
        sa.func.substr(_PACKAGE.c.id, 15, 1) == "5",
        sa.not_(_DELETED),
        sa.func.coalesce(_ENTRY_STATE, "") != "withdrawn",
        ~mine,
    )


def _pages_without_record() -> Iterator[list[Discrepancy]]:
    after = ""
    query = sa.select(_PACKAGE.c.id, _PACKAGE.c.name).where(_without_record()).order_by(_PACKAGE.c.id).limit(PAGE)
    while rows := model.Session.execute(query.where(_PACKAGE.c.id > after)).all():
        model.Session.rollback()
        after = rows[-1].id
        yield [Discrepancy("entry-without-record", row.id, f"entry {row.name}, no record", False) for row in rows]
    model.Session.rollback()


def _read_anew() -> None:
    """What the departments of such entries sent last is forgotten, so that the next run meets every record."""
    departments = sa.select(_PACKAGE.c.owner_org).where(_without_record())
    model.Session.execute(
        sa.update(Source)
        .where(Source.organization_id.in_(departments))
        .values(state={}, state_mapping=None)
        .execution_options(synchronize_session=False)
    )
    model.Session.commit()


# runs


def compare_leases(report: Report) -> None:
    """Runs whose worker is gone wait for another, unless the report is a dry one."""
    running = sa.select(Run).where(Run.state == "running").order_by(Run.id)
    for run_id in [run.id for run in model.Session.scalars(running) if abandoned(run)]:
        locked = running.where(Run.id == run_id).with_for_update(skip_locked=True)
        run = model.Session.scalars(locked.execution_options(populate_existing=True)).first()
        if run is not None and abandoned(run):
            before = f"worker {run.worker}, lease until {run.lease_until}"
            report.add([Discrepancy("lease-dead", run.id, before, not report.dry)])
            if not report.dry:
                run.state, run.worker, run.lease_until = "queued", None, None
        model.Session.commit()
    report.looked_at["runs"] += _count(sa.select(sa.func.count()).select_from(Run))
    model.Session.rollback()


def _count(query: sa.Select[tuple[int]]) -> int:
    return model.Session.execute(query).scalar_one()
