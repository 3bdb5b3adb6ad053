"""Loads against the tables of the DataStore and the files of the storage, and all three against the resources.

A table that is not what was published is never mended by hand: it counts as not readable, its record is read again,
and the next run publishes it. Nobody's table or file is deleted while its resource exists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.data import datastore_tables, files, inventory, jobs, tables
from ckanext.openhuizhou.domain.discrepancies import Discrepancy, Report
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters.lease import abandoned
from ckanext.openhuizhou.harvesters.quiet import quiet
from ckanext.openhuizhou.harvesters.reconcile_records import AGAIN
from ckanext.openhuizhou.model import data_check
from ckanext.openhuizhou.model.harvest import Record, Run, record_of_table
from ckanext.openhuizhou.model.load import Load
from ckanext.openhuizhou.search import outbox

PAGE: Final = 500
#: Seconds: an upload's file is there before its resource, a staged one before it is published.
YOUNG: Final = 3600.0
_LOAD = Load.__table__


def compare_tables(report: Report) -> None:
    """Find what differs and, unless the report is a dry one, repair it."""
    _staging(report)
    for loads in _pages():
        report.looked_at["tables"] += len(loads)
        _loads(loads, report)
    for ids in inventory.tables():
        _orphan_tables(ids, report)
    for ids in inventory.published_files(YOUNG):
        report.looked_at["files"] += len(ids)
        _orphan_files(ids, report)


def _pages() -> Iterator[Sequence[sa.RowMapping]]:
    query = sa.select(_LOAD).order_by(_LOAD.c.resource_id).limit(PAGE)
    after = ""
    while rows := model.Session.execute(query.where(_LOAD.c.resource_id > after)).mappings().all():
        model.Session.rollback()
        after = rows[-1]["resource_id"]
        yield rows
    model.Session.rollback()


def _existing(resource_ids: Collection[str]) -> set[str]:
    """Those whose resource exists; an entry that a person deleted keeps its tables, it may come back."""
    query = sa.select(model.Resource.id).join(model.Package, model.Package.id == model.Resource.package_id)
    query = query.where(model.Resource.id.in_(list(resource_ids)), model.Resource.state != model.State.DELETED)
    found = set(model.Session.scalars(query))
    model.Session.rollback()
    return found


# loads


def _loads(loads: Sequence[sa.RowMapping], report: Report) -> None:
    existing = _existing([load["resource_id"] for load in loads])
    marks = inventory.marks_of([load["resource_id"] for load in loads])
    for load in loads:
        resource_id = load["resource_id"]
        if resource_id not in existing:
            _orphan_load(load, report)
        elif load["verdict"] == "ok" and (wrong := _wrong(load, marks.get(resource_id), report)) is not None:
            _mend(load, report, *wrong)


def _orphan_load(load: sa.RowMapping, report: Report) -> None:
    resource_id = load["resource_id"]
    if not report.dry:
        with datastore_tables.publication_lock(resource_id):
            if _existing([resource_id]):
                return
            tables.drop_table(resource_id)
    report.add([Discrepancy("load-orphan", resource_id, f"verdict {load['verdict']}", not report.dry)])


def _wrong(load: Mapping[Any, Any], mark: Mapping[str, Any] | None, report: Report) -> tuple[str, str] | None:
    """Kind of discrepancy and what was found; None when load, table and file are the same."""
    resource_id = load["resource_id"]
    if mark is None:
        return "table-missing", "no table that this portal published"
    if mark["digest"] != load["digest"]:
        return "publication-interrupted", f"table {mark['digest'][:12]}, verdict {str(load['digest'])[:12]}"
    size = inventory.size_of(resource_id)
    if size != load["size_bytes"]:
        return "file-wrong", "no file" if size is None else f"{size} bytes instead of {load['size_bytes']}"
    if not report.deep:
        return None
    if inventory.digest_of(resource_id) != load["digest"]:
        return "file-wrong", "another content"
    rows = inventory.count_rows(resource_id)
    return None if rows == load["rows"] else ("table-tampered", f"{rows} rows instead of {load['rows']}")


def _mend(load: Mapping[Any, Any], report: Report, kind: str, before: str) -> None:
    resource_id, record = load["resource_id"], _record_of(load["package_id"], load["resource_id"])
    if record is None:
        # a run may be about to write the record; what a person uploaded has none
        if _any_run_works():
            return
        report.add([_mended(load, report, kind, before)])
        return
    with quiet(record["source_id"]) as free:
        # looked at again: a run may have published it meanwhile
        again = _current(resource_id, report) if free else None
        if again is None:
            return
        report.add([_mended(load, report, *again)])
        if not report.dry and again[0] != "publication-interrupted":
            mine = sa.and_(Record.source_id == record["source_id"], Record.key == record["key"])
            published = Record.state.in_(("published", "pending"))
            statement = sa.update(Record).where(mine, published).values(dict(AGAIN))
            model.Session.execute(statement.execution_options(synchronize_session=False))
        if not report.dry:
            # the verdict is in the index
            outbox.enqueue(load["package_id"])


def _current(resource_id: str, report: Report) -> tuple[str, str] | None:
    load = model.Session.execute(sa.select(_LOAD).where(_LOAD.c.resource_id == resource_id)).mappings().first()
    if load is None or load["verdict"] != "ok":
        return None
    return _wrong(load, inventory.marks_of([resource_id]).get(resource_id), report)


def _mended(load: Mapping[Any, Any], report: Report, kind: str, before: str) -> Discrepancy:
    resource_id = load["resource_id"]
    if not report.dry:
        if kind == "publication-interrupted":
            done = tables.finish_publication(resource_id)
            return Discrepancy(kind, resource_id, before, done)
        inventory.forget_mark(resource_id)
        tables.record_failure(resource_id, load["package_id"], [Finding("load-failed")])
    return Discrepancy(kind, resource_id, before, not report.dry)


def _record_of(package_id: str, resource_id: str) -> sa.RowMapping | None:
    record = record_of_table(package_id, resource_id)
    model.Session.rollback()
    return record


# what belongs to nobody


def _orphan_tables(ids: Sequence[str], report: Report) -> None:
    existing = _existing(ids)
    for resource_id in ids:
        if resource_id in existing:
            continue
        if not report.dry:
            with datastore_tables.publication_lock(resource_id):
                if _existing([resource_id]):
                    continue
                tables.drop_table(resource_id)
        report.add([Discrepancy("table-orphan", resource_id, "a table without resource", not report.dry)])


def _orphan_files(ids: Sequence[str], report: Report) -> None:
    known = set(model.Session.scalars(sa.select(model.Resource.id).where(model.Resource.id.in_(ids))))
    model.Session.rollback()
    for resource_id in ids:
        if resource_id not in known:
            if not report.dry:
                files.remove(resource_id)
            report.add([Discrepancy("file-orphan", resource_id, "a file without resource", not report.dry)])


def _staging(report: Report) -> None:
    """Only while no run works: a table that is being staged belongs to no record yet. What a load is at, or is to go
    on with, and what waits for an officer, is left alone."""
    if _any_run_works():
        report.skipped.append("staging")
        return
    needed = jobs.loading() | data_check.held()
    waiting = [(resource_id, path) for resource_id, path in inventory.waiting_files(YOUNG) if resource_id not in needed]
    young = {resource_id for resource_id, _path in inventory.waiting_files(0)} - {one for one, _path in waiting}
    for resource_id in inventory.staging_tables():
        # its file is young: a preview, or a run that began just now
        if resource_id not in young and resource_id not in needed:
            if not report.dry:
                datastore_tables.drop_staging(resource_id)
            report.add([Discrepancy("staging-left", resource_id, "a staging table", not report.dry)])
    for resource_id, path in waiting:
        if not report.dry:
            path.unlink(missing_ok=True)
        report.add([Discrepancy("staging-left", resource_id, f"file {path.name}", not report.dry)])


def _any_run_works() -> bool:
    running = model.Session.scalars(sa.select(Run).where(Run.state == "running")).all()
    works = any(not abandoned(run) for run in running)
    model.Session.rollback()
    return works
