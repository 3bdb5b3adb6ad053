"""Choices of form fields, from the code lists and the city's reference data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.classification import DIVISION_DIGITS
from ckanext.openhuizhou.schemas.code_lists import code_list

__all__ = [
    "openhuizhou_category_choices",
    "openhuizhou_codes",
    "openhuizhou_region_choices",
    "openhuizhou_theme_choices",
]

Choice = dict[str, Any]


def openhuizhou_codes(field: Mapping[str, Any]) -> list[Choice]:
    """``[{value, label, …}]`` of the list that the field names in ``code_list``, without what is always refused."""
    return [_choice(code.key, code.label) for code in code_list(field["code_list"]) if not code.extra.get("refused")]


def openhuizhou_theme_choices(field: Mapping[str, Any]) -> list[Choice]:  # noqa: ARG001 - scheming's signature
    """The 23 fields; ``group`` is the label of their list."""
    return [
        _choice(theme.key, theme.label) | {"group": _by_locale(theme_list.label)}
        for theme_list in config.reference().themes.lists
        for theme in theme_list.themes
    ]


def openhuizhou_category_choices(field: Mapping[str, Any]) -> list[Choice]:  # noqa: ARG001 - scheming's signature
    """Every 目 of the tree with its code; ``group`` is the label of its 类 and 项."""
    classification = config.reference().classification
    choices = []
    for node in classification:
        if not node.assignable:
            continue
        above = [parent for parent in classification.path(node.code) if len(parent.code) <= DIVISION_DIGITS]
        group = {
            locale: " / ".join(_by_locale(parent.label)[locale] for parent in above) for locale in ("en", "zh_Hans_CN")
        }
        label = {language: f"{node.code} {text}" for language, text in node.label.items()}
        choices.append(_choice(node.code, label) | {"group": group})
    return choices


def openhuizhou_region_choices(field: Mapping[str, Any]) -> list[Choice]:  # noqa: ARG001 - scheming's signature
    """The city, its counties and zones by region code."""
    return [_choice(region.code, region.label) for region in config.reference().directory.regions.values()]


def _choice(value: str, label: Mapping[str, str]) -> Choice:
    return {"value": value, "label": _by_locale(label)}


def _by_locale(label: Mapping[str, str]) -> dict[str, str]:
    return {"en": label["en"], "zh_Hans_CN": label["zh"]}
