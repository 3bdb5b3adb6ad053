"""The 23 fields of 开放惠州 and how much is open in each."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.openhuizhou import config

__all__ = ["openhuizhou_theme_list"]


@tk.side_effect_free
def openhuizhou_theme_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields in their two lists, each with the number of datasets that the caller can see.

    :returns: ``[{key, label: {en, zh}, themes: [{key, label: {en, zh}, icon, count}]}]`` in the plan's order
    """
    tk.check_access("openhuizhou_theme_list", context, data_dict)
    found = tk.get_action("package_search")(
        tk.fresh_context(context),
        {"fq": "dataset_type:dataset entry_state:published", "rows": 0, "facet.field": ["theme"], "facet.limit": -1},
    )
    counts = found["facets"].get("theme", {})
    return [
        {
            "key": theme_list.key,
            "label": dict(theme_list.label),
            "themes": [
                {
                    "key": theme.key,
                    "label": dict(theme.label),
                    "icon": theme.icon,
                    "count": counts.get(theme.key, 0),
                }
                for theme in theme_list.themes
            ],
        }
        for theme_list in config.reference().themes.lists
    ]
