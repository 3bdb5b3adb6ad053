"""No summary of a column points at a person."""

from __future__ import annotations

import pytest

from ckanext.openhuizhou.domain import pii
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.value_guard import REASONS, Withheld, tells_of_a_person, withheld

#: Made up: a region, a day, a number, and the check digit that the rule wants.
_BODY = "44130219900101" + "000"
RESIDENT = _BODY + next(check for check in "0123456789X" if pii.is_resident_id(_BODY + check))
CARD = "6222" + "0" * 14 + next(check for check in "0123456789" if pii.is_bank_card("6222" + "0" * 14 + check))


def reason(item: Item, *others: Item) -> Withheld | None:
    return withheld(item, [item, *others])


class TestColumns:
    @pytest.mark.parametrize("sensitivity", ["internal", "personal", "sensitive_personal", "unheard-of"])
    def test_more_than_general_shows_nothing(self, sensitivity):
        assert reason(Item("金额", "amount", "currency", sensitivity=sensitivity)) is Withheld.SENSITIVITY

    @pytest.mark.parametrize(
        "name",
        [
            "姓名",
            "法定代表人",
            "负责人",
            "联系人",
            "联系电话",
            "身份证号",
            "银行卡号",
            "户主姓名",
            "居住地址",
            "人脸特征",
        ],
    )
    def test_labels_that_tell_of_people(self, name):
        assert reason(Item(name, "a", "string")) is Withheld.PERSON

    def test_days_of_birth(self):
        assert reason(Item("出生日期", "born", "date")) is Withheld.PERSON

    @pytest.mark.parametrize(
        ("name", "data_type"),
        [
            ("学生人数", "integer"),
            ("电话投诉量", "integer"),
            ("教师平均年龄", "number"),
            ("企业名称", "string"),
            ("许可日期", "date"),
        ],
    )
    def test_figures_and_other_names_are_shown(self, name, data_type):
        assert reason(Item(name, "a", data_type, sensitivity="general")) is None

    def test_every_reason_has_words(self):
        assert set(REASONS) == set(Withheld)


class TestValues:
    @pytest.mark.parametrize(
        "value",
        [
            RESIDENT,
            f"证号{RESIDENT}",
            "13800000000",
            "电话 138-0000-0000",
            "+86 13800000000",
            "１３８００００００００",
            CARD,
        ],
    )
    def test_numbers_of_people(self, value):
        assert tells_of_a_person(value)

    @pytest.mark.parametrize(
        "value",
        ["0752-2808123", "惠城区", "2018-03-01", "HZ441300000001", "91441300DEM0000017", "114.416196", "", "441302"],
    )
    def test_other_numbers(self, value):
        assert not tells_of_a_person(value)
