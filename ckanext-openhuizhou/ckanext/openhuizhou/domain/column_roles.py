"""What a column is good for in a chart or on a map, told from its type, name and unit.

A number is not a measure only because it is stored as one: codes, years, serial numbers and coordinates are numbers,
and their sum says nothing. Names are Chinese labels of the catalogue or ASCII column ids; both are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from .items import Item

#: Item types whose values are numbers.
NUMERIC: Final = frozenset({"integer", "number", "currency"})
#: Item types whose values are moments.
TEMPORAL: Final = frozenset({"date", "datetime"})


class Role(StrEnum):
    """What the values of a column are to a chart."""

    TIME = "time"
    #: Years, months, quarters and weeks that are written as numbers or text: they have an order.
    PERIOD = "period"
    MEASURE = "measure"
    CATEGORY = "category"
    CODE = "code"
    COORDINATE = "coordinate"
    #: Sentences and addresses: every row has another one.
    TEXT = "text"


_COORDINATE = re.compile(r"[经纬]度|经纬|坐标")
_COORDINATE_ID = re.compile(r"(?:^|_)(?:lon|lng|lat|longitude|latitude|coord|coords|coordinate|jd|wd)(?:_|$|84|02|09)")
_PERIOD = re.compile(
    r"(?:年份|年度|年月|月份|季度|统计年|统计月|所属期|周次|学年)$|^[年月季]$|^(?:年|月|季)(?:份|度)?（.*）$"
)
_PERIOD_ID = re.compile(r"(?:^|_)(?:year|month|quarter|week|nf|nd|yf|ny)$")
_CODE = re.compile(
    r"(?:代码|编码|编号|序号|号码|许可证号|文号|证号|账号|帐号|批号|邮编|邮政编码|电话|手机|传真|排名|名次|次序|顺序|主键|标识)$"
    r"|^(?:ID|id|号)$"
)
_CODE_ID = re.compile(r"(?:^|_)(?:id|code|codes|no|number|num|seq|serial|order|rank|uuid|guid|zip|phone|tel|bh|dm|xh)$")
_TEXT = re.compile(r"(?:地址|住址|位置|说明|备注|描述|简介|含义|内容|网址|链接|事实|依据|范围)$")
_TEXT_ID = re.compile(r"(?:^|_)(?:address|remark|remarks|note|notes|description|url|link)$")
_INTENSITY = re.compile(
    r"率|[高中低]位数|分位|占比|比重|比例|比值|指数|浓度|平均|均值|人均|单价|价格|票价|均价|温度|气温|湿度|气压|风速|水位|密度|强度|等级|级别|得分|评分|分数|增速|增幅|同比|环比"
    r"|高程|海拔|深度|厚度|年龄|天数|楼层|PM2\.?5|PM10|pH|噪声|流速"
)
_INTENSITY_ID = re.compile(
    r"(?:^|_)(?:rate|ratio|share|percent|pct|index|aqi|avg|mean|average|price|temperature|temp|humidity|density|score"
    r"|level|age|days|pm25|pm10|so2|no2|o3|co|ph|speed)(?:_|$)"
)
_OF_A_THING = re.compile(r"有效|截止|到期|届满|[至止]$|成立|建成|开业|评定|出生|投产|竣工|批准设立")
_BRACKETS = re.compile(r"[（(]([^（()）]*)[)）]$")
#: Units of something per something, and of what is not added up.
_INTENSITY_UNIT = re.compile(r"[/／%％‰]|每|℃|°C|分贝|dB|^(?:分|级|度|岁)$|百分")


def role_of(item: Item) -> Role:
    """What the column's values are to a chart."""
    if item.data_type in TEMPORAL:
        return Role.TIME
    if is_coordinate(item):
        return Role.COORDINATE
    if _named(item, _PERIOD, _PERIOD_ID):
        return Role.PERIOD
    if item.data_type in NUMERIC:
        return Role.CODE if _is_code(item) else Role.MEASURE
    if item.data_type == "boolean":
        return Role.CATEGORY
    if item.data_type == "text" or _named(item, _TEXT, _TEXT_ID):
        return Role.TEXT
    return Role.CODE if _named(item, _CODE, _CODE_ID) else Role.CATEGORY


def of_role(items: Iterable[Item], *roles: Role) -> tuple[Item, ...]:
    """The columns that are one of these, in their order."""
    return tuple(item for item in items if role_of(item) in roles)


def is_coordinate(item: Item) -> bool:
    """Whether the column holds longitudes, latitudes, or texts of both."""
    return item.data_type not in {"boolean", *TEMPORAL} and _named(item, _COORDINATE, _COORDINATE_ID)


def is_additive(item: Item) -> bool:
    """Whether the sum of this measure over rows means something: amounts and counts, not rates, prices or readings."""
    unit = item.unit or "".join(_BRACKETS.findall(item.name))
    return not (_named(item, _INTENSITY, _INTENSITY_ID) or _INTENSITY_UNIT.search(unit))


def is_of_a_thing(item: Item) -> bool:
    """Whether a date tells of the thing in its row (founded, valid until), not when what the row counts took place."""
    return bool(_OF_A_THING.search(item.name))


def _is_code(item: Item) -> bool:
    """A whole number that is a key names its row; money and decimals are never names."""
    if item.data_type != "integer":
        return bool(_CODE.search(_bare(item.name)))
    return item.is_key or _named(item, _CODE, _CODE_ID)


def _named(item: Item, label: re.Pattern[str], column: re.Pattern[str]) -> bool:
    return bool(label.search(_bare(item.name)) or column.search(item.column))


def _bare(name: str) -> str:
    """A label without what stands in brackets after it."""
    return re.sub(r"[（(][^（()）]*[)）]$", "", name.strip())
