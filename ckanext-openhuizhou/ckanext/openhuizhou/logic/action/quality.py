"""The quality score of entries, departments and the city, with reasons that a person can act on."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.domain import quality as rule
from ckanext.openhuizhou.domain.quality_criteria import REASONS
from ckanext.openhuizhou.harvesters.report import iso
from ckanext.openhuizhou.model import quality as scores

__all__ = ["openhuizhou_quality_list", "openhuizhou_quality_show"]


@tk.side_effect_free
def openhuizhou_quality_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """The quality score of an entry.

    :param id: id or name of the dataset
    :returns: ``{package_id, score, band, freshness, due, computed_at, dimensions: [{key, label, points, most, reasons:
        [{kind, severity, message, mend}]}]}``; ``score`` of 100, ``most`` 0 where a dimension cannot be judged
    """
    tk.check_access("openhuizhou_quality_show", context, data_dict)
    package = model.Package.get(tk.get_or_bust(data_dict, "id"))
    found = scores.of([package.id]).get(package.id) if package is not None else None
    if found is None:
        raise tk.ObjectNotFound(tk._("The score is being computed"))
    return {
        "package_id": found.package_id,
        "score": found.score,
        "band": rule.band_of(found.score).key,
        "freshness": found.freshness,
        "due": iso(found.due),
        "computed_at": iso(found.computed_at),
        "dimensions": [
            _dimension(dimension, found.dimensions[dimension.key])
            for dimension in rule.rules().dimensions
            if dimension.key in found.dimensions
        ],
    }


@tk.side_effect_free
def openhuizhou_quality_list(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """The scores of the city and of its departments, of entries that everybody may see.

    :returns: ``{city, departments}``; each ``{entries, score, band, in_time, late, dimensions: {key: reached points of
        100}}``, a department also with ``id``, ``name`` and ``title``, the best first
    """
    tk.check_access("openhuizhou_quality_list", context, data_dict)
    found = scores.averages()
    named = model.Session.query(model.Group).filter(model.Group.id.in_([id_ for id_ in found if id_])).all()
    departments = [
        {"id": group.id, "name": group.name, "title": group.title, **_with_band(found[group.id])} for group in named
    ]
    city = _with_band(found[None]) if found.get(None, {}).get("entries") else None
    return {"city": city, "departments": sorted(departments, key=lambda one: (-one["score"], one["name"]))}


def _with_band(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "band": rule.band_of(int(values["score"])).key}


def _dimension(dimension: rule.Dimension, judged: dict[str, Any]) -> dict[str, Any]:
    reasons = [_reason(one["kind"], one["params"]) for one in judged["reasons"] if one["kind"] in REASONS]
    return {"key": dimension.key, "label": dict(dimension.label), **judged, "reasons": reasons}


def _reason(name: str, params: dict[str, Any]) -> dict[str, Any]:
    kind = REASONS[name]
    message, mend = tk._(kind.message).format(**params), tk._(kind.mend).format(**params)
    return {"kind": name, "severity": kind.severity, "message": message, "mend": mend}
