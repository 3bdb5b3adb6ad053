"""The batch write path: entry, state of the record and outbox row in one transaction, then the tables, then the index.

What is ordinary is written at once (``bulk``). The rest goes through CKAN's own actions with ``defer_commit``: what is
left out is a commit and an index request for each entry. ``return_id_only`` must stand beside it: without it CKAN
rolls the change back in silence (a test guards this).

A validation error makes CKAN roll back the whole transaction. The rules were checked before, so that this is rare; the
batch is then written again one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib import search
from ckan.types import Context
from sqlalchemy.exc import SQLAlchemyError

from ckanext.openhuizhou.data.tables import drop_table, publish_tables, record_failure
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import LeaseLost, RunStopped
from ckanext.openhuizhou.harvesters import bulk
from ckanext.openhuizhou.harvesters import stored as records
from ckanext.openhuizhou.harvesters.conflicts import OWN, supersede
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.prepared import Prepared
from ckanext.openhuizhou.harvesters.resources import resources_of
from ckanext.openhuizhou.model.load import Origin
from ckanext.openhuizhou.search import outbox

log = logging.getLogger(__name__)

BATCH = 100


class _Spoiled(Exception):
    """CKAN rolled back the whole batch because of one record."""


@dataclass(slots=True)
class Writer:
    """Writes the batches of one run and keeps its counters.

    The index follows after every few batches, as its commits cost more than its documents, and with ``drain``.
    """

    lease: Lease
    approved: bool
    index_waits: bool = False
    #: ids of the datasets that cannot be indexed
    index_refused: set[str] = field(default_factory=set)
    _to_index: int = 0

    def write(self, batch: Sequence[Prepared]) -> None:
        """Write, publish and index what was prepared.

        Raises:
            LeaseLost: another worker has the run; nothing of this batch was committed.
        """
        if not batch:
            return
        self._write_entries(batch)
        self._publish_tables(batch)
        self._settle(batch)
        self._to_index += len(batch)
        if self._to_index >= outbox.BATCH:
            self.drain()

    def drain(self) -> None:
        """Index what waits. Solr may be down: then it waits on, and the run says so."""
        self._to_index = 0
        try:
            outbox.drain(refused=self.index_refused.add)
            self.index_waits = False
        except (search.SearchIndexError, OSError) as error:
            model.Session.rollback()
            self.index_waits = True
            log.warning("The index does not take changes now: %s", type(error).__name__)

    # entries

    def _write_entries(self, batch: Sequence[Prepared]) -> None:
        to_write = [prepared for prepared in batch if prepared.write]
        to_write = self._write_at_once(to_write)
        try:
            self._in_one_transaction(to_write)
        except _Spoiled:
            for prepared in to_write:
                if not prepared.write:
                    prepared.discard()
                    continue
                try:
                    self._in_one_transaction([prepared])
                except _Spoiled:
                    prepared.discard()

    def _write_at_once(self, batch: list[Prepared]) -> list[Prepared]:
        """Write and commit what is ordinary; what is left, which has to go through the actions."""
        if not batch or not bulk.possible():
            return batch
        try:
            written = self._written_at_once(batch)
            done = {one.key: self._pending(one) for one in batch if one.dataset_id in written}
            records.save_all(self.lease.source_id, done)
            self.lease.renew()
            model.Session.commit()
        except (LeaseLost, RunStopped, KeyboardInterrupt, SystemExit):
            model.Session.rollback()
            raise
        except Exception:
            # whatever is wrong with one of them: the others are not to suffer from it
            model.Session.rollback()
            log.warning("A batch of %s records is written one by one", len(batch), exc_info=True)
            return batch
        return [one for one in batch if one.dataset_id not in written]

    def _written_at_once(self, batch: Sequence[Prepared]) -> set[str]:
        context = bulk_context(approved=self.approved)
        ordinary = [one for one in batch if one.takes_over is None]
        new = [entry_data(one, None, approved=self.approved) for one in ordinary if one.result == "added"]
        changed = {
            one.dataset_id: partial(entry_data, one, approved=self.approved)
            for one in ordinary
            if one.result == "changed"
        }
        return (bulk.create(new, context) if new else set()) | (bulk.update(changed, context) if changed else set())

    def _in_one_transaction(self, batch: Sequence[Prepared]) -> None:
        if not batch:
            return
        try:
            for prepared in batch:
                self._write_entry(prepared)
            self.lease.renew()
            model.Session.commit()
        except BaseException:
            model.Session.rollback()
            raise

    @staticmethod
    def _pending(prepared: Prepared) -> dict[str, Any]:
        """The state of a record whose entry is written, and its table not yet."""
        return {
            "state": "pending",
            "title": prepared.title,
            "dataset_id": prepared.dataset_id,
            "hash": None,
            "last_result": prepared.result,
            # a run that is resumed must not take this record for one that it has finished
            "last_run_id": prepared.stored["last_run_id"] if prepared.stored else "",
            "last_seen": utcnow(),
        }

    def _write_entry(self, prepared: Prepared) -> None:
        """In a savepoint: what fails here takes nothing else with it, unless CKAN itself rolls everything back."""
        savepoint = model.Session.begin_nested()
        try:
            if prepared.takes_over is not None:
                supersede(prepared.takes_over, prepared.dataset_id, prepared.title, self.lease.source_id)
            save_entry(prepared, approved=self.approved)
            records.save(self.lease.source_id, prepared.key, self._pending(prepared))
            savepoint.commit()
        except tk.ValidationError as error:
            prepared.write, prepared.result = False, "refused"
            prepared.findings = tuple(validation_findings(error))
            raise _Spoiled from error
        except (LeaseLost, KeyboardInterrupt, SystemExit):
            raise
        except SQLAlchemyError as error:
            _unexpected(prepared, error)
            raise _Spoiled from error
        except Exception as error:
            _unexpected(prepared, error)
            if not savepoint.is_active:
                raise _Spoiled from error
            savepoint.rollback()
            prepared.discard()

    # tables

    def _publish_tables(self, batch: Sequence[Prepared]) -> None:
        for prepared in batch:
            if prepared.takes_over is not None and prepared.write:
                drop_table(prepared.takes_over.resource_id)
            if prepared.staged is None and prepared.table_refused and prepared.published_before:
                record_failure(prepared.resource_id, prepared.dataset_id, prepared.findings)
        staged = {one.resource_id: (one, one.staged) for one in batch if one.staged is not None}
        refused = publish_tables(
            [(table, one.dataset_id) for one, table in staged.values()], Origin(run_id=self.lease.run_id)
        )
        for resource_id, error in refused.items():
            prepared, _table = staged[resource_id]
            prepared.result, prepared.findings = "failed", error.findings

    # states and counters

    def _settle(self, batch: Sequence[Prepared]) -> None:
        run_id, source_id = self.lease.run_id, self.lease.source_id
        as_it_was = {prepared.key: prepared.rule for prepared in batch if prepared.nothing_new}
        records.mark_seen(source_id, as_it_was, run_id)
        records.save_all(source_id, {one.key: self._values(one) for one in batch if one.key not in as_it_was})
        for prepared in batch:
            if prepared.verdict_may_differ:
                # it is in the index document
                outbox.enqueue(prepared.dataset_id)
            self.lease.counters[prepared.result] += 1
            self.lease.count_rule(prepared.rule)
        self.lease.settled(len(batch))
        rows = [records.finding_values(run_id, f, p.key, p.title) for p in batch for f in p.findings]
        records.add_findings(rows)
        try:
            self.lease.renew()
            model.Session.commit()
        except BaseException:
            model.Session.rollback()
            raise

    def _values(self, prepared: Prepared) -> dict[str, Any]:
        values: dict[str, Any] = {
            "title": prepared.title,
            "last_result": prepared.result,
            "last_run_id": self.lease.run_id,
            "last_seen": utcnow(),
            "rule": prepared.rule,
            "held_columns": prepared.held_columns,
            "findings": [records.finding_to(finding) for finding in prepared.findings],
        }
        if prepared.result in records.GOOD:
            return values | {
                "state": "published",
                "dataset_id": prepared.dataset_id,
                "hash": prepared.hash,
                "refused_hash": None,
                "data_digest": prepared.data_digest,
                "payload_digest": prepared.payload_digest,
                "mapping_digest": prepared.mapping_digest,
                "columns": prepared.columns,
                "kind_state": dict(prepared.state or {}),
            }
        if prepared.write:  # the entry is written, its table is not: the next run tries again
            return values | {"state": "pending", "dataset_id": prepared.dataset_id, "hash": None}
        values["refused_hash"] = prepared.refused_hash if prepared.result == "refused" else None
        if prepared.superseded:
            values["state"] = "superseded"
        elif prepared.stored is None or prepared.stored["state"] not in OWN:
            values["state"] = prepared.result
        return values


def save_entry(prepared: Prepared, *, approved: bool) -> None:
    """Create or update the entry, uncommitted, through CKAN's actions."""
    context = write_context(approved=approved)
    if prepared.result == "added":
        tk.get_action("package_create")(context, entry_data(prepared, None, approved=approved))
        return
    existing = existing_entry(prepared.dataset_id)
    tk.get_action("package_update")(context, entry_data(prepared, existing, approved=approved))


