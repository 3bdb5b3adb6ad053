"""Resource codes as addresses: from a code on paper to the entry that has it."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.openhuizhou import config
from ckanext.openhuizhou.logic.schema.catalogue_code import code_show_schema
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.model import catalogue

__all__ = ["openhuizhou_catalogue_code_show"]


@tk.side_effect_free
def openhuizhou_catalogue_code_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """The entry that a resource code (信息资源代码) belongs to.

    :param code: for example ``211001/17``
    :returns: ``code``, ``package_id``, ``name``, ``title``, ``entry_state``, ``organization`` (name and title) and
        ``classification``, the path of ``{code, label}`` from 类 down
    :raises NotFound: for a code that nobody has, or whose entry the caller may not see
    """
    tk.check_access("openhuizhou_catalogue_code_show", context, data_dict)
    data = validated(data_dict, code_show_schema(), context)
    package_id = catalogue.package_of_code(data["code"])
    try:
        if package_id is None:
            raise tk.ObjectNotFound
        entry = tk.get_action("package_show")(tk.fresh_context(context), {"id": package_id})
    except (tk.ObjectNotFound, tk.NotAuthorized):
        raise tk.ObjectNotFound(tk._("No entry has the code “{code}”").format(code=data["code"])) from None
    category = data["code"].partition("/")[0]
    return {
        "code": data["code"],
        "package_id": package_id,
        "name": entry["name"],
        "title": entry["title"],
        "entry_state": entry.get("entry_state"),
        "organization": {name: (entry.get("organization") or {}).get(name) for name in ("name", "title")},
        "classification": [
            {"code": node.code, "label": dict(node.label)} for node in config.reference().classification.path(category)
        ],
    }
