"""Made-up names, addresses and times. Every made-up organisation says 演示 in its own name."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from .places import Town, towns

_FIRST = "恒信鸿盛瑞永嘉康泰源华联安创新宏远金顺达兴东江海天成德汇丰隆正明科"
_SECOND = "达盛源泰发丰祥通利安兴隆和顺康宁宇辉航成力诚美新鑫联创驰捷远"
_ROADS = [
    "演示大道",
    "演示一路",
    "演示二路",
    "演示三路",
    "演示北路",
    "演示南路",
    "演示工业路",
    "演示滨江路",
    "演示园区路",
]


def weighted(rng: random.Random, choices: dict[str, float]) -> str:
    """One key, by weight."""
    return rng.choices(list(choices), list(choices.values()))[0]


def town(rng: random.Random) -> Town:
    """A town; the more populous counties come first in the codes and have more towns, so no weights are needed."""
    return rng.choice(towns())


def enterprise(rng: random.Random, place: Town, kinds: Sequence[str]) -> str:
    """A company's name, such as 惠东县演示恒达化工有限公司."""
    return f"{place.county_name}演示{rng.choice(_FIRST)}{rng.choice(_SECOND)}{rng.choice(kinds)}"


def address(rng: random.Random, place: Town) -> str:
    """A street address in a road that does not exist."""
    return f"{place.county_name}{place.name}{rng.choice(_ROADS)}{rng.randint(1, 399)}号"


def serial(prefix: str, number: int, width: int = 4) -> str:
    """An identifier that cannot be mistaken for a real one: 演示 comes first."""
    return f"演示{prefix}{number:0{width}d}"


def day_between(rng: random.Random, first: date, last: date) -> date:
    """A day, both ends included."""
    return first + timedelta(days=rng.randint(0, (last - first).days))


def months(first: str, last: str) -> Iterator[str]:
    """``2016-01`` … ``2018-02``, both ends included."""
    year, month = map(int, first.split("-"))
    while f"{year}-{month:02d}" <= last:
        yield f"{year}-{month:02d}"
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
