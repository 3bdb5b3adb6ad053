"""Rows of 市环境保护局, by dataset key. All values are made up; they follow the seasons and the hours of the day."""

from __future__ import annotations

import math
import random
from datetime import date, datetime, timedelta

from common.datasets import Rows, RowSource
from common.made_up import address, day_between, enterprise, months, serial, town, weighted
from common.places import COUNTIES, towns

POLLUTANTS = ("PM2.5", "PM10", "二氧化氮", "臭氧8小时", "细颗粒物和臭氧")
LEVELS = ((50, "优"), (100, "良"), (150, "轻度污染"), (200, "中度污染"), (10_000, "重度污染"))
RIVERS = ("东江", "西枝江", "增江", "淡水河", "公庄河", "龙门河", "沙河", "潼湖水", "柏岗河", "吉隆河")
CLASSES = {"I": 0.04, "II": 0.46, "III": 0.3, "IV": 0.14, "V": 0.04, "劣V": 0.02}
INDUSTRIES = {
    "电子有限公司": "电子元件制造",
    "化工有限公司": "化学原料制造",
    "线路板有限公司": "印制电路板制造",
    "纺织印染有限公司": "纺织印染",
    "水泥有限公司": "水泥制造",
    "造纸有限公司": "造纸",
    "污水处理有限公司": "污水处理",
    "电镀有限公司": "金属表面处理",
}
OFFENCES = (
    "超标排放水污染物",
    "未批先建",
    "未按规定处置危险废物",
    "不正常运行污染防治设施",
    "超标排放大气污染物",
    "未验先投",
)


def level(aqi: int) -> str:
    """The name of an AQI's level (HJ 633-2012)."""
    return next(name for limit, name in LEVELS if aqi <= limit)


