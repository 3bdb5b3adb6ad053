"""Typing of table cells: from what a source gives to the text that PostgreSQL and the CSV file take.

One converter per ``Item.data_type``. A converter takes one raw value (str, int, float, Decimal, date, datetime,
bool or None) and returns the text of the value, or None for NULL; it raises ``ValueError`` when the value does not
fit the type. Converters work on single cells and keep no state apart from a cache of texts seen before.

The text of a value is at once valid CSV content for people and valid COPY input, so that table and file
are the same bytes: dates ``2018-03-01``, datetimes ``2018-03-01 08:00:00+08:00``, booleans ``true``/``false``.
A datetime without a zone is Asia/Shanghai, the only civil time of the city's systems.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from .city_time import CITY_ZONE

Converter = Callable[[object], str | None]

#: Types of the DataStore's columns. ``numeric`` has no precision: a declared length must not round a published figure.
POSTGRESQL_TYPES: Final[dict[str, str]] = {
    "string": "text",
    "text": "text",
    "integer": "bigint",
    "number": "numeric",
    "currency": "numeric",
    "date": "date",
    "datetime": "timestamptz",
    "boolean": "boolean",
}

#: What people write for "no value", in any column.
NULL_TEXTS: Final = frozenset({"", "-", "－", "—", "--", "——"})
#: … and where a word cannot be a value, because the column holds numbers, dates or booleans.
_NULL_WORDS: Final = NULL_TEXTS | {"/", "null", "NULL", "None", "N/A", "n/a", "#N/A", "无", "暂无", "空"}

_TRUE_TEXTS: Final = frozenset({"是", "有", "true", "t", "yes", "y", "1", "√"})
_FALSE_TEXTS: Final = frozenset({"否", "无", "没有", "false", "f", "no", "n", "0", "×"})

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_DATE = re.compile(
    r"([0-9]{4})(?:[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})[日号]|([0-9]{2})([0-9]{2}))"
)
_TIME = re.compile(
    r"(?:[ T]*)(?:([0-9]{1,2})[:时点]([0-9]{1,2})?(?:[:分]([0-9]{1,2})?(?:\.([0-9]{1,6})[0-9]*)?秒?)?"
    r"|([0-9]{2})([0-9]{2})?([0-9]{2})?)"
    r" ?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
#: How accountants write what is below zero.
_BRACKETED = re.compile(r"\(([0-9][0-9,]*(?:\.[0-9]+)?)\)")
_BIGINT_MAX: Final = 2**63 - 1
#: Excel counts days from 1899-12-30; these bounds are 1927 to 2173 and hold no compact date.
_EXCEL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a civil date, the zone is added by the caller
_EXCEL_DAYS: Final = (10_000, 100_000)


def to_text(value: object) -> str | None:
    """Trimmed text; a whole float (a code that went through Excel) loses its ``.0``; NUL bytes are dropped."""
    if type(value) is str:
        text = value.strip()
        if text in NULL_TEXTS:
            return None
        return text.replace("\x00", "") if "\x00" in text else text
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return to_text(str(value))


def to_integer(value: object) -> str | None:
    """A 64-bit integer. Whole floats and grouped digits are integers, ``1.5`` is not."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return _within_bigint(value)
    if isinstance(value, (float, Decimal)):
        return _whole(Decimal(str(value)) if isinstance(value, float) else value)
    text = _plain(value)
    if text in _NULL_WORDS:
        return None
    if _INTEGER.fullmatch(text):
        return _within_bigint(int(text))
    return _whole(_decimal(text))


def to_number(value: object) -> str | None:
    """A decimal number, exactly as given. Not-a-number is NULL; infinity is refused."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, Decimal):
        return _finite(value)
    text = _plain(value)
    if text in _NULL_WORDS:
        return None
    return text if _NUMBER.fullmatch(text) else _finite(_decimal(text))


def to_date(value: object) -> str | None:
    """A civil date. A time of day other than midnight is refused, not cut off."""
    if value is None:
        return None
    moment = _moment(value)
    if moment is None:
        return None
    if moment.time() != time(0):
        raise ValueError(value)
    return moment.date().isoformat()


def to_datetime(value: object) -> str | None:
    """A moment with its offset; without a zone it is Asia/Shanghai."""
    if value is None:
        return None
    moment = _moment(value)
    return None if moment is None else moment.isoformat(sep=" ")


def to_boolean(value: object) -> str | None:
    """是/否 and its usual spellings."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)) and value in (0, 1):
        return "true" if value else "false"
    text = unicodedata.normalize("NFKC", str(value)).strip().lower()
    if text in _TRUE_TEXTS:
        return "true"
    if text in _FALSE_TEXTS:
        return "false"
    if text in _NULL_WORDS or text == "null":
        return None
    raise ValueError(value)


