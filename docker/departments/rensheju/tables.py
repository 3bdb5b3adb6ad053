"""Rows of 市人力资源和社会保障局, by table. Holidays are real (package chinesecalendar), the rest is made up."""

from __future__ import annotations

import random
from datetime import date, timedelta

import chinese_calendar
from chinese_calendar.constants import holidays, in_lieu_days, workdays
from common.datasets import Rows, RowSource
from common.made_up import address, day_between, enterprise, months, serial, town, weighted
from common.places import COUNTIES

EMPLOYERS = ("电子有限公司", "鞋业有限公司", "酒店有限公司", "物流有限公司", "软件有限公司", "商贸有限公司")
JOBS = {
    "普工": 3200,
    "电工": 4200,
    "焊工": 4600,
    "叉车司机": 4300,
    "质检员": 3900,
    "仓管员": 3600,
    "会计": 4500,
    "文员": 3300,
    "软件工程师": 8200,
    "机械工程师": 7000,
    "护士": 4400,
    "厨师": 4300,
    "保安员": 3100,
    "客服": 3500,
    "销售代表": 4000,
    "模具工": 5600,
}
INSURANCES = {
    "城镇职工基本养老保险": 0.38,
    "城乡居民基本养老保险": 0.3,
    "基本医疗保险": 0.95,
    "失业保险": 0.33,
    "工伤保险": 0.36,
    "生育保险": 0.32,
}
SUBSIDIES = {"一般性岗位补贴": 200, "社会保险补贴": 480, "创业带动就业补贴": 2000, "小微企业社保补贴": 510}
TRADES = ("电工", "焊工", "数控车工", "育婴员", "美容师", "中式烹调师", "养老护理员", "叉车司机", "茶艺师")
WEEK = "一二三四五六日"


def vacancies(rng: random.Random) -> Rows:
    """21,600 vacancies in the order of their days."""
    days = sorted(day_between(rng, date(2017, 3, 1), date(2018, 2, 28)) for _ in range(21_600))
    degrees = {"不限": 0.4, "高中、中专": 0.3, "大专": 0.2, "本科": 0.1}
    for number, day in enumerate(days, 1):
        place, job = town(rng), rng.choice(list(JOBS))
        low = round(JOBS[job] * rng.uniform(0.85, 1.15), -2)
        yield (
            serial("ZP", number, 6),
            enterprise(rng, place, EMPLOYERS),
            job,
            rng.choice((1, 1, 2, 3, 5, 10, 20, 50)),
            weighted(rng, degrees),
            low,
            low + rng.choice((500, 800, 1000, 1500, 2500)),
            place.county_name,
            place.name,
            day,
            day + timedelta(days=rng.choice((15, 30, 60, 90))),
        )


def calendar(_rng: random.Random) -> Rows:
    """Public holidays and the working days that were moved for them, real."""
    chinese = {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}
    listed = {**{day: ("放假", name) for day, name in holidays.items()}}
    listed |= {day: ("调休上班", name) for day, name in workdays.items()}
    for day, (kind, name) in sorted(listed.items()):
        moved = kind == "调休上班" or day in in_lieu_days
        yield day, f"星期{WEEK[day.weekday()]}", kind, chinese[name], moved


def insured(rng: random.Random) -> Rows:
    """38 months, 7 counties and zones, 6 insurances: 1,596 rows."""
    people = dict(zip(COUNTIES, (1_180_000, 560_000, 1_060_000, 930_000, 315_000, 220_000, 480_000), strict=True))
    for index, month in enumerate(months("2015-01", "2018-02")):
        for code, county in COUNTIES.items():
            for insurance, share in INSURANCES.items():
                persons = int(people[code] * share * (1 + index * 0.003) * rng.uniform(0.995, 1.005))
                income = persons * rng.uniform(0.018, 0.032)
                yield month, code, county, insurance, persons, f"{income:.2f}", f"{income * rng.uniform(0.6, 0.95):.2f}"


def clinics(rng: random.Random) -> Rows:
    """936 institutions with coordinates."""
    kinds = {"医院": 0.1, "社区卫生服务中心": 0.15, "门诊部": 0.15, "药店": 0.6}
    for number in range(1, 937):
        place, kind = town(rng), weighted(rng, kinds)
        grade = weighted(rng, {"三级": 0.2, "二级": 0.5, "一级": 0.3}) if kind == "医院" else None
        name = f"{place.county_name}{place.name}演示{kind}{number:03d}"
        where = address(rng, place)
        yield (
            serial("DD", number), name, kind, grade, place.county_name, where, *place.point(rng), rng.random() < 0.35
        )  # fmt: skip


def schools(rng: random.Random) -> Rows:
    """264 training schools."""
    for number in range(1, 265):
        place = town(rng)
        trades = "、".join(sorted(rng.sample(TRADES, rng.randint(2, 6)), key=TRADES.index))
        name = enterprise(rng, place, ("职业培训学校", "技工学校"))
        licence = f"演示人社民4413{number:05d}号"
        until = day_between(rng, date(2018, 6, 1), date(2021, 12, 31))
        yield serial("PX", number), name, licence, trades, place.county_name, address(rng, place), until


def subsidies(rng: random.Random) -> Rows:
    """3,980 payments to enterprises in the order of their days."""
    days = sorted(day_between(rng, date(2016, 1, 1), date(2018, 2, 28)) for _ in range(3980))
    for number, day in enumerate(days, 1):
        place, kind, persons = town(rng), rng.choice(list(SUBSIDIES)), rng.randint(1, 60)
        name = enterprise(rng, place, EMPLOYERS)
        yield number, name, kind, persons, f"{SUBSIDIES[kind] * persons:.2f}", place.county_name, day


def agencies(rng: random.Random) -> Rows:
    """318 licensed agencies."""
    scopes = ("职业中介", "劳务派遣", "人力资源外包", "职业指导", "人才测评", "招聘会")
    for number in range(1, 319):
        place = town(rng)
        issued = day_between(rng, date(2015, 3, 1), date(2018, 2, 27))
        until = issued + timedelta(days=3 * 365)
        scope = "、".join(sorted(rng.sample(scopes, rng.randint(1, 4)), key=scopes.index))
        name = enterprise(rng, place, ("人力资源有限公司", "劳务派遣有限公司"))
        yield f"演示441300{issued.year}{number:04d}", name, scope, place.county_name, issued, until, rng.random() < 0.9


def wages(rng: random.Random) -> Rows:
    """5 years, 16 occupations, 5 grades: 400 rows."""
    grades = {"初级": 0.9, "中级": 1.0, "高级": 1.2, "技师": 1.45, "高级技师": 1.7}
    for year in range(2013, 2018):
        for index, (job, base) in enumerate(JOBS.items(), 1):
            for grade, factor in grades.items():
                middle = round(base * factor * 1.07 ** (year - 2017) * rng.uniform(0.97, 1.03), 2)
                high, low = round(middle * 1.8, 2), round(middle * 0.62, 2)
                yield year, f"4-{index:02d}", job, grade, high, middle, low, round(middle * 1.06, 2)


TABLES: dict[str, RowSource] = {
    "t_qyzp": vacancies,
    "t_jjr": calendar,
    "t_cbtj": insured,
    "t_ddyljg": clinics,
    "t_pxjg": schools,
    "t_jybt": subsidies,
    "t_rlzyjg": agencies,
    "t_gzjw": wages,
}
