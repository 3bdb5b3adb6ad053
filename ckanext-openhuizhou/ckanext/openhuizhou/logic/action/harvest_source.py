"""Sources: which there are, how they fare, making and changing them. No answer holds a secret."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.harvesters import report
from ckanext.openhuizhou.harvesters.kinds import TYPE_NAMES, Option, kinds
from ckanext.openhuizhou.logic import source_edit
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.harvest_access import source_named, visible_organizations
from ckanext.openhuizhou.logic.schema import harvest_source as schema
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.model.harvest import ACTIVE_STATES, Record, Run, Source
from ckanext.openhuizhou.model.source_change import record_change, source_changes

__all__ = [
    "openhuizhou_source_approve",
    "openhuizhou_source_change_list",
    "openhuizhou_source_create",
    "openhuizhou_source_delete",
    "openhuizhou_source_kinds",
    "openhuizhou_source_list",
    "openhuizhou_source_patch",
    "openhuizhou_source_show",
    "openhuizhou_source_update",
]

log = logging.getLogger(__name__)


@tk.side_effect_free
def openhuizhou_source_kinds(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """Kinds of source with the options that each takes, in the reader's language.

    :returns: ``[{name, title, description, default_mapping, options}]``; an option is ``{name, type, types, label,
        help, required, default, secret, choices, rare, options}``: ``types`` are all that it may be (text, number,
        boolean, list, mapping), ``type`` the usual one, ``rare``: a form may fold it away, ``options`` those of a
        nested mapping; ``default_mapping``: whether a source of this kind can do without a mapping of its own
    """
    tk.check_access("openhuizhou_source_kinds", context, data_dict)
    return [
        {
            "name": kind.name,
            "title": tk._(kind.title) if kind.title else kind.name,
            "description": tk._(kind.description) if kind.description else "",
            "default_mapping": kind.default_mapping is not None,
            "options": [_option_dict(option) for option in kind.options],
        }
        for _name, kind in sorted(kinds().items())
    ]


@tk.side_effect_free
def openhuizhou_source_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """Sources that the caller may see, by name, each as :py:func:`openhuizhou_source_show` returns it.

    :param state: only those of this health: ``ok``, ``late``, ``failing``, ``held``, ``paused``, ``new`` or
        ``unapproved``
    """
    tk.check_access("openhuizhou_source_list", context, data_dict)
    data = validated(data_dict, schema.source_list_schema(), context)
    query = sa.select(Source).order_by(Source.name)
    organizations = visible_organizations(context)
    if organizations is not None:
        query = query.where(Source.organization_id.in_(organizations))
    found = _shown(model.Session.scalars(query).all())
    return [one for one in found if one["health"] == data["state"]] if data.get("state") else found


@tk.side_effect_free
def openhuizhou_source_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """One source.

    :param id: id or name of the source
    :returns: ``id, name, title, organization_id, organization_title, kind, priority, approved, approved_by,
        approved_at, active, schedule, next_run, notify, contact_email, config`` (without secrets), ``secrets`` (paths
        of the options that are set), ``mapping, modified`` (for :py:func:`openhuizhou_source_patch`),
        ``last_good_run, records`` (count by state), ``last_run, health`` (ok, late, failing, held, paused, new,
        unapproved),
        ``freshness`` (``due_entries, late_entries``), ``trend`` (the last ten runs) and ``waiting`` (``held_runs``,
        ids; ``held_columns``, records whose columns wait). Times are UTC
    """
    tk.check_access("openhuizhou_source_show", context, data_dict)
    data = validated(data_dict, schema.source_show_schema(), context)
    return _shown([_source(data["id"])])[0]


@tk.side_effect_free
def openhuizhou_source_change_list(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Who changed what of a source, the latest first.

    :param id: id or name of the source; those of all, deleted ones too, when not given (platform officers, auditors)
    :param limit: 20 when not given
    :param offset: 0 when not given
    :returns: ``count`` and ``results``: ``{id, source_id, source, action, changed_at, changed_by, changed_by_title,
        changes}``; ``action`` is created, updated, approved, deleted or seeded; a change is ``{field, before,
        after}``, of a secret only that it was set
    """
    tk.check_access("openhuizhou_source_change_list", context, data_dict)
    data = validated(data_dict, schema.change_list_schema(), context)
    source_id = _source(data["id"]).id if data.get("id") else None
    # a source that went to another department takes its history with it
    organizations = None if source_id else visible_organizations(context)
    count, results = source_changes(source_id, organizations, data["limit"], data["offset"])
    return {"count": count, "results": results}


