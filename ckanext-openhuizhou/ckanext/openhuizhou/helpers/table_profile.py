"""What each column of a table holds, as cards on a page: figures, a small picture, and the picture as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.domain.column_profile import NUMBERS, TIMES, ColumnProfile, Histogram
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.value_guard import REASONS

from .formats import is_chinese, openhuizhou_cell, openhuizhou_date, openhuizhou_datetime, openhuizhou_number
from .labels import openhuizhou_label
from .table import shown_number

__all__ = ["openhuizhou_table_dictionary", "openhuizhou_table_profile"]

#: Height of the tallest bar, in the picture's own units.
TALLEST: Final = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: of a histogram ``height`` is its height, of a list ``percent`` its share of the values. ``tail``: what
    lies outside the range that is drawn; ``code``: what is stored, where ``label`` says what it means.
    """

    label: str
    count: str
    percent: str
    height: float
    tail: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One column. ``bars`` is its histogram, ``ends`` the labels below the first and the last bar; ``top`` the most
    frequent values; ``examples`` stand where every row has another value; ``note`` says why there is none of these.
    """

    column: str
    label: str
    unit: str
    type: str
    facts: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    ends: tuple[str, str]
    top: tuple[Bar, ...]
    examples: tuple[str, ...]
    description: str
    note: str


@dataclass(frozen=True, slots=True)
class Profile:
    """``ready`` is False while the table is being counted."""

    ready: bool
    rows: int = 0
    sampled: int | None = None
    made_at: str = ""
    cards: tuple[Card, ...] = ()


def openhuizhou_table_profile(resource: Mapping[str, Any]) -> Profile | None:
    """What the columns of a resource's table hold; None without a table, or for who may not see its data."""
    if not resource.get("datastore_active"):
        return None
    asked = {"resource_id": resource["id"]}
    try:
        found = tk.get_action("openhuizhou_table_profile")({}, asked)
        columns = tk.get_action("openhuizhou_table_dictionary")({}, asked)["columns"]
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return None
    if found["state"] != "ready":
        return Profile(ready=False)
    meanings = {
        column["column"]: {code["code"]: code["label"] for code in column["codes"] if code["label"]}
        for column in columns
    }
    items = {column["column"]: Item.from_dict(column) for column in columns}
    rows = found["sampled"] if found["sampled"] is not None else found["rows"]
    told = [ColumnProfile.from_dict(values) for values in found["columns"]]
    cards = tuple(card(one, items[one.column], meanings[one.column], rows) for one in told if one.column in items)
    return Profile(True, found["rows"], found["sampled"], found["made_at"], cards)


def openhuizhou_table_dictionary(resource_id: str) -> list[dict[str, Any]]:
    """The columns of a table, as the action gives them; empty for who may not see its data."""
    try:
        return tk.get_action("openhuizhou_table_dictionary")({}, {"resource_id": resource_id})["columns"]
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return []


def card(profile: ColumnProfile, item: Item, meanings: Mapping[str, str], rows: int) -> Card:
    """One column in words."""
    present = rows - profile.nulls
    bars = _bars(profile.histogram, item, present) if profile.histogram else ()
    top = () if bars else _top(profile, item, meanings, present)
    examples = () if bars or top else tuple(shown(item, value) for value in profile.examples)
    return Card(
        profile.column,
        profile.name,
        profile.unit,
        openhuizhou_label("data_types", profile.data_type),
        tuple(_facts(profile, item, present, rows)),
        bars,
        (bars[0].label, bars[-1].label) if bars else ("", ""),
        top,
        examples,
        _in_words(profile, bars),
        _note(profile, rows),
    )


def shown(item: Item, text: str) -> str:
    """A value as people read it."""
    if item.data_type in NUMBERS:
        return shown_number(item, Decimal(text))
    return openhuizhou_cell(text, item.data_type)


def _facts(profile: ColumnProfile, item: Item, present: int, rows: int) -> Sequence[tuple[str, str]]:
    facts = [(tk._("Empty cells"), _share(profile.nulls, rows) if profile.nulls else "0")]
    if present:
        facts.append((tk._("Different values"), _distinct(profile, present)))
    if profile.minimum is not None and profile.maximum is not None:
        words = (tk._("Earliest"), tk._("Latest")) if item.data_type in TIMES else (tk._("Least"), tk._("Greatest"))
        facts += [(words[0], shown(item, profile.minimum)), (words[1], shown(item, profile.maximum))]
    if (median := profile.quantiles.get("0.5")) is not None:
        facts.append((tk._("Middle value"), shown(item, median)))
    if profile.mean is not None and profile.histogram is not None:
        facts.append((tk._("Mean"), _rounded(profile.mean)))
    if profile.lengths is not None:
        least, _mean, most = profile.lengths
        text = openhuizhou_number(most) if least == most else f"{openhuizhou_number(least)}–{openhuizhou_number(most)}"
        facts.append((tk._("Characters"), text))
    return facts


