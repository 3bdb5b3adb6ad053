"""The counties and zones of Huizhou as tables name them: by name, short name, or code.

Codes of the five counties and districts are those of GB/T 2260; the two development zones have none there, and carry
the platform's own (``config/departments.yaml``). Outlines for drawing are in ``public/openhuizhou/regions.geojson``:
schematic, drawn for this project, no statement about any boundary.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .column_roles import Role, role_of
from .items import Item


@dataclass(frozen=True, slots=True)
class Region:
    """``code`` has six digits; ``spellings`` are what else stands for it in tables."""

    code: str
    name: str
    english: str
    spellings: tuple[str, ...] = ()


REGIONS: Final = (
    Region("441302", "惠城区", "Huicheng", ("惠城",)),
    Region("441303", "惠阳区", "Huiyang", ("惠阳", "惠阳市")),
    Region("441322", "博罗县", "Boluo", ("博罗",)),
    Region("441323", "惠东县", "Huidong", ("惠东",)),
    Region("441324", "龙门县", "Longmen", ("龙门",)),
    Region(
        "441391",
        "大亚湾开发区",
        "Daya Bay",
        ("大亚湾", "大亚湾区", "大亚湾经开区", "大亚湾经济技术开发区", "惠州大亚湾经济技术开发区"),
    ),
    Region(
        "441392",
        "仲恺高新区",
        "Zhongkai",
        ("仲恺", "仲恺区", "仲恺开发区", "仲恺高新技术产业开发区", "仲恺高新技术开发区", "惠州仲恺高新技术产业开发区"),
    ),
)
_BY_CODE: Final = {region.code: region for region in REGIONS}
_BY_NAME: Final = {name: region for region in REGIONS for name in (region.name, *region.spellings)}
_BEFORE = re.compile(r"^(?:广东省)?(?:惠州市?)?(?=.)")
_CODE = re.compile(r"4413[0-9]{2}(?:0{3}|0{6})?")

_COLUMN = re.compile(r"县区|区县|县（区）|县\(区\)|县、区|行政区|辖区|区域|地区|所属区|所在区|所在县|区划|^[县区]$")
_COLUMN_ID = re.compile(
    r"(?:^|_)(?:county|counties|region|district|area|xzq|xzqdm|xzqmc|qx|qxmc|qxdm)(?:_code|_name)?$"
)


def region_of(value: object) -> Region | None:
    """The county or zone that a cell names; None when it names none of ours.

    >>> region_of("惠州市惠城区").code, region_of("441323000000").name, region_of("东莞市")
    ('441302', '惠东县', None)
    """
    text = "" if value is None else re.sub(r"\s+", "", str(value))
    if not text:
        return None
    if _CODE.fullmatch(text):
        return _BY_CODE.get(text[:6])
    return _BY_NAME.get(text) or _BY_NAME.get(_BEFORE.sub("", text))


def region_columns(items: Iterable[Item]) -> tuple[Item, ...]:
    """Columns that say by name that they hold counties; names before codes, for people read them.

    What they really hold is seen when their values are counted.
    """
    found = [
        item
        for item in items
        if item.data_type in ("string", "integer")
        and role_of(item) in (Role.CATEGORY, Role.CODE)
        and (_COLUMN.search(item.name) or _COLUMN_ID.search(item.column))
    ]
    return tuple(sorted(found, key=lambda item: role_of(item) is Role.CODE))


def named_regions(values: Sequence[object]) -> float:
    """The share of these values that name a county or zone of Huizhou; 0 for no values."""
    return sum(region_of(value) is not None for value in values) / len(values) if values else 0.0
