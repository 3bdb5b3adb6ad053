"""The providers: departments, counties and zones, and how much each has open."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.openhuizhou.domain.departments import LEVELS
from ckanext.openhuizhou.logic.schema.department import department_list_schema
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.model.department import departments

__all__ = ["openhuizhou_department_list"]


@tk.side_effect_free
def openhuizhou_department_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """The providers, each with the number of datasets that the caller can see.

    :param level: only ``city``, ``county`` or ``zone`` (optional)
    :returns: ``[{id, name, title, short_name, level, region, credit_code, credit_code_demo, parent, count}]`` by level,
        then by count, then by name; ``parent`` is a name or ``None``
    """
    tk.check_access("openhuizhou_department_list", context, data_dict)
    data = validated(data_dict, department_list_schema(), context)
    found = tk.get_action("package_search")(
        tk.fresh_context(context),
        {
            "fq": "dataset_type:dataset entry_state:published",
            "rows": 0,
            "facet.field": ["organization"],
            "facet.limit": -1,
        },
    )
    counts = found["facets"].get("organization", {})
    listed = [
        department
        | {
            "credit_code_demo": tk.asbool(department["credit_code_demo"] or False),
            "count": counts.get(department["name"], 0),
        }
        for department in departments()
        if data.get("level") in (None, department["level"])
    ]
    rank = {level: place for place, level in enumerate(LEVELS)}
    return sorted(listed, key=lambda each: (rank.get(each["level"] or "", len(rank)), -each["count"], each["name"]))
