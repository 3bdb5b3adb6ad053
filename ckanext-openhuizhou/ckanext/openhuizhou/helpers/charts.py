"""A chart in words and figures: its title, its table, what a script draws of it, what a screen reader says of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import ckan.plugins.toolkit as tk
from markupsafe import escape

from ckanext.openhuizhou.data.table_summary import Group, Points, Summary
from ckanext.openhuizhou.domain.chart_guess import Chart
from ckanext.openhuizhou.domain.column_roles import Role, is_additive, role_of
from ckanext.openhuizhou.domain.item_values import codes_of
from ckanext.openhuizhou.domain.items import Item

__all__ = ["openhuizhou_chart_word", "openhuizhou_figure"]

#: So many times the largest bar, and the others are told but not drawn.
OTHERS_DWARF: Final = 3
#: Decimals that a mean is given.
MEAN_DECIMALS: Final = 2


@dataclass(frozen=True, slots=True)
class Figures:
    """The chart as a table. ``numeric`` marks columns of figures; ``cells`` are for people, ``raw`` for programs."""

    headers: tuple[str, ...]
    numeric: tuple[bool, ...]
    cells: tuple[tuple[str, ...], ...]
    raw: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or the bars of one colour: a figure for each group, None where there is none."""

    name: str
    values: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that a page shows of a chart. ``data`` is what the script draws."""

    title: str
    description: str
    figures: Figures
    data: dict[str, Any]


def openhuizhou_chart_word(key: str) -> str:
    """A choice of the chart builder in the reader's language."""
    words = {
        "line": tk._("Line"), "bar": tk._("Bars"), "pie": tk._("Pie"), "scatter": tk._("Scatter plot"),
        "count": tk._("Number of rows"), "sum": tk._("Sum"), "mean": tk._("Mean"), "min": tk._("Minimum"),
        "max": tk._("Maximum"), "hour": tk._("Hours"), "day": tk._("Days"), "month": tk._("Months"),
        "quarter": tk._("Quarters"), "year": tk._("Years"),
    }  # fmt: skip
    return words.get(key, key)


def openhuizhou_figure(value: Decimal | None) -> str:
    """A figure exactly, with grouped digits and without zeros at the end; empty for none."""
    if value is None:
        return ""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def drawing_of_summary(chart: Chart, summary: Summary, items: Sequence[Item]) -> Drawing:
    """A line, bars or a pie of grouped rows."""
    by_id = {item.column: item for item in items}
    x, y, by = by_id[chart.x], by_id.get(chart.y), by_id.get(chart.by)
    title = _title(chart, x, y, by)
    keys = list(dict.fromkeys((group.others, group.key) for group in summary.groups))
    labels = [_label(x, key, others=others) for others, key in keys]
    values = {(group.others, group.key, group.other_series, group.series): group for group in summary.groups}
    series = [
        Series(
            _label(by, name, others=others) if by else measure_words(chart.how, y),
            tuple(figure_of(values.get((*key, others, name)), chart.how) for key in keys),
        )
        for others, name in _lines(summary.groups)
    ]
    figures = _figures(chart, summary, x, labels, series)
    shown = len(labels) - 1 if others_dwarf(chart, summary) else len(labels)
    data = {
        "kind": chart.kind,
        "time": role_of(x) is Role.TIME,
        "ordered": role_of(x) in (Role.TIME, Role.PERIOD),
        "stacked": bool(by) and chart.how in ("count", "sum"),
        "x": axis(x.name, ""),
        "y": axis(measure_words(chart.how, y), y.unit if y is not None and chart.how != "count" else ""),
        "labels": labels[:shown],
        "series": [{"name": one.name, "values": [number(value) for value in one.values[:shown]]} for one in series],
    }
    return Drawing(title, _described(title, chart, labels[:shown], series), figures, data)


def others_dwarf(chart: Chart, summary: Summary) -> bool:
    """Whether a bar of the others would leave nothing to be seen of those that are drawn apart."""
    if chart.kind != "bar":
        return False
    apart: dict[str | None, Decimal] = {}
    others = Decimal(0)
    for group in summary.groups:
        value = group.value(chart.how) or Decimal(0)
        if group.others:
            others += value
        else:
            apart[group.key] = apart.get(group.key, Decimal(0)) + value
    return others > OTHERS_DWARF * max(apart.values(), default=Decimal(0)) > 0


def drawing_of_points(chart: Chart, points: Points, items: Sequence[Item]) -> Drawing:
    """A scatter plot of two figures."""
    by_id = {item.column: item for item in items}
    x, y = by_id[chart.x], by_id[chart.y]
    title = tk._("{y} against {x}").format(y=y.name, x=x.name)
    headers = (with_unit(x.name, x.unit), with_unit(y.name, y.unit))
    figures = Figures(
        headers,
        (True, True),
        tuple((openhuizhou_figure(a), openhuizhou_figure(b)) for a, b in points.pairs),
        points.pairs,
    )
    data = {
        "kind": "scatter",
        "x": axis(x.name, x.unit),
        "y": axis(y.name, y.unit),
        "pairs": [[number(a), number(b)] for a, b in points.pairs],
    }
    count = tk._("{count} points").format(count=f"{len(points.pairs):,}")
    return Drawing(title, f"{openhuizhou_chart_word('scatter')}: {title}. {count}.", figures, data)


