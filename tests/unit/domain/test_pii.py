"""Personal data is found by column, and what only looks like it passes. All numbers here are made from seeds."""

from __future__ import annotations

import random
from datetime import date, timedelta
from textwrap import wrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain import pii

ROWS = 400


def resident_id(rng: random.Random) -> str:
    born = date(1940, 1, 1) + timedelta(days=rng.randrange(28_000))
    body = f"44130{rng.randrange(2, 4)}{born:%Y%m%d}{rng.randrange(1000):03}"
    return body + next(check for check in "0123456789X" if pii.is_resident_id(body + check))


def old_resident_id(rng: random.Random) -> str:
    born = date(1940, 1, 1) + timedelta(days=rng.randrange(20_000))
    return f"44130{rng.randrange(2, 4)}{born:%y%m%d}{rng.randrange(1000):03}"


def mobile(rng: random.Random) -> str:
    return f"{rng.choice(['138', '139', '150', '186', '199', '177'])}{rng.randrange(10**8):08}"


def bank_card(rng: random.Random) -> str:
    body = f"6222{rng.randrange(10**14):014}"
    return body + next(check for check in "0123456789" if pii.is_bank_card(body + check))


def credit_code(rng: random.Random, alphabet: str = "0123456789ABCDEFGHJKLMNPQRTUWXY") -> str:
    body = f"{rng.choice(['91', '12', '51', '52'])}44130{rng.randrange(1, 4)}" + "".join(rng.choices(alphabet, k=9))
    return body + next(check for check in "0123456789ABCDEFGHJKLMNPQRTUWXY" if pii.is_credit_code(body + check))


def day(rng: random.Random) -> str:
    return f"{date(2017, 1, 1) + timedelta(days=rng.randrange(500)):%Y%m%d}"


