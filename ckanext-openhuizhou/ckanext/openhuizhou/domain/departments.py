"""The directory of the city's bodies (``config/departments.yaml``), read once and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.yaml_file import read_yaml

from .credit_code import demo_credit_code
from .title import normalise_title

Level = Literal["city", "county", "zone"]
LEVELS: tuple[Level, ...] = ("city", "county", "zone")
_FIELDS = ("slug", "title", "short_name", "node")
_NODE = re.compile(r"3\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Region:
    """``code`` by GB/T 2260, or platform-made for the two zones that the standard does not list."""

    code: str
    label: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class Department:
    """``slug`` is the CKAN organization's name, ``node`` the department's 项 in class 3, ``parent`` a slug."""

    slug: str
    title: str
    short_name: str
    level: Level
    region: str
    node: str
    parent: str | None

    @property
    def credit_code(self) -> str:
        """A made-up code for demonstration (``domain.credit_code``)."""
        return demo_credit_code(self.region, self.node)


class Directory:
    """All bodies in the file's order, the root first."""

    def __init__(self, departments: tuple[Department, ...], regions: Mapping[str, Region]) -> None:
        self.departments = departments
        self.regions = regions
        self._by_slug = {department.slug: department for department in departments}

    def __iter__(self) -> Iterator[Department]:
        return iter(self.departments)

    @property
    def root(self) -> Department:
        return self.departments[0]

    def get(self, slug: str) -> Department | None:
        """The body with this organization name."""
        return self._by_slug.get(slug)


def read_departments(path: Path) -> Directory:
    """Read and check the directory; ``ConfigurationError`` names the file and the entry."""
    content = read_yaml(path)
    try:
        regions = {
            code: Region(code, MappingProxyType({"en": values["en"], "zh": values["zh"]}), values["source"])
            for code, values in content["regions"].items()
        }
        root = _department(content["root"], "city", None, content["root"]["region"], path)
        rest = [
            _department(values, level, root.slug, root.region, path)
            for level in LEVELS
            for values in content.get(level, [])
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError("{file}: {reason} is missing", file=path.name, reason=str(error)) from error
    departments = (root, *rest)
    _check(departments, regions, path)
    return Directory(departments, MappingProxyType(regions))


def _department(
    values: Mapping[str, Any], level: Level, parent: str | None, city_region: str, path: Path
) -> Department:
    missing = [name for name in _FIELDS if not isinstance(values.get(name), str) or not values[name]]
    if missing:
        raise ConfigurationError("{file}: {values} lacks {missing}", file=path.name, values=values, missing=missing)
    region = cast("str", values.get("region", city_region))
    return Department(values["slug"], values["title"], values["short_name"], level, region, values["node"], parent)


def _check(departments: tuple[Department, ...], regions: Mapping[str, Region], path: Path) -> None:
    for name in _FIELDS:
        seen: set[str] = set()
        for department in departments:
            value = normalise_title(getattr(department, name))
            if value in seen:
                raise ConfigurationError(
                    "{file}: {field} “{value}” stands twice",
                    file=path.name,
                    field=name,
                    value=getattr(department, name),
                )
            seen.add(value)
    for department in departments:
        if department.region not in regions:
            raise ConfigurationError(
                "{file}: {slug} is in region “{region}”, which is not listed",
                file=path.name,
                slug=department.slug,
                region=department.region,
            )
        if not _NODE.fullmatch(department.node):
            raise ConfigurationError(
                "{file}: node “{node}” of {slug} is not 3NN", file=path.name, node=department.node, slug=department.slug
            )
