"""What the checks of a table found, how strict they are, and the decision about a table that they hold back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.data import held_tables
from ckanext.openhuizhou.data.load_job import settle_held
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.table_checks import Rule, checks, rules_with
from ckanext.openhuizhou.errors import NothingHeld, TableRefused
from ckanext.openhuizhou.harvesters.report import iso
from ckanext.openhuizhou.harvesters.stored import read_again
from ckanext.openhuizhou.logic import visibility
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.findings import described_finding, finding_text, in_reader_language
from ckanext.openhuizhou.logic.schema import data_check as schema
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.model import data_check

__all__ = [
    "openhuizhou_data_check_decide",
    "openhuizhou_data_check_rules",
    "openhuizhou_data_check_rules_update",
    "openhuizhou_data_check_show",
]


@tk.side_effect_free
def openhuizhou_data_check_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """What the last check of a table found.

    :param resource_id: id of the resource
    :returns: ``{resource_id, package_id, verdict, waiting, digest, rows, bad_rows, checked_at, decision, decided_by,
        decided_at, results}``. ``verdict``: passed, warned, held, refused. ``waiting``: a decision is needed.
        ``results``, the strictest first: ``{check, label, column, level, count, share, findings}``, each finding with
        ``row, column, value, message, mend, severity``. Findings in rows that are not published are for those who see
        drafts; for others they are empty, and ``rows_hidden`` is true.
    """
    tk.check_access("openhuizhou_data_check_show", context, data_dict)
    resource_id = validated(data_dict, schema.check_show_schema(), context)["resource_id"]
    check = data_check.check_of(resource_id)
    if check is None:
        raise tk.ObjectNotFound(tk._("The data of this resource has not been checked yet"))
    hidden = not _published(check) and not _sees_drafts(context, check.package_id)
    decider = model.User.get(check.decided_by) if check.decided_by else None
    return {
        "resource_id": resource_id,
        "package_id": check.package_id,
        "verdict": check.verdict,
        "waiting": held_tables.held_table(resource_id) is not None,
        "digest": check.digest,
        "rows": check.rows,
        "bad_rows": check.bad_rows,
        "checked_at": iso(check.checked_at),
        "decision": check.decision,
        "decided_by": (decider.fullname or decider.name) if decider else None,
        "decided_at": iso(check.decided_at),
        "rows_hidden": hidden,
        "results": [_result(values, hidden=hidden) for values in check.results],
    }


@tk.side_effect_free
def openhuizhou_data_check_rules(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """How strict the checks of an entry's tables are.

    :param package_id: id or name of the entry
    :returns: for each check ``{check, about, label, help, level, threshold, levels, default_level, default_threshold,
        changed}``. ``level``: ignore, warn, hold, refuse. ``threshold``: what is tolerated before the level counts;
        below 1 a share of the rows, from 1 on a number
    """
    tk.check_access("openhuizhou_data_check_rules", context, data_dict)
    package = _package(context, data_dict)
    changed = data_check.rules_of(package.id)
    return [_rule(key, rule, changed=key in changed) for key, rule in rules_with(changed).items()]


def openhuizhou_data_check_rules_update(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """Change how strict the checks are, from the next load on. A source is then read anew, also where it says that
    nothing changed.

    :param package_id: id or name of the entry
    :param rules: list of ``{check, level, threshold}``; what is not named gets its default
    :returns: as ``openhuizhou_data_check_rules``
    """
    tk.check_access("openhuizhou_data_check_rules_update", context, data_dict)
    data = validated(data_dict, schema.check_rules_update_schema(), context)
    package = _package(context, data)
    default = rules_with({})
    rules: dict[str, tuple[str, Decimal | None]] = {}
    for given in data.get("rules") or ():
        level, threshold = given["level"], given.get("threshold") or Decimal(0)
        if (level, threshold) != (default[given["check"]].level, default[given["check"]].threshold):
            rules[given["check"]] = (level, threshold)
    user = caller(context)
    data_check.set_rules(package.id, rules, user.id if user is not None else None)
    read_again(package.id)
    model.Session.commit()
    return tk.get_action("openhuizhou_data_check_rules")(tk.fresh_context(context), {"package_id": package.id})


def openhuizhou_data_check_decide(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Decide about a table that the checks hold back.

    :param resource_id: id of the resource
    :param decision: ``publish``: the rows take the place of those that are published; ``discard``: they do not, and the
        same rows are refused when they come again
    :returns: as ``openhuizhou_data_check_show``
    :raises ValidationError: when nothing waits, or the table could not be published
    """
    tk.check_access("openhuizhou_data_check_decide", context, data_dict)
    data = validated(data_dict, schema.check_decide_schema(), context)
    check = data_check.check_of(data["resource_id"])
    if check is None:
        raise tk.ObjectNotFound(tk._("The data of this resource has not been checked yet"))
    user = caller(context)
    try:
        published = held_tables.decide(data["resource_id"], data["decision"], user.id if user is not None else None)
    except NothingHeld as error:
        message = tk._("Nothing waits any more: somebody has decided already, or newer data has come")
        raise tk.ValidationError({"decision": [message]}) from error
    except TableRefused as error:
        raise tk.ValidationError({"decision": [finding_text(finding) for finding in error.findings]}) from error
    settle_held(data["resource_id"], check.package_id, published)
    return tk.get_action("openhuizhou_data_check_show")(tk.fresh_context(context), {"resource_id": data["resource_id"]})


def _published(check: data_check.DataCheck) -> bool:
    """Whether the rows that were checked are those that everybody reads."""
    return check.verdict in ("passed", "warned") or check.decision == "publish"


def _sees_drafts(context: Context, package_id: str) -> bool:
    package = model.Package.get(package_id)
    user = caller(context)
    if context.get("ignore_auth") or (user is not None and user.sysadmin):
        return True
    return package is not None and visibility.may_see_unchecked(package, user)


def _package(context: Context, data_dict: Mapping[str, Any]) -> model.Package:
    package = context.get("package") or model.Package.get(data_dict["package_id"])
    if package is None:
        raise tk.ObjectNotFound(tk._("Dataset not found"))
    return package


def _result(values: Mapping[str, Any], *, hidden: bool) -> dict[str, Any]:
    check = checks().get(values["check"])
    label = in_reader_language(check.label) if check else tk._("What always refuses a table")
    findings = [] if hidden else [_described(finding) for finding in values["findings"]]
    return {**values, "label": label, "findings": findings}


def _described(values: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: values.get(name) for name in ("record", "field", "row", "column", "value")}
    return described_finding(Finding(values["kind"], **known, params=values.get("params") or {}))


def _rule(key: str, rule: Rule, *, changed: bool) -> dict[str, Any]:
    check = checks()[key]
    return {
        "check": key,
        "about": check.about,
        "label": in_reader_language(check.label),
        "help": in_reader_language(check.help),
        "level": str(rule.level),
        "threshold": _number(rule.threshold),
        "levels": [str(level) for level in check.levels],
        "default_level": str(check.default.level),
        "default_threshold": _number(check.default.threshold),
        "changed": changed,
    }


def _number(threshold: Decimal) -> int | float:
    return int(threshold) if threshold == threshold.to_integral_value() else float(threshold)