def existing_entry(dataset_id: str) -> dict[str, Any]:
    """The entry as it is in the database; raises CKAN's ``NotFound``."""
    return tk.get_action("package_show")({"ignore_auth": True, "use_cache": False}, {"id": dataset_id})


def entry_data(prepared: Prepared, existing: Mapping[str, Any] | None, *, approved: bool) -> dict[str, Any]:
    """What CKAN is given of a record: to create an entry when there is no ``existing`` one, else to update it."""
    assert prepared.entry is not None, "only what was prepared for writing comes here"
    if existing is None:
        return prepared.entry | {
            "id": prepared.dataset_id,
            "type": "dataset",
            "entry_state": "published" if approved else "draft",
            "resources": resources_of(prepared, ()),
        }
    # with the time of the last change, CKAN would keep it
    kept = {name: value for name, value in existing.items() if name != "metadata_modified"}
    mapped = dict(prepared.entry)
    if "tag_string" in mapped:
        kept.pop("tags", None)
    return {
        **kept,
        **mapped,
        "entry_state": _next_state(existing, prepared, approved=approved),
        "resources": resources_of(prepared, existing.get("resources") or ()),
    }


def write_context(*, approved: bool) -> Context:
    """The context of every write of the engine."""
    user = tk.get_action("get_site_user")({"ignore_auth": True, "defer_commit": True}, {})["name"]
    context: dict[str, Any] = {
        "user": user,
        "ignore_auth": True,
        "defer_commit": True,
        "return_id_only": True,
        "openhuizhou_approved_source": approved,
    }
    return context  # pyright: ignore[reportReturnType]


