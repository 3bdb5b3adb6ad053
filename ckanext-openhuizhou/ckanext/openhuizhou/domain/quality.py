"""The quality score of a catalogue entry: its dimensions, their points, and reasons that a person can act on.

What is asked and how much it counts is data (``schemas/quality.yaml``); how it is judged are the functions of
``quality_criteria``. Criteria follow what udata (9 points), data.europa.eu (MQA, 405 points) and data.gov.tw (checks of
the data itself) ask, as far as a city's entry can answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from ckanext.openhuizhou.domain.quality_criteria import CRITERIA, Facts, Reason
from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas import yaml_file

FILE: Final = Path(yaml_file.__file__).parent / "quality.yaml"


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a dimension asks: points by criterion."""

    key: str
    label: Mapping[str, str]
    criteria: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Band:
    """A word for a range of scores, from ``lowest`` up to the next."""

    key: str
    lowest: int
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rules:
    """``bands`` from the best down."""

    dimensions: tuple[Dimension, ...]
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A dimension of one entry: ``points`` of ``most``; ``most`` is 0 where nothing could be judged."""

    points: float
    most: int
    reasons: tuple[Reason, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        reasons = [{"kind": reason.kind, "params": dict(reason.params)} for reason in self.reasons]
        return {"points": round(self.points, 1), "most": self.most, "reasons": reasons}


@dataclass(frozen=True, slots=True)
class Score:
    """``total`` of 100."""

    total: int
    dimensions: Mapping[str, Judged] = field(default_factory=dict)


@cache
def rules() -> Rules:
    """The rules, read once. ``ConfigurationError`` when a criterion is unknown or the points are not 100."""
    content = yaml_file.read_yaml(FILE)
    dimensions = tuple(Dimension(one["key"], one["label"], one["criteria"]) for one in content["dimensions"])
    asked = [name for one in dimensions for name in one.criteria]
    if sorted(asked) != sorted(CRITERIA):
        wrong = sorted(set(asked) ^ set(CRITERIA))
        raise ConfigurationError(
            "{file}: criteria without rule, or rules without points: {names}", file=FILE.name, names=wrong
        )
    if (total := sum(points for one in dimensions for points in one.criteria.values())) != 100:
        raise ConfigurationError("{file}: the points make {total}, not 100", file=FILE.name, total=total)
    bands = tuple(Band(one["key"], one["from"], one["label"]) for one in content["bands"])
    return Rules(dimensions, bands)


def judge(facts: Facts) -> Score:
    """The score of an entry. What cannot be judged is left out, and the rest counts for 100."""
    dimensions = {one.key: _judged(one, facts) for one in rules().dimensions}
    most = sum(one.most for one in dimensions.values())
    points = sum(one.points for one in dimensions.values())
    return Score(round(100 * points / most) if most else 0, dimensions)


def _judged(dimension: Dimension, facts: Facts) -> Judged:
    points, most, reasons = 0.0, 0, []
    for name, worth in dimension.criteria.items():
        answer = CRITERIA[name](facts)
        if answer is None:
            continue
        share, reason = answer
        most += worth
        points += worth * share
        reasons += [reason] if reason is not None and reason not in reasons else []
    return Judged(points, most, tuple(reasons))


def band_of(score: int) -> Band:
    """The word for a score."""
    return next(band for band in rules().bands if score >= band.lowest)