PERSONAL = {
    "resident ids": ("编号", resident_id, "resident-id"),
    "resident ids, lower-case check letter": ("编号", lambda r: resident_id(r).lower(), "resident-id"),
    "full-width resident ids": (
        "编号",
        lambda r: resident_id(r).translate(str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")),
        "resident-id",
    ),
    "resident ids between Chinese letters": ("备注", lambda r: f"身份证{resident_id(r)}号已核", "resident-id"),
    "old resident ids": ("编号", old_resident_id, "resident-id"),
    "resident ids, one in twenty mistyped": (
        "编号",
        lambda r: resident_id(r) if r.random() > 0.05 else resident_id(r)[:17] + "0",
        "resident-id",
    ),
    "mobile phones": ("号码", mobile, "mobile-phone"),
    "mobile phones with hyphens": ("号码", lambda r: "-".join([(m := mobile(r))[:3], m[3:7], m[7:]]), "mobile-phone"),
    "mobile phones with country code": ("号码", lambda r: f"+86 {mobile(r)}", "mobile-phone"),
    "mobile phones in remarks": ("备注", lambda r: f"联系人电话{mobile(r)}（白天）", "mobile-phone"),
    "mobile phones among landlines": (
        "联系电话",
        lambda r: mobile(r) if r.random() < 0.4 else f"0752{r.randrange(10**7):07}",
        "mobile-phone",
    ),
    "bank cards": ("账户", bank_card, "bank-card"),
    "bank cards in groups of four": ("编号", lambda r: " ".join(wrap(bank_card(r), 4)), "bank-card"),
}

HARMLESS = {
    "credit codes": ("统一社会信用代码", credit_code),
    "credit codes of digits only": ("统一社会信用代码", lambda r: credit_code(r, "0123456789")),
    "order numbers of region, day and serial": ("受理编号", lambda r: f"441302{day(r)}{r.randrange(10_000):04}"),
    "15-digit case numbers of region, day and serial": (
        "案件编号",
        lambda r: f"441302{day(r)[2:]}{r.randrange(1000):03}",
    ),
    "20-digit numbers": ("流水号", lambda r: f"{r.randrange(10**20):020}"),
    "18-digit numbers": ("流水号", lambda r: f"{r.randrange(10**18):018}"),
    "16-digit numbers": ("流水号", lambda r: f"{r.randrange(10**16):016}"),
    "11-digit codes": ("编码", lambda r: f"{r.randrange(10**11):011}"),
    "11-digit codes beginning with 1": ("编码", lambda r: f"1{r.randrange(10**10):010}"),
    "12-digit division codes": ("区划代码", lambda r: f"441302{r.randrange(10**6):06}"),
    "phone-like parts of longer numbers": ("编号", lambda r: f"{mobile(r)}{r.randrange(100):02}"),
    "phone-like parts of codes with letters": ("编号", lambda r: f"HZ{mobile(r)}"),
    "coordinates": ("经度", lambda r: f"114.{r.randrange(13 * 10**9, 19 * 10**9)}"),
    "amounts": ("金额", lambda r: f"{mobile(r)}.{r.randrange(100):02}"),
    "landlines": ("联系电话", lambda r: f"0752-{r.randrange(10**7):07}"),
    "landlines without a hyphen": ("联系电话", lambda r: f"0752{r.randrange(10**7):07}"),
    "milliseconds": ("时间戳", lambda r: str(1_519_862_400_000 + r.randrange(10**9))),
    "service numbers": ("服务热线", lambda r: r.choice(["12345", "95588", "4008888888", "10086"])),
    "addresses": ("地址", lambda r: f"惠州市惠城区演达大道{r.randrange(300)}号（演示数据）"),
    "dates": ("日期", day),
}


def kinds(name: str, cells: list[str | None], *, numeric: bool = False) -> set[str]:
    scanner = pii.ColumnScanner(name, numeric=numeric)
    for start in range(0, len(cells), 150):
        scanner.feed(cells[start : start + 150], start + 1)
    return {verdict.kind for verdict in scanner.verdicts(0)}


def planted(maker, seed: int) -> list[str | None]:
    rng = random.Random(seed)
    return [maker(rng) if rng.random() < 0.9 else None for _ in range(ROWS)]


class TestColumns:
    @pytest.mark.parametrize("name", sorted(PERSONAL))
    @pytest.mark.parametrize("seed", range(5))
    def test_personal_data_is_found(self, name, seed):
        header, maker, kind = PERSONAL[name]
        assert kinds(header, planted(maker, seed)) == {kind}

    @pytest.mark.parametrize("name", sorted(HARMLESS))
    @pytest.mark.parametrize("seed", range(5))
    def test_what_only_looks_like_it_passes(self, name, seed):
        header, maker = HARMLESS[name]
        assert kinds(header, planted(maker, seed)) == set()

    @pytest.mark.parametrize("maker", [resident_id, mobile, bank_card])
    def test_one_number_in_a_remark_column_is_enough(self, maker):
        cells: list[str | None] = ["无异常"] * 5000
        cells[4321] = f"请联系{maker(random.Random(3))}。"
        scanner = pii.ColumnScanner("备注", numeric=False)
        scanner.feed(cells[:3000], 1)
        scanner.feed(cells[3000:], 3001)
        (verdict,) = scanner.verdicts(7)
        assert (verdict.column, verdict.count, verdict.first_row) == (7, 1, 4322)

    def test_figures_that_happen_to_be_phones_or_ids_pass_and_phones_kept_as_figures_do_not(self):
        rng = random.Random(1)
        figures: list[str | None] = [str(rng.randrange(10**9, 10**11)) for _ in range(200)]
        assert kinds("产值", [*figures, mobile(rng), resident_id(rng)], numeric=True) == set()
        assert kinds("号码", [mobile(rng) for _ in range(200)], numeric=True) == {"mobile-phone"}

    def test_an_empty_column_has_no_verdict(self):
        assert kinds("身份证号", [None] * 10) == set()

    @given(st.lists(st.one_of(st.none(), st.text(max_size=60)), max_size=30), st.booleans())
    def test_no_text_breaks_the_scanner(self, cells, numeric):
        assert kinds("列", cells, numeric=numeric) <= set(pii.KIND_LABELS)


class TestHeaders:
    @pytest.mark.parametrize(
        ("names", "found"),
        [
            (["身份证号", "街道"], {(0, "resident-id")}),
            (["公民身份号码"], {(0, "resident-id")}),
            (["银行卡号"], {(0, "bank-card")}),
            (["指纹特征"], {(0, "biometric")}),
            (["姓名", "出生日期"], {(0, "person-with-attributes")}),
            (["申请人姓名", "手机号码"], {(0, "person-with-attributes")}),
            (["姓名", "职务"], set()),
            (["法定代表人姓名", "成立日期"], set()),
            (["身份证办理点", "许可证件号"], set()),
            (["银行卡受理网点名称"], set()),
        ],
    )
    def test_names_that_need_no_value(self, names, found):
        verdicts = pii.scan_headers(names, [True] * len(names))
        assert {(verdict.column, verdict.kind) for verdict in verdicts} == found

    def test_a_count_of_such_things_is_a_figure(self):
        assert pii.scan_headers(["身份证"], [False]) == []


class TestNumbers:
    def test_published_examples(self):
        # the examples printed in GB 11643-1999 and in Luhn's patent literature, no person's numbers
        assert pii.is_resident_id("11010519491231002X")
        assert pii.is_resident_id("440524188001010014") is False  # born in 1880: not plausible
        assert pii.is_bank_card("4111111111111111")

    @given(st.text(max_size=20))
    def test_any_text_gets_an_answer(self, text):
        ascii_digits = text.isascii()
        assert pii.is_credit_code(text) in (True, False)
        if ascii_digits and text.isdigit():
            assert pii.is_old_resident_id(text) in (True, False)
            assert pii.is_bank_card(text) in (True, False)
        assert pii.is_resident_id(text) in (True, False)
        assert pii.is_mobile(text) in (True, False)

    @given(st.integers(0, 2**32))
    def test_one_wrong_digit_is_noticed(self, seed):
        rng = random.Random(seed)
        number = resident_id(rng)
        place = rng.randrange(6, 17)
        other = number[:place] + str((int(number[place]) + rng.randrange(1, 10)) % 10) + number[place + 1 :]
        assert not pii.is_resident_id(other)
