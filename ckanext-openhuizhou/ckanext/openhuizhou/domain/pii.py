"""Personal data in tables: declared rules, judged per column.

A single number proves nothing: one in eleven order numbers made of a region code, a date and a serial number has
the check digit of a resident identity number, and one in eighteen 11-digit codes lies in a mobile range. So every
rule counts, in one column, the *candidates* (numbers of the right length standing alone) and the *valid* ones among
them (check digit, date, prefix), and refuses the column when at least one is valid and their share reaches the
rule's threshold. One identity number in a remark column is one candidate, valid: refused. A column of order numbers
is 9 % valid: passes. A telling header lowers the threshold. Headers alone refuse what no value can show
(fingerprints, faces, masked identity numbers, names of persons next to their birth dates).

What passes by rule: unified social credit codes (they hold letters, or a check digit and region of their own),
coordinates and amounts (a digit next to a decimal point is not a candidate), order numbers, landlines.
Values never leave this module: results are counts and row numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from .credit_code import is_credit_code
from .findings import N_

#: First two digits of GB/T 2260 codes (residents of Taiwan, Hong Kong and Macao have 81-83).
_PROVINCES: Final = frozenset(
    re.findall(r"[0-9]{2}", "1112131415 212223 31323334353637 414243444546 5051525354 6162636465 71 818283")
)
_RIC_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RIC_CHECKS: Final = "10X98765432"
#: 15-digit identity numbers were issued until 1999, to people born from about 1927; a later "birth year" is an order
#: number's date.
_OLD_ID_YEARS: Final = range(27, 100)
_CARD_PREFIX = re.compile(r"62|4|5[1-5]|2[2-7]|35|60|9558|9400|9111|9551")

#: A digit run is a candidate when no letter, digit or decimal point touches it. ``\\b`` fails beside Chinese letters.
_ALONE_BEFORE = r"(?<![0-9A-Za-z.])"
_ALONE_AFTER = r"(?![0-9A-Za-z]|\.[0-9])"


def is_resident_id(number: str) -> bool:
    """An 18-character identity number (GB 11643): region, plausible birth date, check digit; credit codes are not."""
    number = number.upper()
    if len(number) != 18 or not number.isascii() or not number[:17].isdigit() or number[:2] not in _PROVINCES:
        return False
    if not _plausible_birth(int(number[6:10]), number[10:12], number[12:14]):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _RIC_WEIGHTS, strict=False))
    return number[17] == _RIC_CHECKS[total % 11]


def is_old_resident_id(number: str) -> bool:
    """A 15-digit identity number of before 1999: region and birth date; it has no check digit."""
    if len(number) != 15 or number[:2] not in _PROVINCES or int(number[6:8]) not in _OLD_ID_YEARS:
        return False
    return _plausible_birth(1900 + int(number[6:8]), number[8:10], number[10:12])


def is_mobile(number: str) -> bool:
    """A mainland mobile phone number in an assigned range, separators and +86 already removed."""
    return _MOBILE_RANGE.fullmatch(number) is not None


def is_bank_card(number: str) -> bool:
    """A payment card number: known issuer prefix and Luhn's check digit."""
    if not 16 <= len(number) <= 19 or not _CARD_PREFIX.match(number):
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0


def _plausible_birth(year: int, month: str, day: str) -> bool:
    try:
        born = date(year, int(month), int(day))
    except ValueError:
        return False
    return date(1900, 1, 1) <= born <= date.today()  # noqa: DTZ011 - the day before or after makes no difference


_MOBILE_RANGE = re.compile(r"1(?:3[0-9]|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])[0-9]{8}")


