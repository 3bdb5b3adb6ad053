"""A table of any number of rows, as a department writes it: Chinese words, codes, days, moments, decimals, remarks.

The same number gives the same bytes. Its cells are of a form that PostgreSQL's COPY takes as they are, so that a raw
COPY of the file is possible at all; moments have no zone, as departments write them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl

from ckanext.openhuizhou.domain.items import Item

ITEMS = (
    Item("记录编号", "record_code", "string", is_key=True),
    Item("县区代码", "county_code", "string"),
    Item("县区", "county", "string"),
    Item("站点名称", "station", "string"),
    Item("详细地址", "address", "text"),
    Item("统计日期", "day", "date"),
    Item("采集时间", "measured", "datetime"),
    Item("样本数", "samples", "integer", unit="个"),
    Item("金额", "amount", "currency", unit="万元"),
    Item("浓度", "value", "number", unit="毫克/立方米"),
    Item("是否达标", "passed", "boolean"),
    Item("备注", "note", "text"),
)
#: Rows that are made and written at a time.
_BATCH = 5000
_COUNTIES = (
    ("441302", "惠城区"),
    ("441303", "惠阳区"),
    ("441322", "博罗县"),
    ("441323", "惠东县"),
    ("441324", "龙门县"),
)
_STREETS = ("江北街道文昌一路", "罗阳街道解放路", "平山街道飞鹅岭路", "淡水街道开城大道", "龙城街道西林路")
_KINDS = ("空气质量自动监测站", "饮用水水源地取样点", "声环境功能区测点", "地表水国控断面")
_NOTES = ("", "", "", "", "仪器校准，数据经复核", '取样点名"二号井"', "演示数据")
_START = datetime(2018, 1, 1)  # noqa: DTZ001 - written without a zone, as departments do


def row(number: int) -> tuple[str, ...]:
    """Row ``number`` as texts."""
    code, county = _COUNTIES[number % 5]
    mixed = number * 2_654_435_761 % 4_294_967_296
    moment = _START + timedelta(minutes=number % 3_000_000)
    return (
        f"HZ{number:09}",
        code,
        county,
        f"{county}第{mixed % 997}号{_KINDS[number % 4]}",
        f"广东省惠州市{county}{_STREETS[mixed % 5]}{mixed % 1500}号",
        moment.strftime("%Y-%m-%d"),
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        str(mixed % 10_000),
        f"{mixed % 10_000_000 / 100:.2f}",
        "" if number % 11 == 0 else f"{mixed % 100_000 / 1000:.3f}",
        "true" if mixed % 3 else "false",
        _NOTES[number % 7],
    )


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if '"' in cell or "," in cell else cell


def _lines(count: int) -> Iterator[str]:
    for first in range(1, count + 1, _BATCH):
        rows = (row(number) for number in range(first, min(first + _BATCH, count + 1)))
        yield "".join(",".join(map(_quoted, cells)) + "\r\n" for cells in rows)


def write_csv(path: Path, count: int, encoding: str = "utf-8") -> None:
    """``count`` rows below the names of the items."""
    with path.open("w", encoding=encoding, newline="") as target:
        target.write(",".join(item.name for item in ITEMS) + "\r\n")
        target.writelines(_lines(count))


def write_xlsx(path: Path, count: int) -> None:
    """The same rows as a workbook: figures as numbers, days and moments as dates."""
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("台账")
    sheet.append([item.name for item in ITEMS])
    for number in range(1, count + 1):
        cells = row(number)
        moment = datetime.fromisoformat(cells[6])
        numbers = [int(cells[7]), float(cells[8]), float(cells[9]) if cells[9] else None]
        sheet.append([*cells[:5], moment.date(), moment, *numbers, cells[10] == "true", cells[11]])
    workbook.save(path)
