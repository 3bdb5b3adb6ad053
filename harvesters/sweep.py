"""What is no longer in the source is withdrawn: out of sight, name and code kept, back when the record comes back.

With a brake: a source that suddenly lacks a large part of its records is more likely broken than cleaned up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.writer import BATCH, validation_findings, write_context
from ckanext.openhuizhou.model.harvest import Record

#: As many entries may always go, and this share of a source.
_ALWAYS: Final = 5
_SHARE: Final = 0.2
_LIVE: Final = ("published", "pending")
_REASON: Final = "数据来源中已没有这条记录"


def brake(total: int, going: int, seen: int) -> Finding | None:
    """Why the sweep must not run, if it must not. ``total``: live entries of the source; ``seen``: records read."""
    if total and not seen:
        return Finding("run-held-empty")
    allowed = max(_ALWAYS, int(total * _SHARE))
    if going > allowed:
        params = {"count": going, "total": total, "allowed": allowed}
        return Finding("run-held-withdrawals", params=params)
    return None


def live_count(source_id: str) -> int:
    """How many entries of the source are in the catalogue."""
    query = sa.select(sa.func.count()).select_from(Record)
    return model.Session.execute(query.where(Record.source_id == source_id, Record.state.in_(_LIVE))).scalar_one()


def gone(lease: Lease) -> list[tuple[str, str]]:
    """Key and dataset id of live records that this run did not meet."""
    query = sa.select(Record.key, Record.dataset_id).where(
        Record.source_id == lease.source_id, Record.last_run_id != lease.run_id, Record.state.in_(_LIVE)
    )
    return [(key, dataset_id) for key, dataset_id in model.Session.execute(query.order_by(Record.key))]


def withdraw(lease: Lease, records: Sequence[tuple[str, str]], *, approved: bool) -> list[Finding]:
    """Withdraw these entries, in batches of one transaction each; and forget records that never became entries.

    An entry that CKAN refuses to write makes CKAN roll back its whole batch, which is then written one by one: that
    entry stays, and is a finding of what is returned.
    """
    findings: list[Finding] = []
    for start in range(0, len(records), BATCH):
        batch = records[start : start + BATCH]
        try:
            _withdraw_batch(lease, batch, approved=approved)
        except tk.ValidationError:
            for record in batch:
                try:
                    _withdraw_batch(lease, [record], approved=approved)
                except tk.ValidationError as error:
                    findings += [_kept(record[0], finding) for finding in validation_findings(error)]
                    lease.counters["failed"] += 1
    never = ("refused", "failed")
    model.Session.execute(
        sa.delete(Record)
        .where(Record.source_id == lease.source_id, Record.last_run_id != lease.run_id, Record.state.in_(never))
        .execution_options(synchronize_session=False)
    )
    return findings


def _withdraw_batch(lease: Lease, batch: Sequence[tuple[str, str]], *, approved: bool) -> None:
    try:
        for key, dataset_id in batch:
            _withdraw_entry(dataset_id, approved=approved)
            model.Session.execute(
                sa.update(Record)
                .where(Record.source_id == lease.source_id, Record.key == key)
                .values(state="withdrawn", hash=None, last_result="withdrawn", last_seen=utcnow())
                .execution_options(synchronize_session=False)
            )
        lease.counters["withdrawn"] += len(batch)
        lease.renew()
        model.Session.commit()
    except BaseException:
        model.Session.rollback()
        raise


def _kept(key: str, finding: Finding) -> Finding:
    return Finding("withdrawal-failed", record=key, field=finding.field, params=finding.params)


def _withdraw_entry(dataset_id: str, *, approved: bool) -> None:
    """A draft of a source that nobody approved is out of sight already; a purged entry is gone."""
    try:
        entry = tk.get_action("package_show")({"ignore_auth": True, "use_cache": False}, {"id": dataset_id})
    except tk.ObjectNotFound:
        return
    if entry.get("state") == "deleted" or entry.get("entry_state") != "published":
        return
    entry.pop("metadata_modified", None)
    data = {**entry, "entry_state": "withdrawn", "withdraw_reason": _REASON}
    tk.get_action("package_update")(write_context(approved=approved), data)
