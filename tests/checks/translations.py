"""Says which strings lack a Chinese translation, or have one whose placeholders differ.

    python tests/checks/translations.py

Extracts every msgid of our own code and templates in memory and looks each up in ``i18n/zh_Hans_CN``; looks at the
labels and choices of the scheming files, which carry both languages themselves. English is the msgid: no catalogue.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "ckanext-openhuizhou" / "ckanext" / "openhuizhou"
CATALOGUE = EXTENSION / "i18n" / "zh_Hans_CN" / "LC_MESSAGES" / "ckanext-openhuizhou.po"

METHODS = [("**/templates/**.html", "ckan"), ("**.py", "python"), ("**.js", "javascript")]
#: Messages of these errors are shown to officers in run reports; the rest of the tree speaks to operators.
SHOWN_ERRORS = (
    "SourceError",
    "SourceUnreachable",
    "SourceDenied",
    "SourceMalformed",
    "AddressRefused",
    "DecodingError",
)
KEYWORDS = {**DEFAULT_KEYWORDS, "_": None, "N_": None, **dict.fromkeys(SHOWN_ERRORS, (1,))}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%[sd]")
LOCALES = {"en", "zh_Hans_CN"}

Msgid = str | tuple[str, ...]


def extracted() -> dict[Msgid, str]:
    """Msgid (or singular and plural) -> the first place that uses it."""
    found: dict[Msgid, str] = {}
    for folder in (EXTENSION, ROOT / "harvesters", ROOT / "schemas"):
        for name, line, message, _comments, _context in extract_from_dir(folder, METHODS, keywords=KEYWORDS):
            msgid = tuple(message) if isinstance(message, (list, tuple)) else message
            if msgid:
                found.setdefault(msgid, f"{folder.name}/{name}:{line}")
    return found


def problems_of_catalogue() -> Iterator[str]:
    if not CATALOGUE.exists():
        yield f"{CATALOGUE.relative_to(ROOT)} does not exist"
        return
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh_Hans_CN")
    for msgid, place in sorted(extracted().items(), key=lambda pair: pair[1]):
        message = catalogue.get(msgid[0] if isinstance(msgid, tuple) else msgid)
        if message is None or message.fuzzy or not all(_strings_of(message)):
            yield f"{place}: no translation of {msgid!r}"
        elif wrong := _wrong_placeholders(msgid, message):
            yield f"{place}: placeholders {sorted(wrong)} of {msgid!r} are not those of its translation"


def _strings_of(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def _wrong_placeholders(msgid: Msgid, message: Message) -> set[str]:
    """Placeholders of a translation that its msgid does not fill: they would raise where the sentence is shown."""
    known = set(PLACEHOLDER.findall(" ".join(msgid) if isinstance(msgid, tuple) else msgid))
    return {name for text in _strings_of(message) for name in PLACEHOLDER.findall(text)} - known


def problems_of_schemas() -> Iterator[str]:
    for path in sorted((ROOT / "schemas").glob("*.yaml")):
        yield from _problems_below(yaml.safe_load(path.read_text("utf-8")), path.name)


def _problems_below(node: Any, place: str) -> Iterator[str]:
    if isinstance(node, list):
        for number, child in enumerate(node):
            name = child.get("field_name") or child.get("value") if isinstance(child, dict) else None
            yield from _problems_below(child, f"{place} › {name or number}")
    elif isinstance(node, dict):
        for key, child in node.items():
            if key in {"label", "help_text", "description"}:
                if not isinstance(child, dict) or set(child) < LOCALES:
                    yield f"{place}: {key} is not given in both languages"
            else:
                yield from _problems_below(child, place if key == "value" else f"{place} › {key}")


def main() -> int:
    problems = [*problems_of_catalogue(), *problems_of_schemas()]
    for problem in problems:
        sys.stderr.write(problem + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
