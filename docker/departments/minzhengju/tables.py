"""Rows of 市民政局, by dataset key. Divisions and outlines are real (data/README.md), the rest is made up."""

from __future__ import annotations

import random
from datetime import date, timedelta

from common.datasets import Rows, RowSource
from common.made_up import address, day_between, months, serial, town, weighted
from common.places import COUNTIES, divisions, outlines, towns
from common.resident_ids import resident_id

BRANDS = ["康宁", "福寿", "颐和", "安康", "松鹤", "怡养", "福泽", "长乐", "慈爱", "仁和", "夕阳红", "银龄"]
ASSOCIATIONS = (
    *("书法", "摄影", "龙舟", "客家山歌", "足球", "登山", "志愿服务"),
    *("电子商务", "物流", "茶叶", "荔枝种植", "环保", "养老服务", "中医药"),
)
SUPERVISORS = ["民政局", "教育局", "文化广电新闻出版局", "体育局", "卫生和计划生育局", "经济和信息化局", "农业局"]
#: Characters of place names that GBK lacks; GB18030 writes each with four bytes.
RARE = "㙟㘵㙍㟃㘭𡶛𡎺𠮾𪨶𡷫"
COMMON = "上下大小新老东西南北石水山坑田岭塘围屋"


def homes(rng: random.Random) -> Rows:
    """168 homes for the elderly with coordinates."""
    for number in range(1, 169):
        place = town(rng)
        nature = weighted(rng, {"公办": 0.45, "民办": 0.4, "公建民营": 0.15})
        kind = "敬老院" if nature == "公办" else rng.choice(("养老院", "护理院", "颐养中心"))
        beds = rng.randint(3, 60) * 10
        yield (
            serial("YL", number),
            f"{place.county_name}演示{rng.choice(BRANDS)}{kind}",
            nature,
            place.county_name,
            place.name,
            address(rng, place),
            *place.point(rng),
            beds,
            int(beds * rng.uniform(0.3, 0.95)),
            weighted(rng, {"": 0.5, "三星": 0.25, "四星": 0.15, "五星": 0.1}),
            day_between(rng, date(1985, 1, 1), date(2017, 10, 31)),
        )


def home_care(rng: random.Random) -> Rows:
    """742 sites in real villages."""
    services = ("助餐", "日间照料", "康复护理", "文化娱乐", "心理慰藉", "助浴", "紧急呼援")
    by_code = {place.code: place for place in towns()}
    villages = [row for row in divisions() if row["town_code"] in by_code]
    for number, row in enumerate(rng.sample(villages, 742), 1):
        place, kind = (
            by_code[row["town_code"]],
            weighted(rng, {"居家养老服务站": 0.6, "日间照料中心": 0.25, "长者饭堂": 0.15}),
        )
        short = row["village"].removesuffix("居委会").removesuffix("村委会")
        chosen = "、".join(sorted(rng.sample(services, rng.randint(2, 5)), key=services.index))
        hours = rng.choice(("周一至周五 8:30-17:30", "每日 8:00-18:00", "每日 7:00-19:00"))
        name = f"{short}{kind}（演示）"
        yield serial("JJ", number), name, kind, place.county_name, row["village"], chosen, hours, *place.point(rng)


def villages(_rng: random.Random) -> Rows:
    """1,364 villages and neighbourhoods, real."""
    for row in divisions():
        yield tuple(row.values())


def boundaries(_rng: random.Random) -> Rows:
    """Vertices of the counties' outlines, real."""
    for code, parts in outlines().items():
        for part, ring in enumerate(parts, 1):
            for vertex, (lon, lat) in enumerate(ring, 1):
                yield code, COUNTIES[code], part, vertex, lon, lat


