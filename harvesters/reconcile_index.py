"""The database's entries against the documents of the index: missing, outdated, superfluous.

Both sides are walked in pages, by id and by Solr's cursor, so that memory is the same for a thousand entries and for
three hundred thousand. Only committed changes are compared, and what differs is looked at twice: between the commit of
an edit and its indexing both are right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from ckan import model
from ckan.lib.search.common import make_connection
from ckan.lib.search.index import escape_xml_illegal_chars

from ckanext.openhuizhou.domain.discrepancies import Discrepancy, Report
from ckanext.openhuizhou.model.harvest import Outbox
from ckanext.openhuizhou.model.load import Load
from ckanext.openhuizhou.search import outbox, walk
from ckanext.openhuizhou.search.solr_document import index_id

#: What of a document is compared; ``_version`` makes the same from the database.
_FIELDS: Final = (
    "metadata_modified", "name", "title", "dataset_type", "state", "capacity", "entry_state", "open_type",
    "organization", "openhuizhou_data_ok", "row_count",
)  # fmt: skip

Version = Mapping[str, Any]


def compare_index(report: Report) -> None:
    """Find what differs and, unless the report is a dry one, repair it through the outbox.

    Raises:
        pysolr.SolrError: Solr does not answer.
    """
    repair = _note if report.dry else outbox.enqueue
    gone = _gone_in_outbox()
    report.add(Discrepancy("outbox-gone", package_id, "waits in the outbox", not report.dry) for package_id in gone)
    if not report.dry:
        _drain(report)
    for ids in walk.dataset_pages():
        report.looked_at["entries"] += len(ids)
        report.add(_differing(ids, repair, report))
    for ids in walk.document_pages():
        report.looked_at["documents"] += len(ids)
        report.add(_superfluous(ids, repair, report))
    if not report.dry:
        _drain(report)


def _note(_package_ids: Sequence[str]) -> None:
    """A dry comparison changes nothing."""


def _drain(report: Report) -> None:
    refused: list[str] = []
    outbox.drain(refused=refused.append)
    report.add(Discrepancy("document-unwritable", package_id, "refused", False) for package_id in refused)


def _gone_in_outbox() -> list[str]:
    living = sa.exists().where(model.Package.id == Outbox.package_id)
    query = sa.select(Outbox.package_id).where(~living).distinct().order_by(Outbox.package_id)
    found = list(model.Session.scalars(query))
    model.Session.rollback()
    return found


# the database's side


def _differing(ids: Sequence[str], repair: Callable[[Sequence[str]], None], report: Report) -> list[Discrepancy]:
    first = _difference(ids)
    found = _difference(_settled(first)) if first else {}
    repair(list(found))
    model.Session.commit()
    return [
        Discrepancy("document-outdated" if before else "document-missing", package_id, before, not report.dry)
        for package_id, before in found.items()
    ]


def _settled(package_ids: Mapping[str, str]) -> list[str]:
    """Those that nobody is about to index; and whatever was sent by now is in the index."""
    make_connection().commit()
    waiting = set(model.Session.scalars(sa.select(Outbox.package_id).where(Outbox.package_id.in_(package_ids))))
    model.Session.rollback()
    return [package_id for package_id in package_ids if package_id not in waiting]


def _difference(ids: Sequence[str]) -> dict[str, str]:
    """What the index has otherwise, by id; an empty text where it has nothing."""
    documents = {document["id"]: document for document in _documents(ids)}
    versions = _versions(ids)
    found = {}
    for package_id, wanted in versions.items():
        document = documents.get(package_id)
        if document is None:
            found[package_id] = ""
        elif difference := _otherwise(wanted, document):
            found[package_id] = difference
    return found


def _otherwise(wanted: Version, document: Version) -> str:
    has = {name: document.get(name) for name in wanted}
    has["metadata_modified"] = _instant(has["metadata_modified"])
    different = [name for name, value in wanted.items() if has[name] != value]
    return ", ".join(f"{name}: {str(has[name])[:80]} instead of {str(wanted[name])[:80]}" for name in different)


def _versions(ids: Sequence[str]) -> dict[str, Version]:
    package = model.Package.__table__  # pyright: ignore[reportAttributeAccessIssue]
    loads = (
        sa.select(
            Load.package_id,
            sa.func.bool_and(Load.verdict == "ok").label("ok"),
            sa.func.sum(Load.rows).label("rows"),
        )
        .where(Load.package_id.in_(ids))
        .group_by(Load.package_id)
        .subquery()
    )
    query = (
        sa.select(
            *(package.c[name] for name in ("id", "name", "title", "type", "state", "private")),
            model.group_table.c.name.label("organization"),
            package.c.metadata_modified,
            package.c.extras["entry_state"].astext.label("entry_state"),
            package.c.extras["open_type"].astext.label("open_type"),
            loads.c.ok,
            loads.c.rows,
        )
        .outerjoin(loads, loads.c.package_id == package.c.id)
        .outerjoin(model.group_table, model.group_table.c.id == package.c.owner_org)
        .where(package.c.id.in_(ids), package.c.state != model.State.DELETED)
    )
    versions = {row.id: _version(row) for row in model.Session.execute(query)}
    model.Session.rollback()
    return versions


def _version(row: sa.Row[Any]) -> Version:
    version = {
        "metadata_modified": _to_milliseconds(row.metadata_modified),
        "name": row.name,
        "title": escape_xml_illegal_chars(row.title or "").lstrip() or None,
        "dataset_type": row.type,
        "state": row.state,
        "capacity": "private" if row.private else "public",
        "entry_state": row.entry_state,
        "open_type": row.open_type,
        "organization": row.organization,
        "openhuizhou_data_ok": bool(row.ok),
    }
    # without a load the figure is the entry's own
    return version if row.rows is None else version | {"row_count": int(row.rows)}


# the index's side


def _documents(ids: Sequence[str]) -> list[Version]:
    if not ids:
        return []
    wanted = ["{!terms f=id}" + ",".join(ids), *walk.of_this_site()]
    fields = ",".join(("id", *_FIELDS))
    return make_connection(decode_dates=False).search("*:*", fq=wanted, rows=len(ids), fl=fields).docs


def _superfluous(ids: Sequence[str], repair: Callable[[Sequence[str]], None], report: Report) -> list[Discrepancy]:
    strays = _strays(ids)
    if strays and not report.dry:
        make_connection().delete(id=list(strays), commit=True)
    found = _without_entry([package_id for package_id in ids if package_id not in strays.values()])
    if found:
        make_connection().commit()
        still = {document["id"] for document in _documents(found)}
        found = _without_entry([package_id for package_id in found if package_id in still])
    repair(found)
    model.Session.commit()
    told = [(package_id, "indexed") for package_id in found]
    told += [(package_id, f"indexed under {key}") for key, package_id in strays.items()]
    return [Discrepancy("document-superfluous", package_id, before, not report.dry) for package_id, before in told]


def _strays(ids: Sequence[str]) -> dict[str, str]:
    """Key and id of documents under a key that is not theirs: no indexing ever writes them anew, or removes them."""
    wanted = ["{!terms f=id}" + ",".join(ids), *walk.of_this_site()]
    answer = make_connection().search("*:*", fq=wanted, rows=2 * len(ids), fl="id,index_id")
    return {one["index_id"]: one["id"] for one in answer.docs if one["index_id"] != index_id(one["id"])}


def _without_entry(ids: Sequence[str]) -> list[str]:
    package = model.Package
    query = sa.select(package.id).where(package.id.in_(ids), package.state != model.State.DELETED)
    living = set(model.Session.scalars(query))
    model.Session.rollback()
    return [package_id for package_id in ids if package_id not in living]


def _to_milliseconds(moment: datetime) -> datetime:
    """As Solr keeps it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _instant(value: Any) -> datetime | None:
    return datetime.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else value