def bulk_context(*, approved: bool) -> Context:
    """The same with what CKAN's actions put into it by themselves (``bulk``)."""
    context = write_context(approved=approved)
    user = model.User.get(context.get("user"))
    assert user is not None, "CKAN has made the site user"
    return Context(context, session=model.Session, auth_user_obj=user)


def _next_state(existing: Mapping[str, Any], prepared: Prepared, *, approved: bool) -> str:
    """What the sweep withdrew comes back; what a person withdrew stays so."""
    state = existing.get("entry_state") or "draft"
    if approved and (state == "draft" or (state == "withdrawn" and prepared.comes_back)):
        return "published"
    return state


def validation_findings(error: tk.ValidationError) -> list[Finding]:
    """What CKAN's validation said, by field."""
    found = []
    for name, messages in error.error_dict.items():
        texts = messages if isinstance(messages, list) else [messages]
        found += [Finding("entry-invalid", field=name, params={"reason": str(text)[:300]}) for text in texts if text]
    return found or [Finding("entry-invalid", params={"reason": str(error)[:300]})]


def _unexpected(prepared: Prepared, error: Exception) -> None:
    log.exception("Record %s failed", prepared.key)
    prepared.write, prepared.result = False, "failed"
    prepared.findings = (Finding("unexpected", params={"reason": type(error).__name__}),)