def openhuizhou_source_create(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Make a source. It writes drafts until a platform officer approves it.

    :param title: what officers call it
    :param organization_id: the department, by id or name
    :param kind: one of :py:func:`openhuizhou_source_kinds`
    :param config: the kind's options; secret ones are stored encrypted and never shown again
    :param mapping: which field of the source fills which field of the catalogue; a mapping or YAML text
    :param name: of small letters, digits and ``-``; made from department and kind when not given; stays for ever
    :param priority: whose entry wins when two sources bring the same; 100 when not given; platform officers only
    :param schedule: a cron expression of five fields on the city's clock; none: only when a person starts it
    :param notify: ``always``, ``change``, ``error`` (when not given) or ``never``
    :param contact_email: whom to tell
    :param active: whether the schedule counts; ``True`` when not given
    :returns: the source, as :py:func:`openhuizhou_source_show`
    """
    tk.check_access("openhuizhou_source_create", context, data_dict)
    source = source_edit.create(context, dict(data_dict))
    model.Session.commit()
    return _shown([source])[0]


def openhuizhou_source_update(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Change a source as a whole: what is not given is as when it is made.

    When kind, configuration, mapping or department change, a platform officer has to approve the source again.

    Parameters as of :py:func:`openhuizhou_source_create`, and:

    :param id: id or name of the source
    :param secrets_removed: paths of secret options that are to be forgotten; a secret that is not given is kept
    :param modified: the source's ``modified`` when it was looked at; refused when somebody has changed it since
    :returns: the source, as :py:func:`openhuizhou_source_show`
    """
    tk.check_access("openhuizhou_source_update", context, data_dict)
    return _changed(context, data_dict, whole=True)


def openhuizhou_source_patch(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Change some fields of a source; parameters and answer as of :py:func:`openhuizhou_source_update`."""
    tk.check_access("openhuizhou_source_patch", context, data_dict)
    return _changed(context, data_dict, whole=False)


def openhuizhou_source_delete(context: Context, data_dict: dict[str, Any]) -> None:
    """Delete a source of which nothing is published, with its runs and records.

    :param id: id or name of the source
    """
    tk.check_access("openhuizhou_source_delete", context, data_dict)
    data = validated(data_dict, schema.source_show_schema(), context)
    source = source_edit.locked(_source(data["id"]).id)
    count = _published(source.id)
    active = sa.select(Run.id).where(Run.source_id == source.id, Run.state.in_(ACTIVE_STATES)).limit(1)
    if count:
        sentence = tk._("{count} entries of this source are published; withdraw them before you delete it")
        _refuse(sentence.format(count=count))
    if model.Session.execute(active).first():
        _refuse(tk._("A run of this source is under way; cancel it before you delete the source"))
    by = caller(context)
    record_change(source, "deleted", by.id if by else None)
    model.Session.execute(sa.delete(Source).where(Source.id == source.id))
    model.Session.commit()
    log.info("Source %s deleted", data["id"])


def openhuizhou_source_approve(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Approve a source with its configuration and mapping: from now on its entries are published, on its schedule.

    :param id: id or name of the source
    :param modified: the source's ``modified`` when it was looked at; refused when somebody has changed it since
    :returns: the source, as :py:func:`openhuizhou_source_show`
    """
    tk.check_access("openhuizhou_source_approve", context, data_dict)
    data = validated(data_dict, schema.source_approve_schema(), context)
    source = source_edit.locked(_source(data["id"]).id)
    try:
        source_edit.same_as_seen(source, data.get("modified"))
    except tk.ValidationError:
        model.Session.rollback()
        raise
    by = caller(context)
    if not source.approved:
        source.approved, source.approved_by, source.approved_at = True, by.id if by else None, utcnow()
        source.next_run, source.modified = None, utcnow()
        record_change(source, "approved", source.approved_by)
    model.Session.commit()
    return _shown([source])[0]


def _changed(context: Context, data_dict: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    source = source_edit.locked(_source(validated(data_dict, schema.source_show_schema(), context)["id"]).id)
    given = dict(data_dict) if whole else {**source_edit.given_of(source), **data_dict}
    try:
        source_edit.change(context, source, given)
    except tk.ValidationError:
        model.Session.rollback()
        raise
    model.Session.commit()
    return _shown([source])[0]


def _refuse(sentence: str) -> None:
    model.Session.rollback()
    raise tk.ValidationError({"message": [sentence]})


def _source(id_or_name: str) -> Source:
    source = source_named(id_or_name)
    if source is None:
        raise tk.ObjectNotFound(tk._("Source not found"))
    return source


def _published(source_id: str) -> int:
    query = (
        sa.select(sa.func.count())
        .select_from(Record)
        .join(model.Package, model.Package.id == Record.dataset_id)
        .where(Record.source_id == source_id, model.Package.extras["entry_state"].astext == "published")
    )
    return model.Session.execute(query).scalar_one()


def _shown(sources: Iterable[Source]) -> list[dict[str, Any]]:
    """The report of each source, and what pages need beside it; the number of queries does not grow."""
    sources = list(sources)
    ids = [source.id for source in sources]
    organizations = sa.select(model.Group.id, model.Group.title, model.Group.name).where(
        model.Group.id.in_({source.organization_id for source in sources})
    )
    titles = {id_: title or name for id_, title, name in model.Session.execute(organizations)}
    held: dict[str, list[str]] = {}
    waiting = sa.select(Run.source_id, Run.id).where(Run.source_id.in_(ids), Run.state == "held").order_by(Run.created)
    for source_id, run_id in model.Session.execute(waiting):
        held.setdefault(source_id, []).append(run_id)
    columns = sa.select(Record.source_id, sa.func.count()).where(
        Record.source_id.in_(ids), Record.held_columns.is_not(None)
    )
    rows = model.Session.execute(columns.group_by(Record.source_id))
    columns_held: dict[str, int] = {row[0]: row[1] for row in rows}
    return [
        {
            **shown,
            "modified": source_edit.seen_at(source),
            "organization_title": titles.get(source.organization_id),
            "waiting": {"held_runs": held.get(source.id, []), "held_columns": columns_held.get(source.id, 0)},
        }
        for source, shown in zip(sources, report.source_dicts(sources), strict=True)
    ]


def _option_dict(option: Option) -> dict[str, Any]:
    types = list(dict.fromkeys(TYPE_NAMES[one] for one in option.types))
    if option.options is not None:
        types.append("mapping")
    return {
        "name": option.name,
        "type": types[0],
        "types": types,
        "label": tk._(option.label) if option.label else option.name,
        "help": tk._(option.help) if option.help else "",
        "required": option.required,
        "default": option.default,
        "secret": option.secret,
        "choices": list(option.choices) if option.choices is not None else None,
        "rare": option.rare,
        "options": [_option_dict(inner) for inner in option.options] if option.options is not None else None,
    }
