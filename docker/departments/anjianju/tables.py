"""Rows of 市安全生产监督管理局, by dataset key. Dates come as Excel holds them: dates, bare day numbers, or text."""

from __future__ import annotations

import random
from datetime import date

from common.datasets import Rows, RowSource
from common.made_up import address, day_between, enterprise, months, serial, town, weighted
from common.places import COUNTIES

TRADES = ("化工贸易有限公司", "石油销售有限公司", "加油站有限公司", "气体有限公司", "涂料有限公司")
WORKS = ("电子有限公司", "五金制品有限公司", "鞋业有限公司", "家具有限公司", "建材有限公司", "化工有限公司")
SUBSTANCES = ("汽油", "液化石油气", "苯乙烯", "环氧乙烷", "液氨", "液氯", "甲醇", "丙烯腈")
OFFENCES = (
    "未组织安全生产培训",
    "未设置安全警示标志",
    "特种作业人员无证上岗",
    "未建立隐患排查制度",
    "违规储存危险化学品",
)
INDUSTRIES = ("电子制造", "家具制造", "制鞋", "石材加工", "印刷", "化工", "金属制品", "玩具制造")
EXCEL_EPOCH = date(1899, 12, 30)


def day_number(day: date) -> int:
    """The number under which Excel keeps a day."""
    return (day - EXCEL_EPOCH).days


def chinese_day(day: date) -> str:
    """``2020年3月5日``."""
    return f"{day.year}年{day.month}月{day.day}日"


def chemicals(rng: random.Random) -> Rows:
    """624 licences; the day of issue is an Excel date, the last day is text."""
    scopes = (
        "汽油、柴油",
        "液化石油气",
        "氧气、氮气、氩气",
        "油漆、稀释剂",
        "盐酸、硫酸、氢氧化钠",
        "甲醇、乙醇、丙酮",
    )
    for number in range(1, 625):
        place = town(rng)
        issued = day_between(rng, date(2015, 3, 1), date(2018, 2, 27))
        until = date(issued.year + 3, issued.month, min(issued.day, 28))
        name = enterprise(rng, place, TRADES)
        licence = f"演示危化经字〔{issued.year}〕{number:04d}"
        where = address(rng, place)
        yield (
            number,
            name,
            place.county_name,
            licence,
            issued,
            chinese_day(until),
            rng.choice(scopes),
            where,
            *place.point(rng),
        )


def inspections(rng: random.Random) -> Rows:
    """5,280 inspections; each county writes its dates in its own way."""
    ways = {
        "惠城区": lambda day: day,
        "惠阳区": lambda day: f"{day.year}.{day.month}.{day.day}",
        "博罗县": lambda day: f"{day:%Y/%m/%d}",
        "惠东县": chinese_day,
        "龙门县": day_number,
        "大亚湾开发区": lambda day: f"{day:%Y%m%d}",
        "仲恺高新区": lambda day: f"{day:%Y-%m-%d}",
    }
    days = sorted(day_between(rng, date(2016, 1, 1), date(2018, 2, 28)) for _ in range(5280))
    for number, day in enumerate(days, 1):
        place = town(rng)
        found = rng.choice((0, 0, 1, 2, 2, 3, 4, 6, 9))
        kind = weighted(rng, {"日常检查": 0.6, "专项检查": 0.25, "“双随机”抽查": 0.15})
        yield (
            serial("JC", number, 5),
            ways[place.county_name](day),
            enterprise(rng, place, WORKS),
            place.county_name,
            kind,
            found,
            rng.randint(found // 2, found),
            "是" if rng.random() < 0.7 else "否",
        )


def accidents(rng: random.Random) -> Rows:
    """38 months, 7 counties and zones: 266 rows."""
    for month in months("2015-01", "2018-02"):
        for county in COUNTIES.values():
            works, road = rng.choice((0, 0, 0, 1, 1, 2)), rng.choice((0, 1, 2, 3, 4))
            yield (
                month,
                county,
                works,
                sum(rng.random() < 0.5 for _ in range(works)),
                sum(rng.random() < 0.7 for _ in range(works)),
                road,
                sum(rng.random() < 0.3 for _ in range(road)),
                sum(rng.random() < 0.8 for _ in range(road)),
            )


def fireworks(rng: random.Random) -> Rows:
    """932 shops."""
    for number in range(1, 933):
        place = town(rng)
        shop = f"{place.name}演示烟花爆竹零售点{number:03d}"
        no = f"演示YH〔2018〕{number:04d}"
        yield (
            no,
            shop,
            place.county_name,
            place.name,
            date(2018, 1, 25),
            rng.choice(("2018.3.2", "2018年3月2日", "2018/3/2")),
            *place.point(rng),
        )


def penalties(rng: random.Random) -> Rows:
    """568 decisions in the order of their dates, which are bare day numbers."""
    days = sorted(day_between(rng, date(2015, 1, 1), date(2018, 2, 28)) for _ in range(568))
    for number, day in enumerate(days, 1):
        place = town(rng)
        kind = weighted(rng, {"罚款": 0.85, "警告": 0.1, "责令停产停业": 0.05})
        fine = rng.choice((0.5, 1, 2, 3, 5, 8.5, 20)) if kind == "罚款" else 0
        name = enterprise(rng, place, WORKS)
        document = f"演示安监罚〔{day.year}〕{number}号"
        yield document, name, rng.choice(OFFENCES), kind, fine, place.county_name, day_number(day)


def hazards(rng: random.Random) -> Rows:
    """118 registered major hazards."""
    for number in range(1, 119):
        place = town(rng)
        grade = weighted(rng, {"一级": 0.1, "二级": 0.15, "三级": 0.3, "四级": 0.45})
        quantity = round(rng.lognormvariate(6, 1.2), 1)
        recorded = day_between(rng, date(2013, 1, 1), date(2018, 2, 27))
        name = enterprise(rng, place, TRADES)
        no = f"演示BA4413〔{recorded.year}〕{number:03d}"
        yield no, name, place.county_name, grade, rng.choice(SUBSTANCES), quantity, recorded


def occupational(rng: random.Random) -> Rows:
    """8 industries, 7 counties."""
    for industry in INDUSTRIES:
        for county in COUNTIES.values():
            enterprises = rng.randint(5, 220)
            yield industry, county, enterprises, enterprises * rng.randint(6, 60)


TABLES: dict[str, RowSource] = {
    "AJ-2018-01": chemicals,
    "AJ-2018-02": inspections,
    "AJ-2018-03": accidents,
    "AJ-2018-04": fireworks,
    "AJ-2018-05": penalties,
    "AJ-2018-06": hazards,
    "AJ-2018-07": occupational,
}
