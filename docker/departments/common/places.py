"""Huizhou for the generators: counties and zones, their towns (real names and codes), points inside them."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data"

#: GB/T 2260 codes; the two zones have none, so theirs are the platform's (config/departments.yaml).
COUNTIES = {
    "441302": "惠城区",
    "441303": "惠阳区",
    "441322": "博罗县",
    "441323": "惠东县",
    "441324": "龙门县",
    "441391": "大亚湾开发区",
    "441392": "仲恺高新区",
}
_ZHONGKAI_TOWNS = {"惠环街道", "陈江街道", "沥林镇", "潼湖镇", "潼侨镇", "东江高新科技产业园"}
#: Where the towns of the zones lie, as (longitude, latitude) of the middle and half the width in degrees.
_ZONES = {"441391": (114.53, 22.73, 0.05), "441392": (114.29, 23.03, 0.06)}


@dataclass(frozen=True, slots=True)
class Town:
    """A town or street: county code as this city counts (zones apart), statistics code, name, a point in it."""

    county: str
    code: str
    name: str
    lon: float
    lat: float

    @property
    def county_name(self) -> str:
        return COUNTIES[self.county]

    def point(self, rng: random.Random) -> tuple[float, float]:
        """A made-up point in or near the town: longitude and latitude in degrees, six decimals."""
        return round(rng.gauss(self.lon, 0.008), 6), round(rng.gauss(self.lat, 0.007), 6)


def divisions() -> list[dict[str, str]]:
    """The villages of the city, in the order of their codes (real; data/README.md)."""
    with (DATA / "divisions-huizhou.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outlines() -> dict[str, list[list[list[float]]]]:
    """Rings of [longitude, latitude] by county code (real; data/README.md)."""
    collection = json.loads((DATA / "outlines-huizhou.geojson").read_text(encoding="utf-8"))
    return {
        feature["properties"]["code"]: [polygon[0] for polygon in feature["geometry"]["coordinates"]]
        for feature in collection["features"]
    }


@cache
def towns() -> tuple[Town, ...]:
    """Towns and streets, without forest farms and parks; the middle of each is made up, inside its county."""
    rng = random.Random("towns")
    rings = {code: max(parts, key=len)[::12] for code, parts in outlines().items()}
    found: dict[str, Town] = {}
    for row in divisions():
        name = row["town"]
        if row["town_code"] in found or not name.endswith(("街道", "镇", "乡")):
            continue
        county = _county(row["county_code"], name)
        lon, lat = _middle(rng, county, rings)
        found[row["town_code"]] = Town(county, row["town_code"], name.removeprefix("大亚湾"), lon, lat)
    return tuple(found.values())


def _county(code: str, town: str) -> str:
    if town.startswith("大亚湾"):
        return "441391"
    return "441392" if town in _ZHONGKAI_TOWNS else code


def _middle(rng: random.Random, county: str, rings: dict[str, list[list[float]]]) -> tuple[float, float]:
    if county in _ZONES:
        lon, lat, half = _ZONES[county]
        return rng.uniform(lon - half, lon + half), rng.uniform(lat - half, lat + half)
    ring = rings[county]
    west, east = min(p[0] for p in ring), max(p[0] for p in ring)
    south, north = min(p[1] for p in ring), max(p[1] for p in ring)
    while True:
        lon, lat = rng.uniform(west, east), rng.uniform(south, north)
        if _inside(lon, lat, ring):
            return lon, lat


def _inside(lon: float, lat: float, ring: list[list[float]]) -> bool:
    """Whether a point lies in a closed ring (even-odd rule)."""
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside
