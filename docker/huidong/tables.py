"""Rows of 惠东县's made-up tables, the same on every machine. Towns are real names; everything else says 演示."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

TOWNS = [
    "平山街道",
    "大岭街道",
    "白花镇",
    "梁化镇",
    "稔山镇",
    "铁涌镇",
    "平海镇",
    "吉隆镇",
    "黄埠镇",
    "多祝镇",
    "安墩镇",
    "高潭镇",
    "宝口镇",
    "白盆珠镇",
]
COAST = ("稔山镇", "铁涌镇", "平海镇", "吉隆镇", "黄埠镇")
Row = list[Any]


def _random(name: str) -> random.Random:
    return random.Random(f"huidong-{name}")


def _day(rng: random.Random, first: date, days: int) -> str:
    return (first + timedelta(days=rng.randrange(days))).isoformat()


def schools() -> Iterator[Row]:
    """中小学校."""
    rng = _random("schools")
    for number in range(1, 97):
        town, kind = rng.choice(TOWNS), rng.choice(("小学", "小学", "初级中学", "九年一贯制学校"))
        name = f"惠东县{town}演示第{number}{kind}"
        yield [f"演示XX{number:03d}", name, kind, town, rng.randint(180, 2400), rng.randint(12, 160)]


def clinics() -> Iterator[Row]:
    """医疗机构."""
    rng = _random("clinics")
    for number in range(1, 61):
        town = rng.choice(TOWNS)
        kind = rng.choice(("村卫生站", "村卫生站", "社区卫生服务站", "诊所"))
        yield [f"演示YL{number:03d}", f"{town}演示{number}号{kind}", kind, town, rng.randint(0, 20)]


def licences() -> Iterator[Row]:
    """行政许可."""
    rng = _random("licences")
    items = ("食品经营许可", "公共场所卫生许可", "道路运输经营许可", "排水许可", "林木采伐许可")
    for number in range(1, 181):
        company = f"惠东县演示{rng.choice('恒信鸿盛瑞永嘉')}{rng.choice('达源泰丰祥通')}有限公司"
        yield [f"演示惠东许可〔2018〕{number}号", rng.choice(items), company, _day(rng, date(2018, 1, 2), 85)]


def prices() -> Iterator[Row]:
    """农产品批发价格."""
    rng = _random("prices")
    for name, usual in {"马铃薯": 2.6, "荔枝": 14.0, "梅菜": 9.5, "生蚝": 22.0, "石斑鱼": 88.0, "大米": 5.1}.items():
        for week in range(12):
            day = date(2018, 1, 5) + timedelta(weeks=week)
            yield [day.isoformat(), name, round(usual * rng.uniform(0.85, 1.2), 2), "元/公斤", "演示惠东批发市场"]


def harbours() -> Iterator[Row]:
    """渔港码头."""
    rng = _random("harbours")
    for number in range(1, 19):
        town = rng.choice(COAST)
        yield [f"演示MT{number:02d}", f"{town}演示{number}号渔业码头", town, rng.randint(1, 9), rng.randint(60, 1200)]


def sewage() -> Iterator[Row]:
    """污水处理厂运行情况."""
    rng = _random("sewage")
    for plant in ("演示平山污水处理厂", "演示大岭污水处理厂", "演示吉隆污水处理厂", "演示稔山污水处理厂"):
        for month in ("2017-10", "2017-11", "2017-12", "2018-01", "2018-02"):
            treated = round(rng.uniform(18, 96), 2)
            yield [month, plant, treated, round(rng.uniform(8, 39), 1), round(rng.uniform(0.2, 4.5), 2)]


def scenic_spots() -> Iterator[Row]:
    """旅游景点, as a person typed it: Chinese headers, all of it text."""
    rng = _random("spots")
    for number in range(1, 23):
        town = rng.choice(TOWNS)
        grade = rng.choice(("AAAA", "AAA", "AA", "-"))
        yield [f"演示JD{number:02d}", f"{town}演示景点{number}", town, grade, rng.choice(("0", "20", "40", "免费"))]


def air() -> Iterator[Row]:
    """空气质量日报 of the county alone: a copy of what 市环境保护局 publishes for the whole city."""
    rng = _random("air")
    for day in range(59):
        aqi = rng.randint(22, 118)
        yield [(date(2018, 1, 1) + timedelta(days=day)).isoformat(), "惠东县", aqi, "优" if aqi <= 50 else "良"]


TABLES: dict[str, Callable[[], Iterator[Row]]] = {
    function.__name__: function
    for function in (schools, clinics, licences, prices, harbours, sewage, scenic_spots, air)
}


def csv_of(fields: Sequence[dict[str, Any]], rows: Sequence[Row]) -> bytes:
    """The file behind a table, with the columns' labels as its header."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([field.get("info", {}).get("label") or field["id"] for field in fields])
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
