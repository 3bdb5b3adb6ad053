"""What is no longer in the source is withdrawn: out of sight, name and code kept, back when the record comes back.

With a brake: a source that suddenly lacks a large part of its records is more likely broken than cleaned up. What the
brake holds back is listed with the run (``model.harvest.Difference``), and a platform officer decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters.bulk_withdraw import withdraw_entries
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.writer import BATCH
from ckanext.openhuizhou.model.harvest import Difference, Record

#: As many entries may always go, and this share of a source.
_ALWAYS: Final = 5
_SHARE: Final = 0.2
_LIVE: Final = ("published", "pending")
_NEVER_ENTRIES: Final = ("refused", "failed", "superseded")
_CHANGES: Final = Difference.__table__.c.changes.type
#: What a withdrawn entry says; `reconcile` knows by it that no person withdrew it.
WITHDRAW_REASON: Final = "数据来源中已没有这条记录"


def brake(total: int, going: int, seen: int) -> Finding | None:
    """Why the sweep must not run, if it must not. ``total``: live entries of the source; ``seen``: records read."""
    if total and not seen:
        return Finding("run-held-empty")
    allowed = max(_ALWAYS, int(total * _SHARE))
    if going > allowed:
        params = {"count": going, "total": total, "allowed": allowed}
        return Finding("run-held-withdrawals", params=params)
    return None


def live_count(source_id: str, *conditions: sa.ColumnElement[bool]) -> int:
    """How many entries of the source are in the catalogue."""
    query = sa.select(sa.func.count()).select_from(Record)
    here = (Record.source_id == source_id, Record.state.in_(_LIVE), *conditions)
    return model.Session.execute(query.where(*here)).scalar_one()


def gone_count(lease: Lease) -> int:
    """How many live records this run did not meet."""
    return live_count(lease.source_id, _not_met(lease))


def withdraw(lease: Lease, *, approved: bool) -> list[Finding]:
    """Withdraw the entries that this run did not meet, in batches of one transaction each; and forget records that
    never became entries. An entry that CKAN refuses to write stays, and is a finding of what is returned.
    """
    findings = _withdraw_pages(lease, _not_met(lease), approved=approved)
    model.Session.execute(
        sa.delete(Record)
        .where(
            Record.source_id == lease.source_id, Record.last_run_id != lease.run_id, Record.state.in_(_NEVER_ENTRIES)
        )
        .execution_options(synchronize_session=False)
    )
    return findings


def list_gone(lease: Lease) -> None:
    """List what the brake holds back with the run, in the session's transaction."""
    columns = (Record.key, Record.title, Record.dataset_id)
    gone = sa.select(sa.literal(lease.run_id), *columns, sa.literal("withdrawn"), sa.literal("[]").cast(_CHANGES))
    names = ["run_id", "record", "title", "dataset_id", "action", "changes"]
    here = (Record.source_id == lease.source_id, Record.state.in_(_LIVE), _not_met(lease))
    query = gone.where(*here).order_by(Record.key)
    model.Session.execute(sa.insert(Difference).from_select(names, query))


def withdraw_listed(lease: Lease, *, approved: bool) -> list[Finding]:
    """Withdraw what was listed with this run when it was held, as far as it is still there."""
    listed = sa.exists().where(
        Difference.run_id == lease.run_id, Difference.record == Record.key, Difference.action == "withdrawn"
    )
    return _withdraw_pages(lease, listed, _not_met(lease), approved=approved)


def _not_met(lease: Lease) -> sa.ColumnElement[bool]:
    return Record.last_run_id != lease.run_id


def live_pages(source_id: str, *conditions: sa.ColumnElement[bool]) -> Iterator[Sequence[sa.Row[Any]]]:
    """Key, title and dataset id of the source's live records, in the order of their keys; a page when it is needed."""
    after = ""
    query = sa.select(Record.key, Record.title, Record.dataset_id)
    query = query.where(Record.source_id == source_id, Record.state.in_(_LIVE), *conditions)
    while page := model.Session.execute(query.where(Record.key > after).order_by(Record.key).limit(BATCH)).all():
        yield page
        after = page[-1].key


def _withdraw_pages(lease: Lease, *conditions: sa.ColumnElement[bool], approved: bool) -> list[Finding]:
    findings: list[Finding] = []
    for page in live_pages(lease.source_id, *conditions):
        lease.beat_when_due()
        going = [(record.key, record.dataset_id) for record in page]
        findings += withdraw_entries(lease, going, WITHDRAW_REASON, approved=approved)
    return findings
