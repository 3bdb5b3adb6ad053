"""What codes are called, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.themes import ThemeList
from ckanext.openhuizhou.schemas.code_lists import code_list

from .formats import is_chinese

__all__ = [
    "openhuizhou_category_path",
    "openhuizhou_field",
    "openhuizhou_label",
    "openhuizhou_licence",
    "openhuizhou_region",
    "openhuizhou_text",
    "openhuizhou_theme",
    "openhuizhou_theme_icon",
    "openhuizhou_theme_lists",
]


def openhuizhou_text(labels: Mapping[str, str] | None) -> str:
    """One of ``{"en": …, "zh": …}``."""
    if not labels:
        return ""
    return labels.get("zh" if is_chinese() else "en") or next(iter(labels.values()))


def openhuizhou_label(list_name: str, key: Any) -> str:
    """The label of a key in ``schemas/code_lists``; an unknown key is shown as it is."""
    if key in (None, ""):
        return ""
    return code_list(list_name).label(str(key).lower() if key in (True, False) else str(key), _language())


def openhuizhou_field(name: str) -> str:
    """What a field of an entry is called on its form; an unknown field is shown as it is."""
    schema = tk.h.scheming_get_dataset_schema("dataset") or {}
    labels = {field["field_name"]: field.get("label") for field in schema.get("dataset_fields", ())}
    return tk.h.scheming_language_text(labels.get(name) or name)


def openhuizhou_theme(key: str | None) -> str:
    """The name of one of the 23 fields."""
    theme = config.reference().themes.get(key or "")
    return theme.label[_language()] if theme else key or ""


def openhuizhou_theme_icon(key: str) -> str:
    theme = config.reference().themes.get(key)
    return theme.icon if theme else "folder-open"


def openhuizhou_theme_lists() -> tuple[ThemeList, ...]:
    """社会治理 and 民生服务 with their fields, in the plan's order."""
    return config.reference().themes.lists


def openhuizhou_licence(entry: Mapping[str, Any]) -> dict[str, str]:
    """``title`` and ``url`` of the terms that an entry names; both empty when it names none."""
    id_ = entry.get("license_id")
    known = next((licence for licence in config.licences() if licence.id == id_), None)
    title = known.title[_language()] if known else entry.get("license_title") or id_ or ""
    return {"title": title, "url": entry.get("license_url") or ""}


def openhuizhou_region(code: str | None) -> str:
    """The name of a district, county or zone."""
    region = config.reference().directory.regions.get(str(code or ""))
    return region.label[_language()] if region else code or ""


def openhuizhou_category_path(code: str | None) -> list[dict[str, str]]:
    """From 类 down to the node: ``[{"code": "2", "label": "主题信息资源"}, …]``; empty for an unknown code."""
    nodes = config.reference().classification.path(str(code or ""))
    return [{"code": node.code, "label": node.label[_language()]} for node in nodes]


def _language() -> str:
    return "zh" if is_chinese() else "en"
