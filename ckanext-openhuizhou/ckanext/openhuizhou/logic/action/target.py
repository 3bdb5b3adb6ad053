"""How far the city's targets are, counted from the live catalogue each time: no counter is stored anywhere."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain import city_time, targets
from ckanext.openhuizhou.logic.schema.target import target_list_schema, target_show_schema
from ckanext.openhuizhou.logic.validation import validated

__all__ = ["openhuizhou_target_list", "openhuizhou_target_show"]

#: What a unit is, whatever its state.
UNIT: dict[targets.Unit, str] = {
    "dataset": "dataset_type:dataset open_type:unconditional openhuizhou_data_ok:true",
    "application": "dataset_type:application",
}
PUBLISHED = "entry_state:published"
ORGANIZATION, THEME, ISSUED = "organization", "theme", "issued"


@tk.side_effect_free
def openhuizhou_target_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """All targets with their progress, as :py:func:`openhuizhou_target_show` returns each.

    :param date: count as of the end of this day (``YYYY-MM-DD``), default now.
    """
    tk.check_access("openhuizhou_target_list", context, data_dict)
    data = validated(data_dict, target_list_schema(), context)
    searched: dict[tuple[targets.Unit, Any], _Counts] = {}
    return [_show(context, target, data.get("date"), searched) for target in config.targets()]


@tk.side_effect_free
def openhuizhou_target_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """One target and how far it is.

    :param id: for example ``datasets-march``.
    :param date: count as of the end of this day (``YYYY-MM-DD``), default now.
    :returns: ``id, title {en, zh}, unit, goal, deadline, task, date, count, remaining, met, met_on_time`` (``null``
        while the deadline lies ahead and the goal is not reached), ``fq`` (the filter for ``package_search`` that finds
        exactly what counts now), ``by_department`` (``name, title, count``, most first; departments that the plan names
        are listed even with 0), ``by_theme`` (the same, ``title`` in both languages), ``missing_departments``,
        ``by_month`` (``month, added, count``).
    """
    tk.check_access("openhuizhou_target_show", context, data_dict)
    data = validated(data_dict, target_show_schema(), context)
    for target in config.targets():
        if target.id == data["id"]:
            return _show(context, target, data.get("date"), {})
    raise tk.ObjectNotFound(tk._("There is no target “{id}”").format(id=data["id"]))


class _Counts:
    """The facets of one search."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.count: int = found["count"]
        self._facets: dict[str, Any] = found["search_facets"]

    def titled(self, facet: str) -> list[dict[str, Any]]:
        items = self._facets.get(facet, {}).get("items", [])
        return [{"name": item["name"], "title": item["display_name"], "count": item["count"]} for item in items]

    def plain(self, facet: str) -> dict[str, int]:
        return {item["name"]: item["count"] for item in self.titled(facet)}


def _search(unit: targets.Unit, day: dt.date | None) -> _Counts:
    """Count what is published now or, for a ``day``, what was published at its end."""
    query = {
        "fq": f"{UNIT[unit]} {PUBLISHED}",
        "rows": 0,
        "facet": "true",
        "facet.field": [ORGANIZATION, THEME, ISSUED],
        "facet.limit": -1,
        "facet.mincount": 1,
    }
    if day:
        # Entries withdrawn since then are private today; only their number leaves this function.
        was_published = f"({PUBLISHED} OR (entry_state:withdrawn AND withdrawn_on:{{{day.isoformat()} TO *]))"
        query["fq"] = f"{UNIT[unit]} +{ISSUED}:[* TO {day.isoformat()}T23:59:59Z] +{was_published}"
        query["include_private"] = True
    return _Counts(tk.get_action("package_search")({"ignore_auth": True}, query))


def _show(
    context: Context, target: targets.Target, day: dt.date | None, searched: dict[tuple[targets.Unit, Any], _Counts]
) -> dict[str, Any]:
    today = city_time.today()

    def counts_on(when: dt.date | None) -> _Counts:
        key = (target.unit, when)
        if key not in searched:
            searched[key] = _search(*key)
        return searched[key]

    counts = counts_on(day)
    progress = targets.measure(
        target,
        count=counts.count,
        at_deadline=counts_on(target.deadline if target.deadline < today else None).count,
        by_provider=counts.plain(ORGANIZATION),
        today=today,
    )
    return {
        "id": target.id,
        "title": dict(target.title),
        "unit": target.unit,
        "goal": target.goal,
        "deadline": target.deadline.isoformat(),
        "task": target.task,
        "date": (day or today).isoformat(),
        "count": progress.count,
        "remaining": max(target.goal - progress.count, 0),
        "met": progress.met,
        "met_on_time": progress.met_on_time,
        "fq": f"{UNIT[target.unit]} {PUBLISHED}",
        "by_department": _departments(context, target, counts),
        "missing_departments": list(progress.missing_providers),
        "by_theme": targets.most_first([_theme(item) for item in counts.titled(THEME)]),
        "by_month": targets.by_month(counts.plain(ISSUED)),
    }


def _departments(context: Context, target: targets.Target, counts: _Counts) -> list[dict[str, Any]]:
    found = counts.titled(ORGANIZATION)
    lacking = sorted(set(target.providers) - {department["name"] for department in found})
    if lacking:
        organizations = tk.get_action("organization_list")(
            {"user": context.get("user", "")}, {"organizations": lacking, "all_fields": True}
        )
        titles = {organization["name"]: organization["title"] for organization in organizations}
        found += [{"name": name, "title": titles.get(name, name), "count": 0} for name in lacking]
    return targets.most_first(found)


def _theme(item: dict[str, Any]) -> dict[str, Any]:
    theme = config.reference().themes.get(item["name"])
    return item | {"title": dict(theme.label) if theme else {"en": item["name"], "zh": item["name"]}}
