"""Runs: starting, steering and deciding them, and what they found."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.errors import WrongRunState
from ckanext.openhuizhou.harvesters import control, lease, report
from ckanext.openhuizhou.harvesters.passage import has_published
from ckanext.openhuizhou.harvesters.wake import wake
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.findings import described_change, described_finding, rule_text
from ckanext.openhuizhou.logic.harvest_access import source_named, visible_organizations
from ckanext.openhuizhou.logic.schema import harvest_run as schema
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.model.harvest import Run, Source

__all__ = [
    "openhuizhou_harvest_run",
    "openhuizhou_harvest_run_control",
    "openhuizhou_harvest_run_decide",
    "openhuizhou_harvest_run_differences",
    "openhuizhou_harvest_run_list",
    "openhuizhou_harvest_run_show",
]

log = logging.getLogger(__name__)


def openhuizhou_harvest_run(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Start a run of a source in the background. A run that is already under way is returned instead.

    A source that waits for approval and has published entries runs dry only.

    :param source_id: id or name of the source
    :param mode: ``normal``; ``full`` (reads everything anew); ``dry`` (writes nothing, says what would be)
    :returns: the run, as :py:func:`openhuizhou_harvest_run_list` shows it
    """
    tk.check_access("openhuizhou_harvest_run", context, data_dict)
    data = validated(data_dict, schema.run_schema(), context)
    source = source_named(data["source_id"])
    if source is None:
        raise tk.ObjectNotFound(tk._("Source not found"))
    source_id, name = source.id, source.name
    if data["mode"] != "dry" and not source.approved and has_published(source_id):
        sentence = tk._("The source has changed and waits for a platform officer's approval; until then only dry runs")
        raise tk.ValidationError({"source_id": [sentence]})
    run_id, _new = lease.queue(source_id, data["mode"], requested_by=_user_id(context))
    wake(f"harvest {name}")
    return _run_dict(model.Session.get_one(Run, run_id))


@tk.side_effect_free
def openhuizhou_harvest_run_list(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Runs that the caller may see, the latest first.

    :param source_id: id or name of a source; all when not given
    :param limit: 20 when not given
    :param offset: 0 when not given
    :returns: ``count`` and ``results``: ``id, source_id, source, source_title, organization_id, mode, state`` (queued,
        running, paused, held, done, failed, cancelled), ``created, started, finished`` (UTC), ``seconds, records,
        total, percent, per_second, seconds_left, requests, heartbeat`` (when its worker was last heard of), ``rules``
        (``{rule, text, count}``), ``trigger,
        requested_by, control, decision, decided_by, decided_at`` and the counters ``added, changed, unchanged,
        withdrawn, refused, failed``
    """
    tk.check_access("openhuizhou_harvest_run_list", context, data_dict)
    data = validated(data_dict, schema.run_list_schema(), context)
    source_id, organizations = None, visible_organizations(context)
    if data.get("source_id"):
        source = source_named(data["source_id"])
        if source is None or (organizations is not None and source.organization_id not in organizations):
            raise tk.ObjectNotFound(tk._("Source not found"))
        source_id = source.id
    count, results = report.runs(organizations, source_id, data["limit"], data["offset"])
    return {"count": count, "results": [_in_words(one) for one in results]}


@tk.side_effect_free
def openhuizhou_harvest_run_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """One run with what it found.

    :param id: id of the run
    :param kind: only findings of this kind
    :param severity: only findings of this severity: error, warning, info
    :param record: only findings of the record with this key
    :param limit: findings at most, 200 when not given
    :param offset: 0 when not given
    :returns: the run as :py:func:`openhuizhou_harvest_run_list`, ``findings_count`` and ``findings``: ``kind, severity,
        record, title, field, row, column, value, message, mend``; the last two are sentences in the reader's language;
        ``findings_kinds``: ``{kind, severity, count}`` of the whole run
    """
    tk.check_access("openhuizhou_harvest_run_show", context, data_dict)
    data = validated(data_dict, schema.run_show_schema(), context)
    run = _run(data["id"])
    asked = {name: data.get(name) for name in ("kind", "severity", "record")}
    count, found = report.findings(run.id, data["limit"], data["offset"], **asked)
    return {
        **_run_dict(run),
        "findings_count": count,
        "findings": [{**described_finding(finding), "title": title} for finding, title in found],
        "findings_kinds": report.finding_kinds(run.id),
    }


@tk.side_effect_free
def openhuizhou_harvest_run_differences(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """What a dry run would do, or which entries a held run would withdraw.

    :param id: id of the run
    :param action: only ``added``, ``changed``, ``withdrawn`` or ``refused``
    :param limit: 200 when not given
    :param offset: 0 when not given
    :returns: ``count`` and ``results``: ``{record, title, dataset_id, action, changes}``; a change is ``{field, label,
        before, after}``
    """
    tk.check_access("openhuizhou_harvest_run_differences", context, data_dict)
    data = validated(data_dict, schema.differences_schema(), context)
    count, results = report.differences(_run(data["id"]).id, data.get("action"), data["limit"], data["offset"])
    shown = [{**one, "changes": [described_change(change) for change in one["changes"]]} for one in results]
    return {"count": count, "results": shown}


def openhuizhou_harvest_run_control(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Pause, resume or cancel a run. One that is being worked on stops within seconds; what it wrote stays.

    :param id: id of the run
    :param action: ``pause``, ``resume`` or ``cancel``
    :returns: the run, as :py:func:`openhuizhou_harvest_run_list` shows it
    """
    tk.check_access("openhuizhou_harvest_run_control", context, data_dict)
    data = validated(data_dict, schema.control_schema(), context)
    by = _user_id(context)
    return _steered(data["id"], lambda run_id: control.request(run_id, data["action"], by), "action")


def openhuizhou_harvest_run_decide(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Decide on a held run: ``approved`` withdraws the entries that it lists, ``refused`` leaves them.

    :param id: id of the run
    :param decision: ``approved`` or ``refused``
    :returns: the run, as :py:func:`openhuizhou_harvest_run_list` shows it
    """
    tk.check_access("openhuizhou_harvest_run_decide", context, data_dict)
    data = validated(data_dict, schema.decide_schema(), context)
    by = _user_id(context)
    log.info("Held run %s: %s by %s", data["id"], data["decision"], by or "command line")
    return _steered(data["id"], lambda run_id: control.decide(run_id, data["decision"], by), "decision")


def _steered(run_id: str, ask: Callable[[str], str], parameter: str) -> dict[str, Any]:
    try:
        state = ask(run_id)
    except LookupError as error:
        raise tk.ObjectNotFound(tk._("Run not found")) from error
    except WrongRunState as error:
        sentence = tk._("The run is not in a state for this any more; look at it again")
        raise tk.ValidationError({parameter: [sentence]}) from error
    if state == "queued":
        wake(f"run {run_id}")
    return _run_dict(_run(run_id))


def _run(run_id: str) -> Run:
    run = model.Session.get(Run, run_id)
    if run is None:
        raise tk.ObjectNotFound(tk._("Run not found"))
    return run


def _run_dict(run: Run) -> dict[str, Any]:
    return _in_words(report.run_dict(run, model.Session.get_one(Source, run.source_id)))


def _in_words(run: dict[str, Any]) -> dict[str, Any]:
    return {**run, "rules": [{**rule, "text": rule_text(rule["rule"])} for rule in run["rules"]]}


def _user_id(context: Context) -> str | None:
    user = caller(context)
    return user.id if user else None