@dataclass(frozen=True, slots=True)
class ValueRule:
    """``candidate`` finds numbers that stand alone; ``share`` of them must be valid, ``header_share`` under a telling
    header. ``of_all`` compares with all non-null values where the column is numeric: there, a figure is no identifier.
    """

    kind: str
    candidate: re.Pattern[str]
    valid: Callable[[str], bool]
    share: float
    header: re.Pattern[str]
    header_share: float
    of_all_when_numeric: bool = True


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """Refuses a text column by its name alone; with ``beside``, only where another column's name matches that."""

    kind: str
    header: re.Pattern[str]
    beside: re.Pattern[str] | None = None


_ID_HEADER = re.compile(r"身份证|公民身份|身份号码|证件号|id_?card", re.IGNORECASE)

VALUE_RULES: Final[tuple[ValueRule, ...]] = (
    ValueRule(
        "resident-id",
        re.compile(rf"{_ALONE_BEFORE}[0-9]{{17}}[0-9Xx]{_ALONE_AFTER}"),
        is_resident_id,
        share=0.8,
        header=_ID_HEADER,
        header_share=0.05,
    ),
    ValueRule(
        "resident-id",
        re.compile(rf"{_ALONE_BEFORE}[0-9]{{15}}{_ALONE_AFTER}"),
        is_old_resident_id,
        share=0.9,
        header=_ID_HEADER,
        header_share=0.05,
    ),
    ValueRule(
        "mobile-phone",
        # landlines written without a hyphen have eleven digits too, and begin with 0: they are no candidates
        re.compile(rf"{_ALONE_BEFORE}(?:\+?86[- ]?)?([1-9][0-9]{{2}}[- ]?[0-9]{{4}}[- ]?[0-9]{{4}}){_ALONE_AFTER}"),
        is_mobile,
        share=0.8,
        header=re.compile(r"手机|电话|联系方式|移动|phone|mobile|tel", re.IGNORECASE),
        header_share=0.2,
    ),
    ValueRule(
        "bank-card",
        re.compile(rf"{_ALONE_BEFORE}[0-9]{{4}}(?:[- ]?[0-9]{{4}}){{3}}(?:[- ]?[0-9]{{1,3}})?{_ALONE_AFTER}"),
        is_bank_card,
        share=0.8,
        header=re.compile(r"银行卡|卡号|银行账号|账户|bank|card", re.IGNORECASE),
        header_share=0.2,
    ),
)

HEADER_RULES: Final[tuple[HeaderRule, ...]] = (
    HeaderRule("resident-id", re.compile(r"(?:身份证|公民身份|居民身份证)(?:件)?(?:号|号码|编号)?$")),
    HeaderRule("bank-card", re.compile(r"银行卡(?:号|号码)?$")),
    HeaderRule("biometric", re.compile(r"指纹|人脸|虹膜|声纹|基因")),
    HeaderRule(
        "person-with-attributes",
        re.compile(r"^(?:姓名|名字|.{0,4}(?:本人|居民|患者|学生|申请人|参保人|持证人|个人|人员)姓名)$"),
        beside=re.compile(r"手机号|出生日期|出生年月|民族|家庭住址|户籍地址|居住地址"),
    ),
)

#: Msgids of the kinds, for reports.
KIND_LABELS: Final[dict[str, str]] = {
    "resident-id": N_("resident identity number"),
    "mobile-phone": N_("mobile phone number"),
    "bank-card": N_("bank card number"),
    "biometric": N_("biometric feature"),
    "person-with-attributes": N_("names of persons beside their attributes"),
}

#: What a report must not show: any number long enough to identify a person or an account.
LONG_NUMBER = re.compile(r"[0-9０-９][0-9０-９ -]{5,}[0-9０-９Xx]")
#: No rule can match a value that has no run of four digits; this keeps most columns out of the slow part.
_FOUR_DIGITS = re.compile(r"[0-9]{4}")
_FULL_WIDTH: Final = str.maketrans("０１２３４５６７８９Ｘｘ－　＋", "0123456789Xx- +")
#: Every cell in which a rule can find a number holds this (RE2 knows it too): eleven digits, one sign between two of
#: them at most, and no letter, digit or point before them.
MAY_BE_NUMBER: Final = r"(?:^|[^0-9０-９A-Za-z.])[0-9０-９](?:[-－ 　]?[0-9０-９]){10}"
#: Between the cells of a batch: the record separator, which no cell holds and no rule matches.
_SEPARATOR: Final = "\x1e"
_IN_NUMBER: Final = str.maketrans("", "", "- ")


