"""Which values of a column may be put on show: as most frequent, as examples, as least and greatest.

A table may hold what its summary should not point at. Values of a column that is more than general say nothing at all
here; a column that names people, or numbers of theirs, by its label is summed up in counts only; and a single value
that is an identity number, a mobile number or a bank card is left out of every list, in whichever column it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from . import pii
from .cell_types import POSTGRESQL_TYPES
from .credit_code import is_credit_code
from .findings import N_
from .items import Item


class Withheld(StrEnum):
    """Why a column's values are not shown."""

    SENSITIVITY = "sensitivity"
    PERSON = "personal-data"


#: Msgids of the reasons, for pages.
REASONS: Final[dict[str, str]] = {
    Withheld.SENSITIVITY: N_("Values are not shown: the column is not for general use."),
    Withheld.PERSON: N_("Values are not shown: they may tell of persons."),
}
#: Labels of columns whose values are people.
_PERSONS: Final = re.compile(
    r"姓名|名字|联系人|负责人|法定代表|法人代表|代表人|经办人|当事人|申请人|申报人|投诉人|举报人|来访人|户主|业主|权利人"
    r"|持证人|监护人|患者|病人|学生|教师|医师|护士|驾驶员|司机|人员名|被执行人|家庭住址|户籍地址|居住地址|出生日期|出生年月"
)
_FULL_WIDTH: Final = str.maketrans("０１２３４５６７８９Ｘｘ－　＋", "0123456789Xx- +")
_IN_NUMBER: Final = str.maketrans("", "", "- ")


def withheld(item: Item, items: Sequence[Item]) -> Withheld | None:
    """Why the values of one of a table's columns are not shown; None where they may be."""
    if item.sensitivity not in ("", "general"):
        return Withheld.SENSITIVITY
    if _is_figure(item):
        return None
    if _PERSONS.search(item.name):
        return Withheld.PERSON
    if _is_text(item) and any(rule.header.search(item.name) for rule in pii.VALUE_RULES):
        return Withheld.PERSON
    names = [other.name for other in items]
    told = pii.scan_headers(names, [_is_text(other) for other in items])
    return Withheld.PERSON if any(items[verdict.column] == item for verdict in told) else None


def tells_of_a_person(value: str) -> bool:
    """Whether a text holds an identity number, a mobile number or a bank card."""
    text = value.translate(_FULL_WIDTH)
    for rule in pii.VALUE_RULES:
        for match in rule.candidate.finditer(text):
            number = (match[1] if rule.candidate.groups else match[0]).translate(_IN_NUMBER)
            if rule.valid(number) and not is_credit_code(number):
                return True
    return False


def _is_text(item: Item) -> bool:
    return POSTGRESQL_TYPES[item.data_type] == "text"


def _is_figure(item: Item) -> bool:
    """Counts and amounts of people are figures about many."""
    return POSTGRESQL_TYPES[item.data_type] in ("bigint", "numeric", "boolean")
