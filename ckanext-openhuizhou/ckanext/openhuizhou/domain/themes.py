"""The 23 fields of 开放惠州 in their two lists (``config/themes.yaml``), read once and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.yaml_file import read_yaml


@dataclass(frozen=True, slots=True)
class Theme:
    """One field. ``icon`` is a Font Awesome name without prefix."""

    key: str
    label: Mapping[str, str]
    icon: str


@dataclass(frozen=True, slots=True)
class ThemeList:
    """社会治理 or 民生服务."""

    key: str
    label: Mapping[str, str]
    themes: tuple[Theme, ...]


class Themes:
    """Both lists in the plan's order."""

    def __init__(self, lists: tuple[ThemeList, ...]) -> None:
        self.lists = lists
        self._by_key = {theme.key: theme for theme_list in lists for theme in theme_list.themes}

    def __iter__(self) -> Iterator[Theme]:
        return iter(self._by_key.values())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in self._by_key

    def get(self, key: str) -> Theme | None:
        return self._by_key.get(key)


def read_themes(path: Path) -> Themes:
    """Read and check the fields; ``ConfigurationError`` names the file and the entry."""
    content = read_yaml(path)
    try:
        lists = tuple(_theme_list(values) for values in content["lists"])
    except (KeyError, TypeError) as error:
        raise ConfigurationError("{file}: {reason} is missing", file=path.name, reason=str(error)) from error
    keys = [theme.key for theme_list in lists for theme in theme_list.themes]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ConfigurationError("{file}: {keys} stand twice", file=path.name, keys=", ".join(twice))
    return Themes(lists)


def read_label(values: Mapping[str, Any]) -> Mapping[str, str]:
    """``label`` of a node: both languages or ``KeyError``."""
    label = values["label"]
    return MappingProxyType({"en": str(label["en"]), "zh": str(label["zh"])})


def _theme_list(values: Mapping[str, Any]) -> ThemeList:
    themes = tuple(Theme(theme["key"], read_label(theme), theme["icon"]) for theme in values["themes"])
    return ThemeList(values["key"], read_label(values), themes)
