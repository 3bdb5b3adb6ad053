"""The form above a table: one field per column by its type, what is asked already, and what of it was not used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.data.table_query import PREFIX, TEXTUAL, UNARY, TableQuery
from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.domain.item_values import codes_of
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.logic.findings import finding_text

from .table import without

#: A longer list is looked through faster by typing.
MOST_OPTIONS: Final = 60
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: Comparisons in a chip; the words come from ``tk._`` where a sign does not say it.
_SIGNS: Final = {"eq": "=", "ne": "≠", "lt": "<", "le": "≤", "gt": ">", "ge": "≥"}
_WORDS: Final = {"contains": N_("contains"), "empty": N_("is empty"), "not_empty": N_("is not empty")}


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    selected: bool


@dataclass(frozen=True, slots=True)
class Control:
    """One input. ``type``: text, number, date or select; ``message`` says why what was typed was not used."""

    name: str
    label: str
    type: str
    value: str
    options: tuple[Option, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class FilterField:
    column: str
    label: str
    unit: str
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """Something that is asked, and the address without it."""

    text: str
    url: str


def filter_fields(
    items: Sequence[Item], query: TableQuery, args: Mapping[str, Any], tops: Mapping[str, Sequence[str]]
) -> list[FilterField]:
    """A field for each column. ``args``: of the request, so that what was not understood is still there to correct;
    ``tops``: all values of columns that have few."""
    messages = {finding.params["argument"]: finding_text(finding, with_mend=False) for finding in query.findings}
    return [
        FilterField(item.column, item.name or item.column, item.unit, _controls(item, args, messages, tops))
        for item in items
    ]


def hidden_filters(fields: Sequence[FilterField], query: TableQuery) -> list[tuple[str, str]]:
    """What is asked and has no field in the form, so that sending the form keeps it."""
    shown = {(control.name, control.value) for field in fields for control in field.controls}
    return [pair for pair in query.args if pair[0].startswith(PREFIX) and pair not in shown]


def chips(items: Sequence[Item], query: TableQuery, base: str, keep: Sequence[tuple[str, str]]) -> list[Chip]:
    """What narrows the table now, each with the address without it."""
    names = {item.column: item for item in items}
    found = []
    for pair in query.args:
        name, text = pair
        if name == "q":
            found.append(Chip(f"“{text}”", without(base, query, pair, keep)))
        elif name.startswith(PREFIX):
            column, _dot, op = name.removeprefix(PREFIX).rpartition(".")
            item = names[column]
            found.append(Chip(_said(item, op, text), without(base, query, pair, keep)))
    return found


def general_messages(findings: Sequence[Finding], fields: Sequence[FilterField]) -> list[str]:
    """What was not used and is not said beside a field."""
    beside = {control.name for field in fields for control in field.controls if control.message}
    return [finding_text(finding) for finding in findings if finding.params.get("argument") not in beside]


def _said(item: Item, op: str, text: str) -> str:
    label = item.name or item.column
    if op in UNARY:
        return f"{label} {tk._(_WORDS[op])}"
    value = _option_label(item, text) if op in ("eq", "ne") else text
    return f"{label} {_SIGNS.get(op) or tk._(_WORDS[op])} {value}"


def _option_label(item: Item, value: str) -> str:
    if item.data_type == "boolean":
        return {"true": tk._("Yes"), "false": tk._("No")}.get(value, value)
    return codes_of(item).get(value) or value


def _controls(
    item: Item, args: Mapping[str, Any], messages: Mapping[str, str], tops: Mapping[str, Sequence[str]]
) -> tuple[Control, ...]:
    def control(op: str, label: str, type_: str, values: Sequence[str] = ()) -> Control:
        name = f"{PREFIX}{item.column}.{op}"
        value = str(args.get(name) or "").strip()
        message = messages.get(name, "")
        options: tuple[Option, ...] = ()
        if type_ == "date" and value and (message or not _DAY.fullmatch(value)):
            type_ = "text"  # a date field would show a moment, or what is no date, as nothing
        if type_ == "select":
            listed = dict.fromkeys([*values, value] if value else values)
            options = tuple(Option(one, _option_label(item, one), one == value) for one in listed)
        return Control(name, label, type_, value, options, message)

    if item.data_type == "boolean":
        return (control("eq", tk._("is"), "select", ("true", "false")),)
    values = list(codes_of(item)) or (list(tops.get(item.column, ())) if item.data_type in TEXTUAL else [])
    if 0 < len(values) <= MOST_OPTIONS:
        return (control("eq", tk._("is"), "select", values),)
    if item.data_type in TEXTUAL:
        return control("contains", tk._("contains"), "text"), control("eq", tk._("equals"), "text")
    type_ = "date" if item.data_type in ("date", "datetime") else "number"
    labels = (tk._("from"), tk._("to")) if type_ == "date" else (tk._("at least"), tk._("at most"))
    return control("ge", labels[0], type_), control("le", labels[1], type_)
