"""The classification tree 类 / 项 / 目 of the guide (``config/classification.yaml``) with the departments' branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.yaml_file import read_yaml

from .departments import Directory
from .themes import read_label

#: Digits of a code down to 类, 项, 目; anything longer is 细目.
CLASS_DIGITS, DIVISION_DIGITS, CATEGORY_DIGITS = 1, 3, 6


@dataclass(frozen=True, slots=True)
class Node:
    """One node; its parent's code is the beginning of its own."""

    code: str
    label: Mapping[str, str]

    @property
    def parent(self) -> str | None:
        for digits in (CATEGORY_DIGITS, DIVISION_DIGITS, CLASS_DIGITS):
            if len(self.code) > digits:
                return self.code[:digits]
        return None

    @property
    def assignable(self) -> bool:
        """Entries are filed under a 目 or 细目, never under a 类 or 项."""
        return len(self.code) >= CATEGORY_DIGITS


class Classification:
    """The tree, in the file's order, parents before children."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = {node.code: node for node in nodes}

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def get(self, code: str) -> Node | None:
        return self._nodes.get(code)

    def assignable(self, code: str) -> bool:
        """Whether an entry may be filed under ``code``."""
        node = self._nodes.get(code)
        return node is not None and node.assignable

    def path(self, code: str) -> tuple[Node, ...]:
        """The node and those above it, 类 first; empty for an unknown code."""
        nodes: list[Node] = []
        node = self._nodes.get(code)
        while node is not None:
            nodes.append(node)
            node = self._nodes.get(node.parent) if node.parent else None
        return tuple(reversed(nodes))


def department_category(node: str) -> str:
    """The 目 that a department's entries fall into when nobody chose one: 综合."""
    return f"{node}001"


def read_classification(path: Path, directory: Directory) -> Classification:
    """Read and check the tree; ``ConfigurationError`` names the file and the node."""
    content = read_yaml(path)
    try:
        nodes = list(_nodes(content, directory))
    except (KeyError, TypeError) as error:
        raise ConfigurationError("{file}: {reason} is missing", file=path.name, reason=str(error)) from error
    _check(nodes, path)
    return Classification(nodes)


def _nodes(content: Mapping[str, Any], directory: Directory) -> Iterator[Node]:
    for class_ in content["classes"]:
        yield Node(class_["code"], read_label(class_))
        for division in class_.get("divisions", ()):
            yield Node(division["code"], read_label(division))
            if "categories" in division:
                yield from (Node(category["code"], read_label(category)) for category in division["categories"])
            else:
                yield from _below(division["code"], content["default_categories"])
    for department in directory:
        name = MappingProxyType({"en": department.short_name, "zh": department.short_name})
        yield Node(department.node, name)
        yield from _below(department.node, content["department_categories"])


def _below(division: str, categories: Iterable[Mapping[str, Any]]) -> Iterator[Node]:
    return (Node(division + category["code"], read_label(category)) for category in categories)


def _check(nodes: list[Node], path: Path) -> None:
    seen: set[str] = set()
    for node in nodes:
        if node.code in seen:
            raise ConfigurationError("{file}: code “{code}” stands twice", file=path.name, code=node.code)
        digits = node.code.isascii() and node.code.isdigit() and len(node.code) in (1, 3, 6)
        if not digits or (node.parent and node.parent not in seen):
            raise ConfigurationError("{file}: code “{code}” has no place in the tree", file=path.name, code=node.code)
        seen.add(node.code)
