"""Withdrawals of many entries at once, each with the state of its record, in one transaction with the lease."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.exc import SQLAlchemyError

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters import bulk
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.writer import bulk_context, existing_entry, validation_findings, write_context
from ckanext.openhuizhou.model.harvest import Record

log = logging.getLogger(__name__)

#: Key of a record, id of its entry.
Going = tuple[str, str]


def withdraw_entries(lease: Lease, going: Sequence[Going], reason: str, *, approved: bool) -> list[Finding]:
    """Withdraw a batch of entries and commit. An entry that CKAN refuses to write stays, and is one of the findings.

    Raises:
        LeaseLost: another worker has the run; nothing of this batch was committed.
    """
    findings: list[Finding] = []
    for key, dataset_id in _left_of(lease, going, reason, approved=approved):
        try:
            _committed(lease, [(key, dataset_id)], lambda one=dataset_id: _by_action(one, reason, approved=approved))
        except tk.ValidationError as error:
            findings += [_kept(key, finding) for finding in validation_findings(error)]
            lease.counters["failed"] += 1
    return findings


def _left_of(lease: Lease, going: Sequence[Going], reason: str, *, approved: bool) -> Sequence[Going]:
    """Those that have to go through the action, after the others are withdrawn."""
    if not going or not bulk.possible():
        return going
    alterations = {dataset_id: lambda existing: withdrawn(existing, reason) for _key, dataset_id in going}
    context = bulk_context(approved=approved)
    done: set[str] = set()
    try:
        _committed(lease, going, lambda: done.update(bulk.update(alterations, context)), done)
    except SQLAlchemyError:
        log.warning("%s entries are withdrawn one by one", len(going), exc_info=True)
        return going
    return [one for one in going if one[1] not in done]


def _committed(lease: Lease, going: Sequence[Going], write: Any, done: set[str] | None = None) -> None:
    """``write``, with the states of the records and the lease. ``done``: ids of entries that it wrote, if not all."""
    try:
        write()
        keys = [key for key, dataset_id in going if done is None or dataset_id in done]
        model.Session.execute(
            sa.update(Record)
            .where(Record.source_id == lease.source_id, Record.key.in_(keys))
            .values(state="withdrawn", hash=None, last_result="withdrawn", last_seen=utcnow())
            .execution_options(synchronize_session=False)
        )
        lease.counters["withdrawn"] += len(keys)
        try:
            lease.renew()
            model.Session.commit()
        except BaseException:
            lease.counters["withdrawn"] -= len(keys)
            raise
    except BaseException:
        model.Session.rollback()
        raise


def withdrawn(existing: Mapping[str, Any], reason: str) -> dict[str, Any] | None:
    """The entry as it is to be; None for one that is out of sight already, as a draft of a source that nobody approved
    is."""
    if existing.get("state") == "deleted" or existing.get("entry_state") != "published":
        return None
    # with the time of the last change, CKAN would keep it
    kept = {name: value for name, value in existing.items() if name != "metadata_modified"}
    return {**kept, "entry_state": "withdrawn", "withdraw_reason": reason}


def _by_action(dataset_id: str, reason: str, *, approved: bool) -> None:
    try:
        data = withdrawn(existing_entry(dataset_id), reason)
    except tk.ObjectNotFound:  # purged
        return
    if data is not None:
        tk.get_action("package_update")(write_context(approved=approved), data)


def _kept(key: str, finding: Finding) -> Finding:
    return Finding("withdrawal-failed", record=key, field=finding.field, params=finding.params)
