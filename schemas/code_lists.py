"""Reader of ``schemas/code_lists/*.yaml``: closed lists of keys with their English and Chinese labels.

A list is read once and checked: a key that stands twice or lacks a label stops the program at start
(``ConfigurationError``), because every entry that used it would be shown with a hole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.yaml_file import read_yaml

FOLDER = Path(__file__).parent / "code_lists"
#: Languages that every label has. ``zh`` is CKAN's ``zh_Hans_CN``.
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Code:
    """One key. ``guide`` is its number or letter in the guide; ``extra`` holds what one list says beyond that."""

    key: str
    label: Mapping[str, str]
    guide: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CodeList:
    """A closed list in its fixed order; ``guide`` is the guide's own name of the list."""

    name: str
    codes: Mapping[str, Code]
    guide: str | None = None

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in self.codes

    def __iter__(self) -> Iterator[Code]:
        return iter(self.codes.values())

    def __getitem__(self, key: str) -> Code:
        return self.codes[key]

    def label(self, key: str, language: str = "zh") -> str:
        """The label of ``key``; the key itself when the list does not know it."""
        code = self.codes.get(key)
        return code.label[language] if code else key


def _code(values: Any, file: Path) -> Code:
    if not isinstance(values, dict) or not isinstance(values.get("key"), str) or not values["key"]:
        raise ConfigurationError("{file}: a code without a key: {values}", file=file.name, values=values)
    label = values.get("label") or {}
    for language in LANGUAGES:
        if not isinstance(label.get(language), str) or not label[language].strip():
            raise ConfigurationError(
                "{file}: code “{key}” has no label in {language}", file=file.name, key=values["key"], language=language
            )
    extra = {name: value for name, value in values.items() if name not in {"key", "label", "guide"}}
    return Code(values["key"], MappingProxyType(dict(label)), values.get("guide"), MappingProxyType(extra))


def read_code_list(file: Path) -> CodeList:
    """Read and check one file.

    Raises ``ConfigurationError`` for a file that is no list of codes, a key that stands twice, or a missing label.
    """
    content = read_yaml(file)
    if not isinstance(content, dict) or not isinstance(content.get("codes"), list) or not content["codes"]:
        raise ConfigurationError("{file}: “codes” must be a list", file=file.name)
    codes: dict[str, Code] = {}
    for values in content["codes"]:
        code = _code(values, file)
        if code.key in codes:
            raise ConfigurationError("{file}: code “{key}” stands twice", file=file.name, key=code.key)
        codes[code.key] = code
    return CodeList(file.stem, MappingProxyType(codes), content.get("guide"))


@cache
def code_lists() -> Mapping[str, CodeList]:
    """All lists by name (file name without suffix), for example ``code_lists()["update_cycles"]``."""
    lists = {file.stem: read_code_list(file) for file in sorted(FOLDER.glob("*.yaml"))}
    _check_share_ways(lists)
    return MappingProxyType(lists)


def code_list(name: str) -> CodeList:
    """One list; ``ConfigurationError`` when there is none of that name."""
    try:
        return code_lists()[name]
    except KeyError:
        raise ConfigurationError("There is no code list “{name}”", name=name) from None


def _check_share_ways(lists: Mapping[str, CodeList]) -> None:
    ways = lists["share_ways"]
    for code in lists["format_classes"]:
        unknown = [way for way in code.extra.get("share_ways", ()) if way not in ways]
        if unknown or not code.extra.get("share_ways"):
            raise ConfigurationError(
                "format_classes.yaml: class “{key}” names no known way of sharing: {unknown}",
                key=code.key,
                unknown=unknown,
            )
