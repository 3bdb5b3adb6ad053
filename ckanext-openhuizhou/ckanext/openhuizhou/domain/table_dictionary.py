"""A table's data dictionary (数据项说明) as a table of its own, with the Chinese words of the guide 1272号."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final

from ckanext.openhuizhou.schemas.code_lists import code_list

from .item_values import codes_of
from .items import Item

HEADERS: Final = (
    "序号",
    "信息项名称",
    "英文列名",
    "数据类型",
    "长度",
    "小数位",
    "单位",
    "主键",
    "必填",
    "代码表",
    "最小值",
    "最大值",
    "格式规则",
    "说明",
    "示例值",
)
#: How a formula begins, for spreadsheet programs: no example has to be one.
_FORMULA_STARTS: Final = tuple("=+-@\t\r")


def rows(items: Sequence[Item], examples: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """A row per column under ``HEADERS``; ``examples``: values by column id."""
    return [_row(number, item, examples.get(item.column, ())) for number, item in enumerate(items, start=1)]


def as_csv(items: Sequence[Item], examples: Mapping[str, Sequence[str]]) -> bytes:
    """The dictionary as a CSV file: UTF-8 with a byte order mark, as RFC 4180 writes it."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(HEADERS)
    writer.writerows(rows(items, examples))
    return target.getvalue().encode("utf-8-sig")


def _row(number: int, item: Item, examples: Sequence[str]) -> list[str]:
    codes = "; ".join(f"{code}={label}" if label else code for code, label in codes_of(item).items())
    return [
        str(number),
        item.name,
        item.column,
        code_list("data_types").label(item.data_type, "zh"),
        "" if item.length is None else str(item.length),
        "" if item.scale is None else str(item.scale),
        item.unit,
        _yes(item.is_key),
        _yes(item.required),
        codes,
        item.minimum,
        item.maximum,
        item.pattern,
        item.description,
        "; ".join(_examples(item, examples)),
    ]


def _examples(item: Item, examples: Sequence[str]) -> list[str]:
    textual = item.data_type in ("string", "text")
    return [value for value in examples if not (textual and value.startswith(_FORMULA_STARTS))]


def _yes(value: bool) -> str:
    return code_list("yes_no").label(str(value).lower(), "zh")
