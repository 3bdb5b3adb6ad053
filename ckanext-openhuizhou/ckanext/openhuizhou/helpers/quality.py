"""The quality score in words: dimensions, reasons, and the band of a score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.domain import quality

from .labels import openhuizhou_text

__all__ = ["openhuizhou_quality", "openhuizhou_quality_band", "openhuizhou_quality_rules"]


def openhuizhou_quality_band(key: str) -> str:
    """The word for a band; an unknown key is shown as it is."""
    found = next((band for band in quality.rules().bands if band.key == key), None)
    return openhuizhou_text(found.label) if found else key


def openhuizhou_quality_rules() -> quality.Rules:
    """The dimensions with their points, and the bands: what the page about the score explains."""
    return quality.rules()


def openhuizhou_quality(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """The score of an entry as ``openhuizhou_quality_show`` gives it; None while it is being computed."""
    try:
        return tk.get_action("openhuizhou_quality_show")({}, {"id": entry["id"]})
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return None