def _distinct(profile: ColumnProfile, present: int) -> str:
    if profile.estimated:
        return tk._("about {count}").format(count=openhuizhou_number(profile.distinct))
    if profile.distinct == present and present > 1:
        return tk._("{count} (none twice)").format(count=openhuizhou_number(present))
    return openhuizhou_number(profile.distinct)


def _share(count: int, of: int) -> str:
    return f"{openhuizhou_number(count)} ({_percent(count, of)})"


def _percent(count: int, of: int) -> str:
    percent = 100 * count / of if of else 0
    if 0 < percent < 0.1:
        return "< 0.1%"
    return f"{percent:.1f}%".replace(".0%", "%") if count < of else "100%"


def _rounded(mean: str) -> str:
    """A mean to four decimals, or to as many digits where it is small."""
    number = Decimal(mean)
    rounded = f"{number:,.4f}" if abs(number) >= 1 else f"{float(number):.4g}"
    return rounded.rstrip("0").rstrip(".") if "." in rounded and "e" not in rounded else rounded


def _bars(histogram: Histogram, item: Item, present: int) -> tuple[Bar, ...]:
    labels = [_bin_label(histogram, number, item) for number in range(len(histogram.counts))]
    pairs = [(label, count, False) for label, count in zip(labels, histogram.counts, strict=True)]
    if histogram.below:
        pairs.insert(0, (f"< {_edge(histogram, histogram.edges[0], item)}", histogram.below, True))
    if histogram.above:
        pairs.append((f"≥ {_edge(histogram, histogram.edges[-1], item)}", histogram.above, True))
    most = max(count for _label, count, _tail in pairs) or 1
    return tuple(
        Bar(label, openhuizhou_number(count), _percent(count, present), _height(count, most), tail)
        for label, count, tail in pairs
    )


def _height(count: int, most: int) -> float:
    """A count that is not nothing can be seen."""
    return max(round(TALLEST * count / most, 1), 1.0) if count else 0


def _bin_label(histogram: Histogram, number: int, item: Item) -> str:
    low, high = histogram.edges[number], histogram.edges[number + 1]
    step = Decimal(histogram.step)
    if histogram.unit == "number":
        return f"{shown_number(item, Decimal(low))} – {shown_number(item, Decimal(high))}"
    if histogram.unit == "integer":
        first, last = Decimal(low), Decimal(high) - 1
        return shown_number(item, first) if step == 1 else f"{shown_number(item, first)} – {shown_number(item, last)}"
    return _period_label(histogram.unit, int(step), low, high)


def _period_label(unit: str, step: int, low: str, high: str) -> str:
    if unit == "hour":
        return (
            openhuizhou_datetime(low)
            if step == 1
            else f"{openhuizhou_datetime(low)} – {openhuizhou_datetime(high)[-5:]}"
        )
    first = datetime.fromisoformat(low).date()
    last = max(datetime.fromisoformat(high).date() - timedelta(days=1), first)
    if unit == "day":
        return first.isoformat() if step == 1 else f"{first.isoformat()} – {last.isoformat()}"
    if unit == "month":
        return f"{first:%Y-%m}" if step == 1 else _quarter(first)
    return f"{first.year}" if step == 1 else f"{first.year} – {last.year}"


def _quarter(day: date) -> str:
    quarter = (day.month + 2) // 3
    return f"{day.year}年{quarter}季度" if is_chinese() else f"{day.year} Q{quarter}"


def _edge(histogram: Histogram, edge: str, item: Item) -> str:
    if histogram.unit in ("integer", "number"):
        return shown_number(item, Decimal(edge))
    return openhuizhou_datetime(edge) if histogram.unit == "hour" else openhuizhou_date(edge)


def _top(profile: ColumnProfile, item: Item, meanings: Mapping[str, str], present: int) -> tuple[Bar, ...]:
    """Most frequent values. ``height`` is the share of the most frequent one, for the bar's width."""
    most = max((count for _value, count in profile.top), default=1)
    return tuple(
        Bar(
            meanings.get(value) or shown(item, value),
            openhuizhou_number(count),
            _percent(count, present),
            round(100 * count / most, 1),
            code=value if value in meanings else "",
        )
        for value, count in profile.top
    )


def _in_words(profile: ColumnProfile, bars: Sequence[Bar]) -> str:
    """What a picture shows, for who does not see it; its table stands below."""
    if not bars:
        return ""
    tallest = max(bars, key=lambda bar: bar.height)
    return tk._("Histogram of {column} from {first} to {last}; most values, {percent}, lie in {tallest}.").format(
        column=profile.name, first=bars[0].label, last=bars[-1].label, percent=tallest.percent, tallest=tallest.label
    )


def _note(profile: ColumnProfile, rows: int) -> str:
    if profile.withheld:
        return tk._(REASONS[profile.withheld])
    if rows and profile.nulls == rows:
        return tk._("The column is empty.")
    return ""
