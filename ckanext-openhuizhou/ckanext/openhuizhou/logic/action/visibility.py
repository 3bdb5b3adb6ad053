"""CKAN's actions that tell of packages without asking whether the viewer may see them now."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Action, Context, DataDict

from ckanext.openhuizhou.logic import visibility

__all__ = [
    "dashboard_activity_list",
    "group_activity_list",
    "member_list",
    "organization_activity_list",
    "recently_changed_packages_activity_list",
    "resource_view_list",
    "tag_autocomplete",
    "tag_list",
    "tag_search",
    "user_activity_list",
]


@tk.chained_action
@tk.side_effect_free
def resource_view_list(next_action: Action, context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """The views of a resource; none where the viewer may see the resource but not its data."""
    views = next_action(context, data_dict)
    try:
        tk.check_access("openhuizhou_resource_data_show", tk.fresh_context(context), {"id": data_dict["id"]})
    except tk.NotAuthorized:
        return []
    return views


@tk.chained_action
@tk.side_effect_free
def member_list(next_action: Action, context: Context, data_dict: DataDict) -> list[tuple[str, str, str]]:
    """Members of a group. CKAN lists the ids of every package of an organization, drafts included."""
    members = next_action(context, data_dict)
    visible = visibility.visible_packages(context, (row[0] for row in members if row[1] == "package"))
    return [row for row in members if row[1] != "package" or row[0] in visible]


@tk.chained_action
@tk.side_effect_free
def tag_list(next_action: Action, context: Context, data_dict: DataDict) -> list[Any]:
    """Tags of public packages. CKAN lists every tag, also one that only a draft has."""
    return _of_public_packages(next_action(context, data_dict))


@tk.chained_action
@tk.side_effect_free
def tag_autocomplete(next_action: Action, context: Context, data_dict: DataDict) -> list[str]:
    """Tags of public packages that begin like what was typed."""
    return _of_public_packages(next_action(context, data_dict))


@tk.chained_action
@tk.side_effect_free
def tag_search(next_action: Action, context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Tags of public packages that hold what was asked for; ``count`` counts what is returned."""
    found = next_action(context, data_dict)
    results = _of_public_packages(found["results"])
    return {**found, "results": results, "count": found["count"] - len(found["results"]) + len(results)}


@tk.chained_action
@tk.side_effect_free
def organization_activity_list(next_action: Action, context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """Activities of an organization, without those of entries that the viewer may not see now."""
    return _visible_now(context, next_action(context, data_dict))


@tk.chained_action
@tk.side_effect_free
def group_activity_list(next_action: Action, context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """Activities of a group, without those of entries that the viewer may not see now."""
    return _visible_now(context, next_action(context, data_dict))


@tk.chained_action
@tk.side_effect_free
def user_activity_list(next_action: Action, context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """Activities of a user, without those of entries that the viewer may not see now."""
    return _visible_now(context, next_action(context, data_dict))


@tk.chained_action
@tk.side_effect_free
def dashboard_activity_list(next_action: Action, context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """The viewer's own stream, without entries that he may not see any more."""
    return _visible_now(context, next_action(context, data_dict))


@tk.chained_action
@tk.side_effect_free
def recently_changed_packages_activity_list(
    next_action: Action, context: Context, data_dict: DataDict
) -> list[dict[str, Any]]:
    """Recent changes on the site, without those of entries that the viewer may not see now."""
    return _visible_now(context, next_action(context, data_dict))


def _of_public_packages(tags: list[Any]) -> list[Any]:
    """Those of the tags (names, or dicts with ``name``) that a public package has."""
    names = [tag if isinstance(tag, str) else tag["name"] for tag in tags]
    public = visibility.public_tags(names)
    return [tag for tag, name in zip(tags, names, strict=True) if name in public]


def _visible_now(context: Context, activities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An activity keeps the labels of its day: that an entry was withdrawn since then only the entry knows."""
    about = {item["object_id"] for item in activities if _of_package(item)}
    visible = visibility.visible_packages(context, about)
    return [item for item in activities if not _of_package(item) or item["object_id"] in visible]


def _of_package(activity: dict[str, Any]) -> bool:
    return (activity.get("activity_type") or "").endswith("package")
