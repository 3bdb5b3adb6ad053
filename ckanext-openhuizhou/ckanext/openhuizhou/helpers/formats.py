"""Numbers, dates and table cells as people read them, in the reader's language and on the city's clock."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.domain import city_time

__all__ = [
    "openhuizhou_cell",
    "openhuizhou_count",
    "openhuizhou_date",
    "openhuizhou_datetime",
    "openhuizhou_number",
    "openhuizhou_size",
]

TEN_THOUSAND, HUNDRED_MILLION = 10**4, 10**8
KIB = 1024


def openhuizhou_number(value: Any) -> str:
    """``1234567`` → ``1,234,567``; what is no number stays as it is."""
    try:
        return f"{int(_text(value)):,}"
    except ValueError:
        return _text(value)


def openhuizhou_count(value: int) -> str:
    """A count to be taken in at a glance: ``123456`` → ``12.3万`` for a Chinese reader, ``123,456`` for others."""
    return short_count(value, chinese=is_chinese())


def short_count(value: int, *, chinese: bool) -> str:
    """Rounded down, so that nobody reads more than there is."""
    if chinese:
        for unit, sign in ((HUNDRED_MILLION, "亿"), (TEN_THOUSAND, "万")):
            if value >= unit:
                tenths = value * 10 // unit
                return (f"{tenths // 10:,}" if tenths % 10 == 0 else f"{tenths // 10:,}.{tenths % 10}") + sign
    return f"{value:,}"


def openhuizhou_size(value: Any) -> str:
    """Bytes as ``12.3 MB``; empty for an unknown size."""
    try:
        size = float(value)
    except (TypeError, ValueError):
        return ""
    for unit in ("B", "KB", "MB", "GB"):
        if size < KIB or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= KIB
    raise AssertionError("unreachable")


def openhuizhou_date(value: Any) -> str:
    """A date or a moment as ``2018-03-31`` in the city; what is neither stays as it is."""
    moment = _moment(value)
    return moment.strftime("%Y-%m-%d") if moment else _text(value)


def openhuizhou_datetime(value: Any) -> str:
    """A moment as ``2018-03-31 08:05`` in the city; a mere date stays a date."""
    if isinstance(value, str) and len(value) == len("2018-03-31"):
        return value
    moment = _moment(value)
    return moment.strftime("%Y-%m-%d %H:%M") if moment else _text(value)


def openhuizhou_cell(value: Any, data_type: str) -> str:
    """A table cell of one of the item types; empty text for an empty cell."""
    if value is None or value == "":
        return ""
    if data_type == "boolean":
        return tk._("Yes") if value in (True, "true", "t", "1", 1) else tk._("No")
    if data_type == "datetime":
        return openhuizhou_datetime(value)
    if data_type == "currency":
        return f"{Decimal(str(value)):,.2f}"
    if data_type == "number":
        return _plain_number(value)
    return str(value)


def is_chinese() -> bool:
    """Whether this request's reader reads Chinese."""
    return str(tk.h.lang()).startswith("zh")


def _plain_number(value: Any) -> str:
    """No rounding, no exponent, no zeros at the end."""
    number = Decimal(str(value))
    return f"{number.normalize():f}" if number.is_finite() else str(value)


def _moment(value: Any) -> dt.datetime | None:
    if isinstance(value, dt.datetime):
        return city_time.to_city(value)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day, tzinfo=city_time.CITY_ZONE)
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2018-03-31"):
            return _moment(dt.date.fromisoformat(value))
        return city_time.to_city(dt.datetime.fromisoformat(value))
    except ValueError:
        return None


def _text(value: Any) -> str:
    """Empty text for None and for what a template does not know."""
    return "" if value is None else str(value)
