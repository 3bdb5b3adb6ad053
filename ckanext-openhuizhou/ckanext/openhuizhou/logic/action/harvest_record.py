"""Records of a source as the engine knows them, and whether catalogue, index and records agree."""

from __future__ import annotations

import logging
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.harvesters import drift, reconcile
from ckanext.openhuizhou.harvesters.report import iso
from ckanext.openhuizhou.harvesters.stored import finding_from
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.findings import described_finding, rule_text
from ckanext.openhuizhou.logic.harvest_access import source_named
from ckanext.openhuizhou.logic.schema import harvest_record as schema
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.model.harvest import Record, Source

__all__ = ["openhuizhou_reconcile_status", "openhuizhou_record_accept_columns", "openhuizhou_record_list"]

log = logging.getLogger(__name__)


@tk.side_effect_free
def openhuizhou_record_list(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Records of a source, by key.

    :param source_id: id or name of the source
    :param state: only those in this state: published, pending, withdrawn, refused, failed or superseded
    :param q: only those whose key or title has this text
    :param held_columns: ``True``: only those whose columns wait for a platform officer
    :param limit: 100 when not given
    :param offset: 0 when not given
    :returns: ``count`` and ``results``: ``{key, title, state, last_result, rule, rule_text, dataset_id, dataset_name,
        findings, columns, held_columns, first_seen, last_seen}``; a column is ``{column, data_type, name, source_type,
        published}``
    """
    tk.check_access("openhuizhou_record_list", context, data_dict)
    data = validated(data_dict, schema.record_list_schema(), context)
    query = sa.select(Record, model.Package.name).outerjoin(model.Package, model.Package.id == Record.dataset_id)
    query = query.where(Record.source_id == _source(data["source_id"]).id)
    if data.get("state"):
        query = query.where(Record.state == data["state"])
    if data.get("q"):
        asked = data["q"].replace("\x00", "")
        query = query.where(
            sa.or_(Record.key.icontains(asked, autoescape=True), Record.title.icontains(asked, autoescape=True))
        )
    if data["held_columns"]:
        query = query.where(Record.held_columns.is_not(None))
    count = model.Session.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()
    page = query.order_by(Record.key).limit(data["limit"]).offset(data["offset"])
    return {"count": count, "results": [_record_dict(record, name) for record, name in model.Session.execute(page)]}


def openhuizhou_record_accept_columns(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Accept the columns of a record that wait: the next run publishes the table with them.

    :param source_id: id or name of the source
    :param key: the record's key
    :returns: ``{source_id, key}``
    """
    tk.check_access("openhuizhou_record_accept_columns", context, data_dict)
    data = validated(data_dict, schema.accept_columns_schema(), context)
    source = _source(data["source_id"])
    source_id, name = source.id, source.name
    if model.Session.get(Record, (source_id, data["key"])) is None:
        raise tk.ObjectNotFound(tk._("The source has no record with this key"))
    if not drift.accept_columns(source_id, data["key"]):
        raise tk.ValidationError({"key": [tk._("No columns of this record wait")]})
    by = caller(context)
    log.info("Columns of %s in %s accepted by %s", data["key"], name, by.id if by else "command line")
    return {"source_id": source_id, "key": data["key"]}


@tk.side_effect_free
def openhuizhou_reconcile_status(context: Context, data_dict: dict[str, Any]) -> dict[str, Any] | None:
    """What the last comparison of database, index, records, tables and files has found and repaired.

    :returns: the report of ``ckan openhuizhou reconcile``; ``None`` when it has never run
    """
    tk.check_access("openhuizhou_reconcile_status", context, data_dict)
    return reconcile.last_report()


def _source(id_or_name: str) -> Source:
    source = source_named(id_or_name)
    if source is None:
        raise tk.ObjectNotFound(tk._("Source not found"))
    return source


def _record_dict(record: Record, dataset_name: str | None) -> dict[str, Any]:
    return {
        "key": record.key,
        "title": record.title,
        "state": record.state,
        "last_result": record.last_result,
        "rule": record.rule,
        "rule_text": rule_text(record.rule),
        "dataset_id": record.dataset_id,
        "dataset_name": dataset_name,
        "findings": [described_finding(finding_from(values)) for values in record.findings],
        "columns": drift.described(record.columns),
        "held_columns": drift.described(record.held_columns),
        "first_seen": iso(record.first_seen),
        "last_seen": iso(record.last_seen),
    }
