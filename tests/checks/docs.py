"""Writes docs/reference.md from what the code declares; ``--check`` says whether it is up to date.

    python tests/checks/docs.py [--check]

The page is made, never written: options from ``config_declaration.yaml``, actions from the docstrings of
``logic/action``, commands from click, fields from the scheming files, make targets from the Makefile's ``##`` comments.
A thing without a description is an error, so that the page cannot be true and empty.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "ckanext-openhuizhou" / "ckanext" / "openhuizhou"
PAGE = ROOT / "docs" / "reference.md"
SCHEMAS = ("dataset.yaml", "organization.yaml", "application.yaml")


@dataclass(frozen=True, slots=True)
class Entry:
    """One documented thing: its name, what it is for, and a note on the side (default, reading or writing, rule)."""

    name: str
    text: str
    note: str = ""


def options() -> Iterator[Entry]:
    declaration = yaml.safe_load((EXTENSION / "config_declaration.yaml").read_text("utf-8"))
    for group in declaration["groups"]:
        for option in group["options"]:
            yield Entry(option["key"], option.get("description", ""), _code(option.get("default", "")))


def actions() -> Iterator[Entry]:
    """Public actions: what each module of ``logic/action`` lists in ``__all__``, not the core ones that we chain."""
    for path in sorted((EXTENSION / "logic" / "action").glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        public = _public_names(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name in public and node.name.startswith("openhuizhou_"):
                reads = any("side_effect_free" in ast.unparse(decorator) for decorator in node.decorator_list)
                yield Entry(node.name, _first_paragraph(ast.get_docstring(node)), "reads" if reads else "writes")


def _public_names(tree: ast.Module) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return set(ast.literal_eval(node.value))
    return set()


def commands() -> Iterator[Entry]:
    """``ckan openhuizhou …`` and the stack's own ``openhuizhou …``."""
    from ckanext.openhuizhou import cli
    from ckanext.openhuizhou.stack.cli import commands as stack

    yield from _commands_below(stack, "openhuizhou")
    yield from _commands_below(cli.openhuizhou, "ckan openhuizhou")


def _commands_below(command: click.Command, name: str) -> Iterator[Entry]:
    if isinstance(command, click.Group):
        for child in sorted(command.commands):
            yield from _commands_below(command.commands[child], f"{name} {child}")
    elif not command.hidden:
        yield Entry(name, _first_paragraph(command.help))


def fields(schema: str) -> Iterator[Entry]:
    """Fields and subfields of one scheming file; a field without both languages has no description."""
    path = ROOT / "schemas" / schema
    document = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
    for part in ("fields", "dataset_fields", "resource_fields"):
        prefix = "resources." if part == "resource_fields" else ""
        for declared in document.get(part, []):
            yield _field(prefix, declared)
            for subfield in declared.get("repeating_subfields", []):
                yield _field(f"{prefix}{declared['field_name']}.", subfield)


def _field(prefix: str, declared: dict[str, Any]) -> Entry:
    label = declared.get("label")
    both = isinstance(label, dict) and {"en", "zh_Hans_CN"} <= set(label)
    text = f"{label['zh_Hans_CN']} · {label['en']}" if isinstance(label, dict) and both else ""
    return Entry(prefix + declared["field_name"], text, "required" if declared.get("required") else "")


def make_targets() -> Iterator[Entry]:
    for line in (ROOT / "Makefile").read_text("utf-8").splitlines():
        if match := re.match(r"^([a-z][\w%-]*):[^=#]*(?:##\s*(.*))?$", line):
            yield Entry(f"make {match[1]}", match[2] or "")


def sections() -> dict[str, list[Entry]]:
    """Title of a section -> its entries, in the page's order."""
    return {
        "Make targets": list(make_targets()),
        "Commands": list(commands()),
        "Options": list(options()),
        "Actions": list(actions()),
        **{f"Fields of {name.removesuffix('.yaml')}": list(fields(name)) for name in SCHEMAS},
    }


def undocumented(entries: dict[str, list[Entry]]) -> list[str]:
    return [f"{title}: {entry.name}" for title, group in entries.items() for entry in group if not entry.text.strip()]


def page(entries: dict[str, list[Entry]]) -> str:
    lines = [
        "# Reference",
        "",
        "Made by `tests/checks/docs.py` from what the code declares; do not edit. Examples are in [api.md](api.md).",
    ]
    for title, group in entries.items():
        lines += ["", f"## {title}", "", "| name | what | note |", "| --- | --- | --- |"]
        lines += [f"| `{entry.name}` | {_cell(entry.text)} | {_cell(entry.note)} |" for entry in group]
    return "\n".join(lines) + "\n"


def _first_paragraph(text: str | None) -> str:
    first = " ".join((text or "").strip().split("\n\n")[0].split())
    return re.sub(r"(?::py:\w+:)?`+([^`]+)`+", r"`\1`", first)  # Sphinx's marks to Markdown's


def _code(value: object) -> str:
    return f"default `{value}`" if value not in ("", None) else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").strip()


def main(arguments: list[str]) -> int:
    entries = sections()
    if missing := undocumented(entries):
        sys.stderr.write("Without a description:\n  " + "\n  ".join(missing) + "\n")
        return 1
    made = page(entries)
    if "--check" not in arguments:
        PAGE.write_text(made, "utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text("utf-8") != made:
        sys.stderr.write(f"{PAGE.relative_to(ROOT)} is out of date: run python tests/checks/docs.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
