"""Columns of longitude and latitude, the coordinate system that they are in, and the way to CGCS2000.

Maps here are drawn in CGCS2000 (EPSG:4490), the national system; WGS 84 (EPSG:4326) differs from it by centimetres
and is drawn as it is. GCJ-02 (高德, 腾讯) and BD-09 (百度) are shifted by hundreds of metres. They are turned back
only where the table says that it uses them: nobody can tell from a number. The turning is the usual published
approximation; its error is about a metre, far below what these maps show.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .items import Item

#: 惠州市 in degrees (113°51′–115°28′ E, 22°24′–23°57′ N) and five minutes around it.
WEST, EAST, SOUTH, NORTH = 113.77, 115.55, 22.3, 24.05

CGCS2000: Final = "CGCS2000"
WGS84: Final = "WGS84"
GCJ02: Final = "GCJ-02"
BD09: Final = "BD-09"
#: What each is called in full.
EPSG: Final = {CGCS2000: "EPSG:4490", WGS84: "EPSG:4326", GCJ02: "", BD09: ""}

_SAID: Final = (
    (CGCS2000, re.compile(r"CGCS\s*-?2000|国家\s*2000|2000\s*国家大地|大地2000|EPSG:?\s*4490", re.IGNORECASE)),
    (WGS84, re.compile(r"WGS\s*-?_?84|GPS坐标|EPSG:?\s*4326", re.IGNORECASE)),
    (GCJ02, re.compile(r"GCJ\s*-?_?0?2(?![0-9])|火星|国测局|高德|腾讯地图", re.IGNORECASE)),
    (BD09, re.compile(r"BD\s*-?_?0?9(?![0-9])|百度", re.IGNORECASE)),
)
_LONGITUDE = re.compile(r"经度")
_LATITUDE = re.compile(r"纬度")
_LONGITUDE_ID = re.compile(r"(?:^|_)(?:longitude|lon|lng|jd)(?=_|$|84|02|09)")
_LATITUDE_ID = re.compile(r"(?:^|_)(?:latitude|lat|wd)(?=_|$|84|02|09)")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two columns that are one place. ``system`` is what the columns say; empty when they say two things."""

    longitude: Item
    latitude: Item
    system: str
    declared: bool


def pairs_of(items: Sequence[Item]) -> tuple[Pair, ...]:
    """Pairs of longitude and latitude whose names differ in nothing else (``起点经度``, ``起点纬度``)."""
    latitudes = {key: item for item in items if (key := _key(item, _LATITUDE, _LATITUDE_ID)) is not None}
    found = []
    for item in items:
        key = _key(item, _LONGITUDE, _LONGITUDE_ID)
        if key is not None and key in latitudes:
            found.append(_pair(item, latitudes[key]))
    return tuple(found)


def declared_systems(*items: Item) -> tuple[str, ...]:
    """The coordinate systems that labels, ids, units and descriptions of these columns name."""
    said = " ".join(f"{item.name} {item.column} {item.unit} {item.description}" for item in items)
    return tuple(name for name, pattern in _SAID if pattern.search(said))


def is_inside(longitude: float, latitude: float) -> bool:
    """Whether a place can be in Huizhou."""
    return WEST <= longitude <= EAST and SOUTH <= latitude <= NORTH


def to_cgcs2000(longitude: float, latitude: float, system: str) -> tuple[float, float]:
    """Degrees in CGCS2000 (or WGS 84, which is the same here) from degrees in ``system``."""
    if system == BD09:
        longitude, latitude = _bd09_to_gcj02(longitude, latitude)
    if system in (GCJ02, BD09):
        return _gcj02_to_wgs84(longitude, latitude)
    return longitude, latitude


def wgs84_to_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    """The shift that Chinese map services apply, by the published formulas on the Krasovsky ellipsoid."""
    x, y = longitude - 105.0, latitude - 35.0
    radians = math.radians(latitude)
    magic = 1 - _EE * math.sin(radians) ** 2
    up = _shift_up(x, y) * 180.0 / ((_A * (1 - _EE)) / (magic * math.sqrt(magic)) * math.pi)
    right = _shift_right(x, y) * 180.0 / (_A / math.sqrt(magic) * math.cos(radians) * math.pi)
    return longitude + right, latitude + up


_A: Final = 6378245.0
_EE: Final = 0.00669342162296594323
_X_PI: Final = math.pi * 3000.0 / 180.0
#: Each round makes the error about a thousand times smaller.
_ROUNDS: Final = 3


def _gcj02_to_wgs84(longitude: float, latitude: float) -> tuple[float, float]:
    """The place whose shift is this: found by going back by the shift at the last guess."""
    x, y = longitude, latitude
    for _ in range(_ROUNDS):
        shifted_x, shifted_y = wgs84_to_gcj02(x, y)
        x, y = x + longitude - shifted_x, y + latitude - shifted_y
    return x, y


def _bd09_to_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    x, y = longitude - 0.0065, latitude - 0.006
    distance = math.hypot(x, y) - 0.00002 * math.sin(y * _X_PI)
    angle = math.atan2(y, x) - 0.000003 * math.cos(x * _X_PI)
    return distance * math.cos(angle), distance * math.sin(angle)


def _shift_up(x: float, y: float) -> float:
    shift = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    shift += _waves(x)
    shift += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    return shift + (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0


def _shift_right(x: float, y: float) -> float:
    shift = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    shift += _waves(x)
    shift += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    return shift + (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0


def _waves(x: float) -> float:
    return (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0


def _pair(longitude: Item, latitude: Item) -> Pair:
    said = declared_systems(longitude, latitude)
    return Pair(longitude, latitude, "" if len(said) > 1 else (said or (CGCS2000,))[0], declared=len(said) == 1)


def _key(item: Item, label: re.Pattern[str], column: re.Pattern[str]) -> str | None:
    """What is left of a label or id without the word that was looked for; None when it is not there."""
    if item.data_type != "number":
        return None
    if label.search(item.name):
        return label.sub("", item.name, count=1)
    if column.search(item.column):
        return column.sub("", item.column, count=1)
    return None