def parts_of_a_whole(summary: Summary, how: str) -> bool:
    """Whether a pie of these groups tells the truth: no negative part, and a whole."""
    values = [group.value(how) or Decimal(0) for group in summary.groups]
    return all(value >= 0 for value in values) and sum(values) > 0


def _title(chart: Chart, x: Item, y: Item | None, by: Item | None) -> str:
    if y is None:
        title = tk._("Number of rows by {x}").format(x=x.name)
    else:
        title = tk._("{y} by {x} ({how})").format(y=y.name, x=x.name, how=openhuizhou_chart_word(chart.how))
    return tk._("{title}, for each {by}").format(title=title, by=by.name) if by else title


def _lines(groups: Iterable[Group]) -> list[tuple[bool, str | None]]:
    """The series, the largest first and the others last."""
    rows: dict[tuple[bool, str | None], int] = {}
    for group in groups:
        key = (group.other_series, group.series)
        rows[key] = rows.get(key, 0) + group.rows
    return sorted(rows, key=lambda key: (key[0], -rows[key], key[1] or ""))


def _figures(chart: Chart, summary: Summary, x: Item, labels: Sequence[str], series: Sequence[Series]) -> Figures:
    """One row for each group: its figure for each series, how many rows it is of, and its share of a pie."""
    headers = [x.name, *(one.name for one in series)]
    columns = [list(one.values) for one in series]
    if len(series) == 1 and chart.how != "count":
        headers.append(tk._("Number of rows"))
        columns.append([Decimal(group.rows) for group in summary.groups])
    if chart.kind == "pie":
        headers.append(tk._("Share (%)"))
        whole = sum((value for value in columns[0] if value is not None), Decimal(0))
        columns.append([_share(value, whole) for value in columns[0]])
    rows = list(zip(*columns, strict=True))
    return Figures(
        tuple(headers),
        (False, *(True for _ in columns)),
        tuple((label, *map(openhuizhou_figure, row)) for label, row in zip(labels, rows, strict=True)),
        tuple((label, *row) for label, row in zip(labels, rows, strict=True)),
    )


def _share(value: Decimal | None, whole: Decimal) -> Decimal | None:
    return None if value is None or not whole else (value * 100 / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)


def figure_of(group: Group | None, how: str) -> Decimal | None:
    """The group's figure; a mean is not given more decimals than somebody could mean."""
    value = group.value(how) if group else None
    if value is None or how != "mean":
        return value
    return round(value, MEAN_DECIMALS) if abs(value) >= 1 else Decimal(f"{value:.3g}")


def _label(item: Item | None, key: str | None, *, others: bool) -> str:
    if others:
        return tk._("Others")
    if key is None:
        return tk._("(empty)")
    if item is not None and item.data_type == "boolean":
        return tk._("Yes") if key == "true" else tk._("No")
    return (item is not None and codes_of(item).get(key)) or key


def measure_words(how: str, y: Item | None) -> str:
    """What is drawn: the number of rows, or a figure of them with its unit."""
    if y is None or how == "count":
        return tk._("Number of rows")
    words = tk._("{y} ({how}, {unit})") if y.unit else tk._("{y} ({how})")
    return words.format(y=y.name, how=openhuizhou_chart_word(how), unit=y.unit)


def with_unit(name: str, unit: str) -> str:
    """A column's name and what it is counted in."""
    return tk._("{name} ({unit})").format(name=name, unit=unit) if unit else name


def axis(name: str, unit: str) -> dict[str, str]:
    """What the script writes at an axis, and by what it shortens figures."""
    return {"name": name, "unit": unit}


def number(value: Decimal | None) -> float | int | None:
    """A figure for the script; whole ones stay whole."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _described(title: str, chart: Chart, labels: Sequence[str], series: Sequence[Series]) -> str:
    """What somebody who cannot see the picture is told; the figures are in the table below it."""
    parts = [f"{openhuizhou_chart_word(chart.kind)}: {title}."]
    known = [
        (value, label) for one in series for value, label in zip(one.values, labels, strict=False) if value is not None
    ]
    if known:
        high, low = max(known, key=lambda pair: pair[0]), min(known, key=lambda pair: pair[0])
        parts.append(
            tk._("{count} groups; highest {high_label}: {high}, lowest {low_label}: {low}.").format(
                count=len(labels),
                high_label=high[1],
                high=openhuizhou_figure(high[0]),
                low_label=low[1],
                low=openhuizhou_figure(low[0]),
            )
        )
    return " ".join(parts)


def offered_measures(y: Item | None) -> tuple[str, ...]:
    """How rows of this column may become one figure."""
    if y is None or is_additive(y):
        return ("count", "sum", "mean", "min", "max")
    return ("count", "mean", "min", "max")


def frame(address: str, title: str) -> str:
    """What another page writes to show this one in itself."""
    return (
        f'<iframe src="{escape(address)}" title="{escape(title)}" width="100%" height="600" style="border:0"'
        ' loading="lazy"></iframe>'
    )
