"""A chart as an address writes it (``kind=bar&x=county&y=beds&how=sum``): read, checked against the table, written.

What does not fit the table is replaced by what does, and said: an address that was shared may outlive a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .chart_guess import DEFAULT_TOP, GRAINS, KINDS, MEASURES, PIE_TOP, TOPS, Chart, usual_measure
from .column_roles import Role, is_additive, role_of
from .finding_kind import N_
from .items import Item

#: Arguments that choose a chart; all others belong to the rows that it is made of.
ARGUMENTS: Final = ("kind", "x", "y", "how", "by", "grain", "top")

#: Why a choice was replaced, as sentences with placeholders.
PROBLEMS: Final[dict[str, str]] = {
    "no-column": N_("The table has no column {value} that could be used so"),
    "kind": N_("There is no chart of the kind {value}"),
    "not-measured": N_("{value} cannot be calculated with: rows are counted instead"),
    "not-added": N_("{value} is not added up; its mean is shown"),
    "not-parts": N_("The figures are not parts of a whole: a bar chart is shown instead of a pie"),
    "two-figures": N_("A scatter plot needs two columns of figures"),
    "series-of-pie": N_("A pie shows one series only"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A key of ``PROBLEMS`` and the value that was not taken."""

    kind: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """The columns that each part of a chart can be made of."""

    groups: tuple[Item, ...]
    figures: tuple[Item, ...]
    series: tuple[Item, ...]


def choices_of(items: Sequence[Item]) -> Choices:
    """What the builder offers for this table."""
    groups = tuple(item for item in items if role_of(item) not in (Role.TEXT, Role.COORDINATE))
    figures = tuple(item for item in items if role_of(item) is Role.MEASURE)
    series = tuple(item for item in items if role_of(item) in (Role.CATEGORY, Role.PERIOD, Role.CODE))
    return Choices(groups, figures, series)


def chosen(
    items: Sequence[Item], args: Mapping[str, str], first: Chart | None
) -> tuple[Chart | None, tuple[Problem, ...]]:
    """The chart that ``args`` ask for; ``first`` where they ask for none. None when the table has nothing to draw."""
    asked = {name: args.get(name, "").strip() for name in ARGUMENTS}
    if first is None or not any(asked.values()):
        return first, ()
    problems: list[Problem] = []
    choices = choices_of(items)
    kind = asked["kind"] or first.kind
    if kind not in KINDS:
        problems.append(Problem("kind", kind))
        kind = first.kind if first.kind != "scatter" else "bar"
    if kind == "scatter":
        chart = _scatter(asked, choices, problems)
        if chart is not None:
            return chart, tuple(problems)
        kind = "bar"
    chart = _grouped(kind, asked, choices, first, problems)
    return chart, tuple(problems)


def arguments(chart: Chart) -> dict[str, str]:
    """The arguments of an address that ask for this chart; ``chosen`` reads them back."""
    values = {name: str(getattr(chart, name)) for name in ARGUMENTS}
    if chart.kind == "scatter":
        return {name: values[name] for name in ("kind", "x", "y")}
    return {name: value for name, value in values.items() if value}


def _scatter(asked: Mapping[str, str], choices: Choices, problems: list[Problem]) -> Chart | None:
    by_id = {item.column: item for item in choices.figures}
    x, y = by_id.get(asked["x"]), by_id.get(asked["y"])
    rest = [item for item in choices.figures if item not in (x, y)]
    if x is None and rest:
        x = rest.pop(0)
    if y is None and rest:
        y = rest.pop(0)
    if x is None or y is None:
        problems.append(Problem("two-figures"))
        return None
    return Chart("scatter", x.column, y.column, how="")


def _grouped(
    kind: str, asked: Mapping[str, str], choices: Choices, first: Chart, problems: list[Problem]
) -> Chart | None:
    if not choices.groups:
        return first
    x = _column(asked["x"], choices.groups, problems) or _usual_group(first, choices)
    chart = _measured(Chart(kind, x.column), asked, choices, problems)
    by = _column(asked["by"], choices.series, problems)
    if by is not None and by is not x:
        if kind == "pie":
            problems.append(Problem("series-of-pie", by.name))
        else:
            chart = replace(chart, by=by.column)
    if role_of(x) is Role.TIME:
        chart = replace(chart, grain=_grain(asked["grain"], x))
    top = int(asked["top"]) if asked["top"].isascii() and asked["top"].isdigit() and len(asked["top"]) < 5 else 0
    usual = PIE_TOP if chart.kind == "pie" else DEFAULT_TOP
    return replace(chart, top=top if top in TOPS else usual)


def _measured(chart: Chart, asked: Mapping[str, str], choices: Choices, problems: list[Problem]) -> Chart:
    """With the figure that is asked for, as far as it is one; a pie only of what can be parts of a whole."""
    y = _column(asked["y"], choices.figures, problems, "not-measured")
    if y is None or asked["how"] == "count":
        return replace(chart, y="", how="count")
    how = asked["how"] if asked["how"] in MEASURES else usual_measure(y)
    if how == "sum" and not is_additive(y):
        problems.append(Problem("not-added", y.name))
        how = "mean"
    if chart.kind == "pie" and how != "sum":
        problems.append(Problem("not-parts"))
        chart = replace(chart, kind="bar")
    return replace(chart, y=y.column, how=how)


def _usual_group(first: Chart, choices: Choices) -> Item:
    return next((item for item in choices.groups if item.column == first.x), choices.groups[0])


def _column(asked: str, offered: Sequence[Item], problems: list[Problem], kind: str = "no-column") -> Item | None:
    if not asked:
        return None
    found = next((item for item in offered if item.column == asked), None)
    if found is None:
        problems.append(Problem(kind, asked[:60]))
    return found


def _grain(asked: str, x: Item) -> str:
    """A date has no hours."""
    fitting = GRAINS if x.data_type == "datetime" else GRAINS[1:]
    return asked if asked in fitting else ""
