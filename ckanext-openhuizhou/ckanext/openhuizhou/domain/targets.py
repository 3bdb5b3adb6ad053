"""The city's targets (``config/targets.yaml``) and how far they are, computed from counts: nothing here is stored.

``met`` says how things are now, ``met_on_time`` whether the goal was reached by the deadline: a goal that is reached
late is met, and not on time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.yaml_file import read_yaml

Unit = Literal["dataset", "application"]
UNITS: tuple[Unit, ...] = ("dataset", "application")


@dataclass(frozen=True, slots=True)
class Target:
    """One target. ``deadline`` is the last day, in the city's calendar; ``providers`` are organization names."""

    id: str
    unit: Unit
    goal: int
    deadline: dt.date
    title: Mapping[str, str]
    task: int | None = None
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a target is. ``met_on_time`` is ``None`` while nobody can know yet."""

    count: int
    met: bool
    met_on_time: bool | None
    missing_providers: tuple[str, ...]


def read_targets(path: Path) -> tuple[Target, ...]:
    """Targets in the order of the file; raises ``ConfigurationError`` naming the file and the place."""
    content = read_yaml(path)
    targets = tuple(_target(values, path.name) for values in (content or {}).get("targets", []))
    ids = [target.id for target in targets]
    for id_ in ids:
        if ids.count(id_) > 1:
            raise ConfigurationError("{file}: target {id} stands there twice", file=path.name, id=id_)
    return targets


def _target(values: Mapping[str, Any], file: str) -> Target:
    try:
        target = Target(
            id=str(values["id"]),
            unit=cast(Unit, values["unit"]),
            goal=values["goal"],
            deadline=values["deadline"],
            title=dict(values["title"]),
            task=values.get("task"),
            providers=tuple(values.get("from", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError("{file}: a target lacks {what}", file=file, what=str(error)) from error
    if target.unit not in UNITS:
        raise ConfigurationError(
            "{file}: {id} counts unknown things: {unit}", file=file, id=target.id, unit=target.unit
        )
    if not isinstance(target.goal, int) or target.goal < 1:
        raise ConfigurationError("{file}: the goal of {id} is not a number above 0", file=file, id=target.id)
    if not isinstance(target.deadline, dt.date):
        raise ConfigurationError("{file}: the deadline of {id} is not a date", file=file, id=target.id)
    return target


def most_first(counted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Facet items ``{"name": …, "count": …}`` by count, then by name."""
    return sorted(counted, key=lambda item: (-item["count"], item["name"]))


def by_month(issued: Mapping[str, int]) -> list[dict[str, Any]]:
    """From counts by ISO date, oldest month first; ``count`` is the running total.

    ``[{"month": "2018-03", "added": 20, "count": 24}, …]``
    """
    added: dict[str, int] = {}
    for issued_on, count in issued.items():
        added[issued_on[:7]] = added.get(issued_on[:7], 0) + count
    total, months = 0, []
    for month in sorted(added):
        total += added[month]
        months.append({"month": month, "added": added[month], "count": total})
    return months


def measure(
    target: Target, *, count: int, at_deadline: int, by_provider: Mapping[str, int], today: dt.date
) -> Progress:
    """Judge a target. ``count`` is now (or on a day that was asked for), ``at_deadline`` by the end of the deadline."""
    on_time: bool | None = at_deadline >= target.goal
    if not on_time and today <= target.deadline:
        on_time = None
    return Progress(
        count=count,
        met=count >= target.goal,
        met_on_time=on_time,
        missing_providers=tuple(name for name in target.providers if not by_provider.get(name)),
    )
