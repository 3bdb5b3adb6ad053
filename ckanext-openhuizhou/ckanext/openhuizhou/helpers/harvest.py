"""Words and small pictures of the harvest's pages: schedules, times, the trend of the last runs, values that differ."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.openhuizhou.domain.change_rules import RULES
from ckanext.openhuizhou.domain.city_time import today
from ckanext.openhuizhou.domain.findings import KINDS, N_

from .formats import openhuizhou_date, openhuizhou_datetime
from .labels import (
    openhuizhou_category_path,
    openhuizhou_label,
    openhuizhou_licence,
    openhuizhou_region,
    openhuizhou_theme,
)

__all__ = [
    "openhuizhou_difference",
    "openhuizhou_duration",
    "openhuizhou_finding_kind",
    "openhuizhou_rule",
    "openhuizhou_run_news",
    "openhuizhou_run_state",
    "openhuizhou_schedule",
    "openhuizhou_seconds_since",
    "openhuizhou_soon",
    "openhuizhou_trend",
]

RUN_STATES: Final = {
    "queued": N_("Waiting"),
    "running": N_("Running"),
    "paused": N_("Paused"),
    "held": N_("Waits for approval"),
    "done": N_("Done"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
}
WEEKDAYS: Final = (
    N_("Sunday"), N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"),
)  # fmt: skip
_TIME = re.compile(r"(\d{1,2}) (\d{1,2}|\*) (\d{1,2}|\*) \* ([0-7]|\*)")
_PLACEHOLDER = re.compile(r"\{\w+\}")
_MINUTE, _HOUR = 60, 3600
#: A run in the trend: the better it went, the higher.
_BARS: Final = {"good": 16, "warn": 11, "bad": 6, "none": 3}


@dataclass(frozen=True, slots=True)
class Bar:
    """One run of the trend. ``tone``: good, warn, bad, none; ``x``, ``y`` and ``height`` in units of the picture."""

    x: int
    y: int
    height: int
    tone: str
    text: str


def openhuizhou_schedule(cron: str | None) -> str:
    """A cron expression in words, as far as it is one of the usual kind: ``20 3 * * *`` → “every day at 03:20”."""
    if not cron:
        return tk._("Only when a person starts it")
    found = _TIME.fullmatch(cron.strip())
    if found is None:
        return tk._("By the expression {cron}").format(cron=cron)
    minute, hour, day, weekday = found.groups()
    if hour == "*":
        if (day, weekday) != ("*", "*"):
            return tk._("By the expression {cron}").format(cron=cron)
        return tk._("Every hour, at minute {minute}").format(minute=int(minute))
    time = f"{int(hour):02}:{int(minute):02}"
    if day != "*" and weekday == "*":
        return tk._("Each month on day {day} at {time}").format(day=int(day), time=time)
    if day == "*" and weekday != "*":
        name = tk._(WEEKDAYS[int(weekday) % len(WEEKDAYS)])
        return tk._("Every {weekday} at {time}").format(weekday=name, time=time)
    if day == "*":
        return tk._("Every day at {time}").format(time=time)
    return tk._("By the expression {cron}").format(cron=cron)


def openhuizhou_duration(seconds: float | None) -> str:
    """``75`` → “1 min 15 s”; empty for None."""
    if seconds is None:
        return ""
    if seconds < 10 and seconds != int(seconds):
        return tk._("{seconds} s").format(seconds=round(seconds, 1))
    whole = round(seconds)
    if whole < _MINUTE:
        return tk._("{seconds} s").format(seconds=whole)
    if whole < _HOUR:
        return tk._("{minutes} min {seconds} s").format(minutes=whole // _MINUTE, seconds=whole % _MINUTE)
    return tk._("{hours} h {minutes} min").format(hours=whole // _HOUR, minutes=whole % _HOUR // _MINUTE)


def openhuizhou_seconds_since(moment: str) -> int:
    """Whole seconds since a moment of ISO 8601."""
    return max(0, round((dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(moment)).total_seconds()))


def openhuizhou_soon(moment: str | None) -> str:
    """A moment near today, in words where that is shorter: “today 15:20”, “tomorrow 03:00”, “2018-03-31 08:05”."""
    text = openhuizhou_datetime(moment)
    if not text:
        return ""
    day, _space, time = text.partition(" ")
    for distance, sentence in ((-1, N_("Yesterday {time}")), (0, N_("Today {time}")), (1, N_("Tomorrow {time}"))):
        if day == (today() + dt.timedelta(days=distance)).isoformat():
            return tk._(sentence).format(time=time)
    return text


def openhuizhou_run_state(state: str) -> str:
    """The state of a run in words."""
    return tk._(RUN_STATES[state]) if state in RUN_STATES else state


def openhuizhou_rule(rule: str) -> str:
    """What told that a record has changed, or has not, in words."""
    return tk._(RULES[rule]) if rule in RULES else rule


def openhuizhou_finding_kind(kind: str) -> str:
    """What a kind of finding says, without the figures of a single one: “Field “…” is empty”."""
    return _PLACEHOLDER.sub("…", tk._(KINDS[kind].message)) if kind in KINDS else kind


def openhuizhou_trend(runs: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """The last runs as bars, the oldest first. ``runs``: the latest first."""
    bars = []
    for place, run in enumerate(reversed(runs)):
        tone = _tone(run)
        height = _BARS[tone]
        when = openhuizhou_date(run.get("started") or run.get("created"))
        text = f"{when} {openhuizhou_run_state(run['state'])}".strip()
        bars.append(Bar(place * 8, 18 - height, height, tone, text))
    return bars


def openhuizhou_run_news(run: Mapping[str, Any]) -> str:
    """One sentence on a run for who does not see it move; it changes at each tenth."""
    state = openhuizhou_run_state(run["state"])
    if run["state"] == "running" and run.get("percent") is not None:
        return tk._("{state}, {percent} % done").format(state=state, percent=int(run["percent"]) // 10 * 10)
    return state


def openhuizhou_difference(field: str, value: Any) -> list[str]:
    """A value before or after a change, as lines of text."""
    if value in (None, "", [], {}):
        return []
    if isinstance(value, Mapping):
        return [_named(value)] if "column" in value or "name" in value else [_json(value)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [line for part in value for line in openhuizhou_difference(field, part)]
    if isinstance(value, bool):
        return [tk._("Yes") if value else tk._("No")]
    return [_label(field, str(value))]


def _tone(run: Mapping[str, Any]) -> str:
    if run["state"] == "failed":
        return "bad"
    if run["state"] == "held" or run.get("refused") or run.get("failed"):
        return "warn"
    return "good" if run["state"] == "done" else "none"


def _named(value: Mapping[str, Any]) -> str:
    """An item or a resource in one line."""
    name = str(value.get("name") or value.get("column") or "")
    rest = [str(text) for key, text in value.items() if key != "name" and text not in (None, "", False)]
    return f"{name} ({', '.join(rest)})" if rest else name


def _label(field: str, text: str) -> str:
    """A code by its label when the field has a list of codes; a department by its title."""
    if field == "owner_org":
        organization = model.Group.get(text)
        return (organization.title or organization.name) if organization else text
    if field == "license_id":
        return openhuizhou_licence({"license_id": text})["title"]
    if field == "category":
        path = openhuizhou_category_path(text)
        return f"{text} {path[-1]['label']}" if path else text
    if field == "theme":
        return openhuizhou_theme(text)
    if field == "region":
        return openhuizhou_region(text)
    schema = tk.h.scheming_get_dataset_schema("dataset") or {}
    for known in schema.get("dataset_fields", ()):
        if known["field_name"] == field and known.get("code_list"):
            return openhuizhou_label(known["code_list"], text) or text
    return text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
