"""The workbooks of the torture set. All of it is made up (演示数据)."""

from __future__ import annotations

import datetime as dt
import io
import random
import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msoffcrypto.format.ooxml
import openpyxl
import xlwt
from freezegun import freeze_time
from msoffcrypto.method import ecma376_agile as agile
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from tests.data.tables.packages import book, header, number, open_document, row, settled, text

#: Excel knows no zones.
MOMENT, LEAP = dt.datetime.fromisoformat("2018-03-01 08:05"), dt.datetime.fromisoformat("2020-02-29 23:59:59")
HEAD = ["编号", "名称", "数量"]
PLAIN: list[list[Any]] = [HEAD, ["001", "惠城站", 12], ["002", "博罗站", 7]]
DATED: list[list[Any]] = [
    ["编号", "名称", "日期", "时间"],
    ["001", "惠城站", dt.date(2018, 3, 1), MOMENT],
    ["002", "博罗站", dt.date(1999, 12, 31), LEAP],
]
#: Where a cell or a row stands; writers may leave it out.
_PLACE = re.compile(r' r="[A-Z0-9]+"')
PASSWORD = "demo"  # in the README: nobody is meant to be kept out


def _saved(workbook: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    workbook.save(target)
    return settled(target.getvalue())


def _sheet(rows: Sequence[Sequence[Any]], *merged: str, workbook: openpyxl.Workbook | None = None) -> openpyxl.Workbook:
    workbook = workbook or openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for cells in rows:
        sheet.append(list(cells))
    for cells in merged:
        sheet.merge_cells(cells)
    return workbook


def _simple(rows: Sequence[Sequence[Any]], *merged: str) -> bytes:
    return _saved(_sheet(rows, *merged))


def layouts() -> dict[str, bytes]:
    titles: list[list[Any]] = [["惠州市监测站点台账"], ["填报单位：演示局", None, "单位：个"], []]
    two_rows: list[list[Any]] = [
        ["检查情况统计表"],
        ["县区", "检查", None, "处罚", None],
        [None, "次数", "隐患数", "起数", "金额（万元）"],
        ["惠城区", 12, 30, 2, 1.5],
        ["博罗县", 7, 11, 1, 0.3],
    ]
    notes: list[list[Any]] = [["合计", None, 19], [], ["注：数据为演示数据"], ["制表人：演示", None, "审核人：演示"]]
    body: list[list[Any]] = [["县区", "名称", "数量"], ["惠城区", "甲站", 1], [None, "乙站", 2], ["博罗县", "丙站", 3]]
    groups: list[list[Any]] = [
        ["县区", "名称", "数量"],
        ["惠城区", "甲站", 5],
        [None, None, None],
        ["博罗县", "丙站", 3],
    ]
    wide = [[f"列{n}" for n in range(1, 301)], list(range(300)), [None] * 299 + [1]]
    return {
        "plain.xlsx": _simple(PLAIN),
        "titles.xlsx": _simple([*titles, *PLAIN], "A1:C1"),
        "two-row-header.xlsx": _simple(two_rows, "A1:E1", "A2:A3", "B2:C2", "D2:E2"),
        "totals-notes.xlsx": _simple([*PLAIN, *notes], "A6:C6"),
        "rows-after-notes.xlsx": _simple([*PLAIN, ["注：以下为补录"], ["003", "龙门站", 3]]),
        "merged-body.xlsx": _simple(body, "A2:A3"),
        "merged-block.xlsx": _simple(groups, "A2:A3", "B2:B3", "C2:C3"),
        "years.xlsx": _simple([["县区", 2018, 2019], ["惠城区", 12, 13], ["博罗县", 7, 8]]),
        "header-newline.xlsx": _simple([["编 号", "名\n称", "数量\n（个）"], ["001", "惠城站", 12]]),
        "empty.xlsx": _simple([]),
        "header-only.xlsx": _simple([HEAD]),
        "wide.xlsx": _simple(wide),
        "long-cell.xlsx": _simple([HEAD, ["001", "惠" * 32_767, 1]]),
        "empty-row-inside.xlsx": _simple([*PLAIN[:2], [], PLAIN[2]]),
        "starts-at-b3.xlsx": _simple([[], [], *([None, *cells] for cells in PLAIN)]),
        "trailing-empty.xlsx": _simple([*PLAIN, *[[None, "", None]] * 20]),
    }


def sheets() -> dict[str, bytes]:
    hidden = _sheet([["参数", "值"], ["口径", "演示"]])
    hidden.create_sheet("台账")
    for cells in PLAIN:
        hidden["台账"].append(cells)
    hidden.worksheets[0].sheet_state = "hidden"
    hidden.active = 1
    several = _sheet([["填报说明"], ["一、本表由演示局填报。"], ["二、数据为演示数据。"]])
    several.worksheets[0].title = "说明"
    for name, rows in (("台账", PLAIN), ("汇总", [["县区", "总数"], ["惠城区", 12]])):
        sheet = several.create_sheet(name)
        for cells in rows:
            sheet.append(cells)
    rows_hidden = _sheet(PLAIN)
    rows_hidden.worksheets[0].row_dimensions[3].hidden = True
    rows_hidden.worksheets[0].column_dimensions["B"].hidden = True
    return {
        "hidden-sheet.xlsx": _saved(hidden),
        "several-sheets.xlsx": _saved(several),
        "hidden-rows.xlsx": _saved(rows_hidden),
    }


def cells() -> dict[str, bytes]:
    zeros = _sheet([HEAD, [752, "惠城站", 12], [7, "博罗站", 7]])
    for place in ("A2", "A3"):
        zeros.worksheets[0][place].number_format = "000000"
    percent = _sheet([["编号", "占比"], ["001", 0.125], ["002", 1]])
    for place in ("B2", "B3"):
        percent.worksheets[0][place].number_format = "0.0%"
    mac = openpyxl.Workbook()
    mac.epoch = CALENDAR_MAC_1904
    serials: list[list[Any]] = [["编号", "名称", "日期"], ["001", "惠城站", 43160], ["002", "博罗站", 43161]]
    mac_serials = openpyxl.Workbook()
    mac_serials.epoch = CALENDAR_MAC_1904
    return {
        "dates-1900.xlsx": _simple(DATED),
        "dates-1904.xlsx": _saved(_sheet(DATED, workbook=mac)),
        "serials-1900.xlsx": _simple(serials),
        "serials-1904.xlsx": _saved(_sheet(serials, workbook=mac_serials)),
        "dates-as-text.xlsx": _simple(
            [
                ["编号", "日期"],
                ["001", "2018年3月1日"],
                ["002", 20180302],
                ["003", "2018-3-3"],
                ["004", dt.date(2018, 3, 4)],
            ]
        ),
        "leading-zeros.xlsx": _simple([HEAD, ["000752", "惠城站", 12], ["007", "博罗站", 7]]),
        "zeros-by-format.xlsx": _saved(zeros),
        "codes-as-numbers.xlsx": _simple([HEAD, [441302, "惠城站", 12], [441322.0, "博罗站", 7]]),
        "digits-lost.xlsx": _simple([["编号", "值"], ["001", 201803010000000017], ["002", 2018]]),
        "large-numbers.xlsx": _simple(
            [["编号", "值"], ["001", 1234567890123], ["002", 0.1], ["003", 1e-7], ["004", 123456.789]]
        ),
        "booleans.xlsx": _simple([["编号", "值", "字"], ["001", True, True], ["002", False, "否"]]),
        "times.xlsx": _simple([["编号", "时刻"], ["001", dt.time(8, 30)], ["002", dt.time(23, 59, 59)]]),
        "percent.xlsx": _saved(percent),
        "line-breaks.xlsx": _simple([HEAD, ["001", "惠城站\n（江北）", 12]]),
    }


def parts() -> dict[str, bytes]:
    """Workbooks whose XML matters."""
    names = header("编号", "名称", "数量")
    one = text("A2", "001") + text("B2", "惠城站")
    formula = '<c r="C2"><f>6*2</f><v>12</v></c>'
    words = '<c r="B3" t="str"><f>"博罗"&amp;"站"</f><v>博罗站</v></c>'
    rich = (
        "<si><r><t>惠</t></r><r><rPr><b/></rPr><t>城</t></r><r><t>站</t></r>"
        '<rPh sb="0" eb="2"><t>huicheng</t></rPh></si>'
    )
    shared = '<c r="B2" t="s"><v>0</v></c>'
    error = '<c r="C2" t="e"><v>#DIV/0!</v></c>'
    corner = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return {
        "formulas.xlsx": book([names, row(2, one + formula), row(3, text("A3", "002") + words + number("C3", "7"))]),
        "formulas-without-values.xlsx": book([names, row(2, one + '<c r="C2"><f>6*2</f></c>')]),
        "errors.xlsx": book([names, row(2, one + error)]),
        "not-available.xlsx": book([names, row(2, one + error.replace("#DIV/0!", "#N/A"))]),
        "rich-text.xlsx": book([names, row(2, text("A2", "001") + shared + number("C2", "12"))], shared=[rich]),
        "escaped-return.xlsx": book(
            [names, row(2, text("A2", "001") + shared + number("C2", "12"))],
            shared=['<si><t xml:space="preserve">惠城站_x000D_\n（江北）</t></si>'],
        ),
        "half-surrogate.xlsx": book(
            [names, row(2, text("A2", "001") + shared + number("C2", "12"))], shared=["<si><t>惠_xD83D_城</t></si>"]
        ),
        "dimension-lies.xlsx": book(
            [
                names,
                row(2, one + number("C2", "12")),
                row(3, text("A3", "002") + text("B3", "博罗站") + number("C3", "7")),
            ],
            dimension='<dimension ref="A1"/>',
        ),
        "far-corner.xlsx": book([names, row(2, one + number("C2", "12")), corner]),
        "no-places.xlsx": book([_PLACE.sub("", part) for part in (names, row(2, one + number("C2", "12")))]),
    }


def old() -> dict[str, bytes]:
    def saved(rows: Sequence[Sequence[Any]], *, mac: bool = False) -> bytes:
        workbook = xlwt.Workbook(encoding="utf-8")
        workbook.dates_1904 = mac
        sheet = workbook.add_sheet("台账")
        day, moment = xlwt.easyxf(num_format_str="yyyy-mm-dd"), xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss")
        for place, values in enumerate(rows):
            for column, value in enumerate(values):
                style = moment if isinstance(value, dt.datetime) else day if isinstance(value, dt.date) else None
                sheet.write(place, column, value, *([style] if style else []))
        target = io.BytesIO()
        workbook.save(target)
        return target.getvalue()

    open_rows = [
        ["编号", "占比", "日期", "是否"],
        ["001", "float=12.5=12.5", "date=2018-03-01=2018年3月1日", "boolean=true=TRUE"],
        ["002", "percentage=0.07=7%", "date=1999-12-31=1999年12月31日", "boolean=false=FALSE"],
    ]
    return {
        "old.xls": saved(DATED),
        "old-1904.xls": saved(DATED, mac=True),
        "open.ods": open_document(open_rows),
        "password.xlsx": _locked(_simple(PLAIN)),
    }


def _locked(workbook: bytes) -> bytes:
    """Encrypted as Excel does it, with salts and moments that are the same each time."""
    chance, agile.secrets = agile.secrets, SimpleNamespace(token_bytes=random.Random(5).randbytes)
    target = io.BytesIO()
    try:
        with freeze_time("2026-01-01"):
            msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(workbook)).encrypt(PASSWORD, target)
    finally:
        agile.secrets = chance
    return target.getvalue()


def files() -> dict[str, bytes]:
    books = layouts() | sheets() | cells() | parts() | old()
    misnamed = {"kind-xls-called.csv": books["old.xls"], "kind-xlsx-called.xls": books["plain.xlsx"]}
    return {f"book-{name}": content for name, content in books.items()} | misnamed