def organizations(rng: random.Random) -> Rows:
    """2,356 social organizations."""
    for number in range(1, 2357):
        place = town(rng)
        kind = weighted(rng, {"社会团体": 0.48, "民办非企业单位": 0.5, "基金会": 0.02})
        suffix = {"社会团体": "协会", "民办非企业单位": "服务中心", "基金会": "公益基金会"}[kind]
        yield (
            serial("SZ", number),
            f"{place.county_name}演示{rng.choice(ASSOCIATIONS)}{suffix}{number:04d}",
            kind,
            f"{place.county_name}{rng.choice(SUPERVISORS)}",
            place.county_name,
            day_between(rng, date(1990, 1, 1), date(2018, 2, 28)),
            f"{rng.choice((3, 5, 10, 30, 50, 200)):.2f}",
            weighted(rng, {"合格": 0.85, "基本合格": 0.1, "不合格": 0.05}),
            "是" if rng.random() < 0.93 else "否",
        )


def place_names(rng: random.Random) -> Rows:
    """3,120 place names, each with a character that GBK lacks in every fifth."""
    kinds = {"自然村": "村", "山": "嶂", "河流": "河", "桥梁": "桥", "水库": "水库"}
    for number in range(1, 3121):
        place, kind = town(rng), rng.choice(list(kinds))
        rare = rng.choice(RARE) if number % 5 == 0 else rng.choice(COMMON)
        name = f"{rng.choice(COMMON)}{rare}{rng.choice(COMMON)}{kinds[kind]}"
        meaning = f"因村前有{rare}得名，“{rare}”为当地方言用字" if number % 5 == 0 else "以地形得名"
        yield serial("DM", number), name, kind, place.county_name, place.name, meaning, *place.point(rng)


def lottery(rng: random.Random) -> Rows:
    """140 days, 36 stations, 3 games: 15,120 rows; the only Chinese are the remarks of the last four days."""
    for offset in range(140):
        day = date(2017, 10, 1) + timedelta(days=offset)
        closed = offset >= 136
        for station in range(1, 37):
            for game in ("SSQ", "FC3D", "QLC"):
                amount = 0 if closed else rng.randint(80, 9000) * 2
                prize = int(amount * rng.uniform(0.05, 0.6))
                yield f"DEMO{station:04d}", day, game, f"{amount}.00", f"{prize}.00", "春节休市" if closed else ""


def allowances(rng: random.Random) -> Rows:
    """Two kinds per town and month."""
    bases = {(place.code, kind): rng.randint(30, 420) for place in towns() for kind in ("城镇", "农村")}
    for month in months("2016-01", "2018-02"):
        for place in towns():
            for kind in ("城镇", "农村"):
                households = max(5, int(bases[place.code, kind] * rng.uniform(0.93, 1.07)))
                persons = int(households * rng.uniform(1.5, 2.6))
                spending = persons * (610 if kind == "城镇" else 400)
                yield month, place.code, place.name, kind, households, persons, f"{spending:.2f}"


def children(rng: random.Random) -> Rows:
    """318 cases without any name or number of a person."""
    kinds = ("孤儿", "事实无人抚养", "重病重残", "家庭贫困")
    for number in range(1, 319):
        support = rng.choice(("基本生活费", "医疗救助", "教育资助", "基本生活费、医疗救助"))
        reviewed = day_between(rng, date(2017, 1, 1), date(2018, 2, 28))
        yield serial("KJ", number), town(rng).county_name, rng.choice(kinds), support, reviewed


def old_age(rng: random.Random) -> Rows:
    """640 payments, each with the identity number of nobody."""
    for number in range(1, 641):
        born = day_between(rng, date(1918, 1, 1), date(1937, 12, 31))
        amount = "100.00" if born.year > 1927 else "300.00"
        yield number, resident_id(born, number), town(rng).county_name, amount, date(2017, 12, 25)


TABLES: dict[str, RowSource] = {
    "yanglao-jigou": homes,
    "jujia-yanglao": home_care,
    "xingzheng-quhua": villages,
    "quhua-jiexian": boundaries,
    "shehui-zuzhi": organizations,
    "diming": place_names,
    "fucai-xiaoshou": lottery,
    "dibao-tongji": allowances,
    "kunjing-ertong": children,
    "gaoling-jintie": old_age,
}