CONVERTERS: Final[dict[str, Converter]] = {
    "string": to_text,
    "text": to_text,
    "integer": to_integer,
    "number": to_number,
    "currency": to_number,
    "date": to_date,
    "datetime": to_datetime,
    "boolean": to_boolean,
}


def _plain(value: object) -> str:
    """The text with full-width characters made half-width, without spaces around it."""
    text = str(value).strip()
    return text if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def _decimal(text: str) -> Decimal:
    """Grouped digits (``1,234.5``), a currency sign before them and brackets for “minus” are numbers; anything else
    is not."""
    text = text.lstrip("¥￥").replace("−", "-").strip()
    if bracketed := _BRACKETED.fullmatch(text):
        text = f"-{bracketed[1]}"
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error


def _finite(value: Decimal) -> str | None:
    if value.is_nan():
        return None
    if not value.is_finite():
        raise ValueError(value)
    return format(value, "f")


def _float_text(value: float) -> str | None:
    if value != value:  # NaN is how spreadsheets and data frames say "empty"
        return None
    if value in (float("inf"), float("-inf")):
        raise ValueError(value)
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def _whole(value: Decimal) -> str | None:
    if value.is_nan():
        return None
    if not value.is_finite() or value.adjusted() > 20 or value != value.to_integral_value():
        raise ValueError(value)
    return _within_bigint(int(value))


def _within_bigint(value: int) -> str:
    if not -_BIGINT_MAX - 1 <= value <= _BIGINT_MAX:
        raise ValueError(value)
    return str(value)


def _moment(value: object) -> datetime | None:
    """An aware datetime in Asia/Shanghai, or None for NULL."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=CITY_ZONE) if value.tzinfo is None else value.astimezone(CITY_ZONE)
    if isinstance(value, date):
        return datetime.combine(value, time(0), CITY_ZONE)
    if isinstance(value, bool):
        raise ValueError(value)
    if isinstance(value, (int, float, Decimal)):
        return _moment_of_number(value)
    return _moment_of_text(str(value))


def _moment_of_number(value: float | Decimal) -> datetime | None:
    if value != value:
        return None
    if abs(value) == float("inf"):
        raise ValueError(value)
    if _EXCEL_DAYS[0] <= value < _EXCEL_DAYS[1]:
        seconds = round(float(value) * 86_400)
        return (_EXCEL_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=CITY_ZONE)
    if value != int(value):
        raise ValueError(value)
    return _moment_of_text(str(int(value)))


@lru_cache(maxsize=100_000)
def _moment_of_text(raw: str) -> datetime | None:
    """Cached: a column of hourly readings repeats its texts once per station."""
    text = _plain(raw)
    if text in _NULL_WORDS:
        return None
    day = _DATE.match(text)
    if day is None:
        raise ValueError(raw)
    year, month, dom = (int(part) for part in (part for part in day.groups() if part is not None))
    rest = text[day.end() :].strip()
    if not rest:
        return datetime(year, month, dom, tzinfo=CITY_ZONE)
    clock = _TIME.fullmatch(rest)
    if clock is None:
        raise ValueError(raw)
    *parts, zone = clock.groups()
    hour, minute, second = (int(a or b or 0) for a, b in zip(parts[:3], parts[4:], strict=True))
    micro = int((parts[3] or "0").ljust(6, "0"))
    extra = timedelta(days=1) if (hour, minute, second) == (24, 0, 0) else timedelta(0)
    moment = datetime(year, month, dom, 0 if extra else hour, minute, second, micro, tzinfo=CITY_ZONE) + extra
    if zone:
        aware = datetime.fromisoformat(moment.replace(tzinfo=None).isoformat() + zone)
        return aware.astimezone(CITY_ZONE)
    return moment