def air_hourly(rng: random.Random) -> Rows:
    """23 stations, each hour of 2017: 201,480 rows. Winter and rush hours are worse; ozone peaks at noon."""
    places = rng.sample(towns(), 23)
    hours = [datetime(2017, 1, 1) + timedelta(hours=hour) for hour in range(8760)]  # noqa: DTZ001 - the city's own time
    texts = [hour.strftime("%Y-%m-%d %H:%M:%S") for hour in hours]
    seasons = [1.0 + 0.45 * math.cos(2 * math.pi * hour.timetuple().tm_yday / 365) for hour in hours]
    rush = [1.25 if hour.hour in (8, 9, 18, 19, 20) else 1.0 for hour in hours]
    noon = [0.4 + max(0.0, math.sin(math.pi * (hour.hour - 6) / 14)) for hour in hours]
    gauss = rng.gauss
    for number, place in enumerate(places, 1):
        code, name, base = serial("KQ", number), f"{place.county_name}{place.name}站", rng.uniform(18, 32)
        weather = 1.0
        for index, text in enumerate(texts):
            weather = min(2.6, max(0.35, weather + gauss(0, 0.05) + 0.01 * (1.0 - weather)))
            pm25 = int(base * seasons[index] * rush[index] * weather)
            pm10 = int(pm25 * 1.5) + 6
            no2 = int(20 * rush[index] * seasons[index] * weather)
            o3 = int(78 * noon[index] * (2.2 - seasons[index]) * (0.6 + weather / 2))
            indices = (pm25 * 100 // 75, pm10 * 100 // 150, no2 * 100 // 200, o3 * 100 // 200)
            aqi = max(indices)
            worst = POLLUTANTS[indices.index(aqi)] if aqi > 50 else None
            yield code, name, text, aqi, worst, pm25, pm10, 5 + index % 7, no2, o3, round(0.4 + pm25 / 100, 2)


def air_daily(rng: random.Random) -> Rows:
    """City and counties, each day: about 9,200 rows."""
    regions = {"441300": "惠州市", **COUNTIES}
    for offset in range((date(2018, 2, 28) - date(2015, 1, 1)).days + 1):
        day = date(2015, 1, 1) + timedelta(days=offset)
        season = 55 + 18 * math.cos(2 * math.pi * day.timetuple().tm_yday / 365) + rng.gauss(0, 12)
        for code, name in regions.items():
            aqi = max(18, int(season + rng.gauss(0, 7)))
            yield str(day), code, name, aqi, level(aqi), rng.choice(POLLUTANTS[:4]) if aqi > 50 else None, aqi <= 100


def sites(rng: random.Random) -> Rows:
    """386 monitoring sites with coordinates."""
    kinds = {"空气": 23, "地表水": 38, "噪声": 215, "土壤": 110}
    number = 0
    for kind, count in kinds.items():
        for _ in range(count):
            number += 1
            place = town(rng)
            built = str(day_between(rng, date(1998, 1, 1), date(2017, 12, 31)))
            name = f"{place.name}{kind}监测点{number:03d}（演示）"
            yield serial("DW", number), name, kind, place.county_name, place.name, *place.point(rng), built


def river_sections(rng: random.Random) -> Rows:
    """38 sections, 37 months: 1,406 rows."""
    for number in range(1, 39):
        river = RIVERS[number % len(RIVERS)]
        goal = weighted(rng, {"II": 0.5, "III": 0.4, "IV": 0.1})
        for month in months("2015-01", "2018-01"):
            found = weighted(rng, CLASSES)
            rank = list(CLASSES).index(found)
            yield (
                serial("DM", number),
                f"{river}断面{number:02d}（演示）",
                river,
                month,
                goal,
                found,
                round(rng.gauss(7.2, 0.25), 2),
                round(max(1.5, 8.6 - rank + rng.gauss(0, 0.4)), 2),
                round(1.2 + rank + abs(rng.gauss(0, 0.5)), 2),
                round(0.12 + rank * 0.3 + abs(rng.gauss(0, 0.05)), 3),
                round(0.02 + rank * 0.06 + abs(rng.gauss(0, 0.01)), 3),
                rank <= list(CLASSES).index(goal),
            )


def drinking_water(rng: random.Random) -> Rows:
    """16 water sources, 49 months: 784 rows."""
    for number in range(1, 17):
        place, kind = town(rng), weighted(rng, {"河流": 0.6, "水库": 0.4})
        for month in months("2014-01", "2018-01"):
            yield (
                serial("SY", number),
                f"{place.county_name}{place.name}{kind}水源地（演示）",
                kind,
                place.county_name,
                month,
                round(abs(rng.gauss(420, 160)) + 20, 2),
                weighted(rng, {"I": 0.1, "II": 0.7, "III": 0.2}),
                100.0 if rng.random() < 0.97 else 96.8,
            )


def polluters(rng: random.Random) -> Rows:
    """412 enterprises with coordinates."""
    kinds = {"水环境": 0.5, "大气环境": 0.25, "土壤环境": 0.2, "声环境": 0.05}
    for number in range(1, 413):
        place, suffix = town(rng), rng.choice(list(INDUSTRIES))
        name = enterprise(rng, place, [suffix])
        kind = weighted(rng, kinds)
        where = address(rng, place)
        yield (
            serial("PW", number), name, kind, INDUSTRIES[suffix], place.county_name, where, *place.point(rng), 2018
        )  # fmt: skip


def penalties(rng: random.Random) -> Rows:
    """1,286 decisions in the order of their dates."""
    days = sorted(day_between(rng, date(2015, 1, 1), date(2018, 2, 28)) for _ in range(1286))
    for number, day in enumerate(days, 1):
        place = town(rng)
        fine = rng.choice((20_000, 30_000, 50_000, 80_000, 100_000, 200_000, 350_000))
        kind = weighted(rng, {"罚款": 0.8, "罚款、责令停产整治": 0.15, "责令改正": 0.05})
        amount = None if kind == "责令改正" else f"{fine:.2f}"
        name = enterprise(rng, place, list(INDUSTRIES))
        yield f"演示环罚〔{day.year}〕{number}号", name, rng.choice(OFFENCES), kind, amount, place.county_name, str(day)


def noise(rng: random.Random) -> Rows:
    """215 sites, twice a year for three years: 1,290 rows."""
    for number in range(1, 216):
        place, zone = town(rng), weighted(rng, {"1类": 0.3, "2类": 0.4, "3类": 0.2, "4a类": 0.1})
        lon, lat = place.point(rng)
        base = {"1类": 50, "2类": 55, "3类": 58, "4a类": 64}[zone]
        for year in (2015, 2016, 2017):
            for month in (5, 11):
                day = date(year, month, rng.randint(1, 28))
                loud = round(rng.gauss(base, 2.5), 1)
                yield (
                    serial("ZS", number), place.county_name, zone, str(day), loud, round(loud - rng.uniform(6, 11), 1),
                    lon, lat,
                )  # fmt: skip


def outlets(rng: random.Random) -> Rows:
    """36 outlets, each hour of February 2018: 24,192 rows."""
    for number in range(1, 37):
        load = rng.uniform(20, 60)
        for hour in range(28 * 24):
            moment = datetime(2018, 2, 1) + timedelta(hours=hour)  # noqa: DTZ001 - the city's own time
            cod = round(abs(rng.gauss(load, 6)), 1)
            flow = round(abs(rng.gauss(110, 30)), 1)
            yield serial("PW", number), "废水总排口", f"{moment:%Y-%m-%d %H:%M:%S}", cod, round(cod / 12, 2), flow


def old_daily(rng: random.Random) -> Rows:
    """730 days of a retired system."""
    for offset in range(730):
        yield str(date(2013, 1, 1) + timedelta(days=offset)), max(20, int(rng.gauss(62, 18)))


TABLES: dict[str, RowSource] = {
    "HBJ-KQ-001": air_hourly,
    "HBJ-KQ-002": air_daily,
    "HBJ-KQ-003": sites,
    "HBJ-SZ-001": river_sections,
    "HBJ-SZ-002": drinking_water,
    "HBJ-WR-001": polluters,
    "HBJ-WR-002": penalties,
    "HBJ-ZS-001": noise,
    "HBJ-WR-003": outlets,
    "HBJ-KQ-099": old_daily,
}
