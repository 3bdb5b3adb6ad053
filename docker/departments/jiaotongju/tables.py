"""Rows of 市交通运输局, by dataset key. All values are made up."""

from __future__ import annotations

import math
import random
from datetime import date, datetime, timedelta

from common.datasets import Rows, RowSource
from common.made_up import day_between, enterprise, months, serial, town, weighted
from common.places import COUNTIES

OPERATORS = ("演示公交一公司", "演示公交二公司", "演示城乡公交公司", "演示大亚湾公交公司")
DESTINATIONS = {"广州": 150, "深圳": 95, "东莞": 75, "河源": 85, "汕尾": 130, "梅州": 260, "珠海": 230, "赣州": 330}
LANDMARKS = ("市场", "小学", "医院", "村口", "路口", "工业区", "花园", "车站", "公园", "镇政府")
ROADS = {"国道": ("G205", "G324", "G220"), "省道": ("S120", "S244", "S357", "S254"), "县道": ("X199", "X210", "X225")}


def clock(minutes: int) -> str:
    """Minutes after midnight as ``07:05``."""
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def stop_name(rng: random.Random, place: str) -> str:
    return f"{place}{rng.choice(LANDMARKS)}"


def lines(rng: random.Random) -> Rows:
    """218 bus lines."""
    for number in range(1, 219):
        start, end = town(rng), town(rng)
        length = round(rng.uniform(6, 62), 1)
        yield (
            serial("GJ", number),
            f"演示{number}路",
            stop_name(rng, start.name),
            stop_name(rng, end.name),
            clock(rng.randrange(330, 420, 5)),
            clock(rng.randrange(1080, 1380, 10)),
            length,
            f"{max(2, round(length / 6)):.2f}",
            rng.choice(OPERATORS),
        )


def stops(rng: random.Random) -> Rows:
    """4,260 stops with coordinates."""
    for number in range(1, 4261):
        place = town(rng)
        name = f"{stop_name(rng, place.name)}{rng.choice('①②③④')}"
        yield (
            serial("ZD", number, 5), name, place.county_name, place.name, *place.point(rng),
            int(rng.random() < 0.6), rng.choice((1, 1, 2, 3, 4, 6, 8)),
        )  # fmt: skip


def trips(rng: random.Random) -> Rows:
    """1,880 departures."""
    for number in range(1, 1881):
        destination = rng.choice(list(DESTINATIONS))
        distance = DESTINATIONS[destination] + rng.randint(-15, 30)
        grade = weighted(rng, {"高级": 0.5, "中级": 0.4, "普通": 0.1})
        fare = distance * {"高级": 0.42, "中级": 0.36, "普通": 0.3}[grade]
        station = f"{town(rng).county_name}演示客运站"
        departs = clock(rng.randrange(360, 1260, 5))
        yield serial("BC", number), station, destination, departs, distance, f"{fare:.2f}", grade


def hauliers(rng: random.Random) -> Rows:
    """1,346 licensed enterprises."""
    scopes = {"道路普通货物运输": 0.7, "道路旅客运输": 0.1, "道路危险货物运输": 0.12, "货物专用运输": 0.08}
    for number in range(1, 1347):
        place = town(rng)
        name = enterprise(rng, place, ("物流有限公司", "运输有限公司", "客运有限公司"))
        until = day_between(rng, date(2018, 3, 1), date(2022, 2, 28))
        vehicles = int(rng.lognormvariate(2.4, 0.9)) + 1
        credit = weighted(rng, {"AAA": 0.3, "AA": 0.4, "A": 0.25, "B": 0.05})
        yield f"演示运管4413{number:05d}", name, weighted(rng, scopes), place.county_name, until, vehicles, credit


def road_sections(rng: random.Random) -> Rows:
    """964 sections."""
    ratings = ((90, "优"), (80, "良"), (70, "中"), (60, "次"), (0, "差"))
    for number in range(1, 965):
        kind = rng.choice(list(ROADS))
        grade = {"国道": "一级", "省道": "二级", "县道": "三级"}[kind]
        quality = round(min(99.0, max(52.0, rng.gauss(86, 8))), 1)
        surface = "沥青混凝土" if rng.random() < 0.6 else "水泥混凝土"
        rating = next(name for limit, name in ratings if quality >= limit)
        yield (
            serial("LD", number), rng.choice(ROADS[kind]), kind, grade, town(rng).county_name,
            round(rng.uniform(0.4, 12), 3), surface, quality, rating,
        )  # fmt: skip


def traffic(rng: random.Random) -> Rows:
    """40 stations, each hour of 59 days: 56,640 rows; two peaks a day, quiet from 15 to 18 February 2018."""
    codes = [code for kind in ("国道", "省道") for code in ROADS[kind]]
    for number in range(1, 41):
        size, code = rng.uniform(150, 1400), rng.choice(codes)
        for hour in range(59 * 24):
            moment = datetime(2018, 1, 1) + timedelta(hours=hour)  # noqa: DTZ001 - the city's own time
            day = 0.15 + math.exp(-((moment.hour - 8) ** 2) / 6) + math.exp(-((moment.hour - 18) ** 2) / 8)
            feast = 0.6 if date(2018, 2, 15) <= moment.date() <= date(2018, 2, 18) else 1.0
            cars = int(size * day * feast * rng.uniform(0.85, 1.15))
            speed = round(max(18.0, 72 - cars / 40 + rng.gauss(0, 2)), 1)
            yield serial("GC", number), code, f"{moment:%Y-%m-%d %H:%M:%S}", cars, cars // 18, cars // 6, speed


def berths(rng: random.Random) -> Rows:
    """134 berths at the coast of 大亚湾 and along the 东江."""
    areas = {"荃湾港区": (114.62, 22.68), "东马港区": (114.56, 22.71), "东江内河": (114.42, 23.09)}
    for number in range(1, 135):
        area = rng.choice(list(areas))
        lon, lat = areas[area]
        inland = area == "东江内河"
        yield (
            serial("BW", number),
            f"{area}演示{number:03d}号泊位",
            area,
            rng.choice((300, 500, 1000)) if inland else rng.choice((3000, 5000, 30_000, 70_000, 150_000)),
            rng.randint(40, 90) if inland else rng.randint(110, 420),
            rng.choice(("砂石", "散货") if inland else ("原油", "液体化工", "煤炭", "集装箱", "通用散货")),
            round(rng.gauss(lon, 0.01), 6),
            round(rng.gauss(lat, 0.006), 6),
        )


def volumes(rng: random.Random) -> Rows:
    """61 months, 7 counties and zones, 2 ways: 854 rows."""
    for month in months("2013-01", "2018-01"):
        for county in COUNTIES.values():
            for way, scale in (("公路", 1.0), ("水路", 0.12)):
                people, goods = abs(rng.gauss(140, 30)) * scale, abs(rng.gauss(210, 45)) * scale
                yield (
                    month, county, way, round(people, 2), round(people * rng.uniform(40, 70), 2),
                    round(goods, 2), round(goods * rng.uniform(60, 130), 2),
                )  # fmt: skip


TABLES: dict[str, RowSource] = {
    "JT-GJ-01": lines,
    "JT-GJ-02": stops,
    "JT-KY-01": trips,
    "JT-QY-01": hauliers,
    "JT-GL-01": road_sections,
    "JT-GL-02": traffic,
    "JT-GK-01": berths,
    "JT-TJ-01": volumes,
}