@dataclass(frozen=True, slots=True)
class ColumnVerdict:
    """Why a column is refused: how many of its cells, and the first row (counted from 1; None for a header)."""

    column: int
    kind: str
    count: int
    first_row: int | None


@dataclass(slots=True)
class _Tally:
    candidates: int = 0
    valid: int = 0
    credit_codes: int = 0
    first_row: int | None = None


@dataclass(slots=True)
class ColumnScanner:
    """Counts candidates in one column, batch by batch; ``numeric`` says that its values are figures."""

    name: str
    numeric: bool
    values: int = 0
    tallies: list[_Tally] = field(default_factory=lambda: [_Tally() for _ in VALUE_RULES])

    def feed(self, cells: Sequence[str | None], first_row: int) -> None:
        """Scan one batch; ``first_row`` is the number of its first row."""
        present = [cell or "" for cell in cells]
        self.values += len(present) - present.count("")
        self._scan(_SEPARATOR.join(present), lambda place: first_row + place)

    def feed_chosen(self, cells: Sequence[str], rows: Sequence[int], values: int) -> None:
        """Scan those cells of a batch that ``MAY_BE_NUMBER`` finds, with the numbers of their rows; ``values``: so many
        cells of the whole batch are not empty."""
        self.values += values
        if cells:
            last = len(rows) - 1
            self._scan(_SEPARATOR.join(cells), lambda place: rows[min(place, last)])

    def _scan(self, text: str, row_of: Callable[[int], int]) -> None:
        if not text.isascii():
            text = text.translate(_FULL_WIDTH)
        if not _FOUR_DIGITS.search(text):
            return
        for rule, tally in zip(VALUE_RULES, self.tallies, strict=True):
            self._count(rule, tally, text, row_of)

    def _count(self, rule: ValueRule, tally: _Tally, text: str, row_of: Callable[[int], int]) -> None:
        for match in rule.candidate.finditer(text):
            number = (match[1] if rule.candidate.groups else match[0]).translate(_IN_NUMBER)
            tally.candidates += 1
            if not rule.valid(number):
                continue
            tally.valid += 1
            if rule.kind == "resident-id" and is_credit_code(number):
                tally.credit_codes += 1
            if tally.first_row is None:
                tally.first_row = row_of(text.count(_SEPARATOR, 0, match.start()))

    def verdicts(self, column: int) -> Iterable[ColumnVerdict]:
        """The rules that this column breaks."""
        for rule, tally in zip(VALUE_RULES, self.tallies, strict=True):
            valid = tally.valid - tally.credit_codes if tally.credit_codes > tally.valid / 2 else tally.valid
            if not valid:
                continue
            told = rule.header.search(self.name) is not None
            base = self.values if self.numeric and rule.of_all_when_numeric else tally.candidates
            if valid / base >= (rule.header_share if told else rule.share):
                yield ColumnVerdict(column, rule.kind, valid, tally.first_row)


def scan_headers(names: Sequence[str], textual: Sequence[bool]) -> list[ColumnVerdict]:
    """Columns that their names refuse; figures (``textual`` False) are counts about such things, and pass."""
    found = []
    for index, (name, is_text) in enumerate(zip(names, textual, strict=True)):
        for rule in HEADER_RULES:
            if not is_text or not rule.header.search(name):
                continue
            others = (*names[:index], *names[index + 1 :])
            if rule.beside is None or any(rule.beside.search(other) for other in others):
                found.append(ColumnVerdict(index, rule.kind, 0, None))
    return found
