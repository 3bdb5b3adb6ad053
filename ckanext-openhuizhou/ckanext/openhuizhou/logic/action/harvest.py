"""Sources and their runs. Reading them shows no secret: variables are filled in only when a run starts."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.harvesters import engine, lease, report
from ckanext.openhuizhou.logic.findings import described_finding
from ckanext.openhuizhou.logic.harvest_access import all_departments, departments_of
from ckanext.openhuizhou.logic.schema import harvest as schema
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.model.harvest import Run, Source

__all__ = [
    "openhuizhou_harvest_run",
    "openhuizhou_harvest_run_list",
    "openhuizhou_harvest_run_show",
    "openhuizhou_source_list",
    "openhuizhou_source_show",
]


@tk.side_effect_free
def openhuizhou_source_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """Sources that the caller may see, by name, each as :py:func:`openhuizhou_source_show` returns it."""
    tk.check_access("openhuizhou_source_list", context, data_dict)
    validated(data_dict, schema.source_list_schema(), context)
    query = sa.select(Source).order_by(Source.name)
    organizations = _organizations(context)
    if organizations is not None:
        query = query.where(Source.organization_id.in_(organizations))
    return report.source_dicts(model.Session.scalars(query).all())


@tk.side_effect_free
def openhuizhou_source_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """One source.

    :param id: id or name of the source
    :returns: ``id, name, title, organization_id, kind, priority, approved, active, schedule, config, mapping,
        last_good_run, records`` (count by state) and ``last_run``
    """
    tk.check_access("openhuizhou_source_show", context, data_dict)
    data = validated(data_dict, schema.source_show_schema(), context)
    return report.source_dicts([_source(data["id"])])[0]


def openhuizhou_harvest_run(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Start a run of a source in the background. A run that is already under way is returned instead.

    :param source_id: id or name of the source
    :param mode: ``normal``; ``full`` (reads everything anew); ``approved`` (withdraws also what the brake
        holds back; platform officers only)
    :returns: the run, as :py:func:`openhuizhou_harvest_run_list` shows it
    """
    tk.check_access("openhuizhou_harvest_run", context, data_dict)
    data = validated(data_dict, schema.run_schema(), context)
    source = _source(data["source_id"])
    run_id, _new = lease.queue(source.id, data["mode"])
    # the queue only wakes a worker, state is in the database; a run may take longer than the queue's usual limit
    tk.enqueue_job(engine.work, title=f"harvest {source.name}", rq_kwargs={"timeout": -1})
    return report.run_dict(model.Session.get_one(Run, run_id), model.Session.get_one(Source, source.id))


@tk.side_effect_free
def openhuizhou_harvest_run_list(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Runs that the caller may see, the latest first.

    :param source_id: id or name of a source; all when not given
    :param limit: 20 when not given
    :param offset: 0 when not given
    :returns: ``count`` and ``results``: ``id, source_id, source, source_title, organization_id, mode, state`` (queued,
        running, held, done, failed, cancelled), ``created, started, finished`` (UTC), ``seconds, records`` and the
        counters ``added, changed, unchanged, withdrawn, refused, failed``
    """
    tk.check_access("openhuizhou_harvest_run_list", context, data_dict)
    data = validated(data_dict, schema.run_list_schema(), context)
    source_id = _source(data["source_id"]).id if data.get("source_id") else None
    count, results = report.runs(_organizations(context), source_id, data["limit"], data["offset"])
    return {"count": count, "results": results}


@tk.side_effect_free
def openhuizhou_harvest_run_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """One run with what it found.

    :param id: id of the run
    :param limit: findings at most, 200 when not given
    :param offset: 0 when not given
    :returns: the run, ``findings_count`` and ``findings``: ``kind, severity, record, title, field, row, column, value,
        message, mend``; the last two are sentences in the reader's language
    """
    tk.check_access("openhuizhou_harvest_run_show", context, data_dict)
    data = validated(data_dict, schema.run_show_schema(), context)
    run = model.Session.get(Run, data["id"])
    if run is None:
        raise tk.ObjectNotFound(tk._("Run not found"))
    count, found = report.findings(run.id, data["limit"], data["offset"])
    return {
        **report.run_dict(run, model.Session.get_one(Source, run.source_id)),
        "findings_count": count,
        "findings": [{**described_finding(finding), "title": title} for finding, title in found],
    }


def _source(id_or_name: str) -> Source:
    query = sa.select(Source).where(sa.or_(Source.id == id_or_name, Source.name == id_or_name))
    source = model.Session.scalar(query)
    if source is None:
        raise tk.ObjectNotFound(tk._("Source not found"))
    return source


def _organizations(context: Context) -> set[str] | None:
    if context.get("ignore_auth") or all_departments(context):
        return None
    return departments_of(context)
