"""Columns of a file and items of an entry: which is which."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.column_match import match_columns
from ckanext.openhuizhou.domain.findings import KINDS
from ckanext.openhuizhou.domain.items import Item

STATION = Item(name="站点名称", column="station", data_type="string")
VALUE = Item(name="监测值", column="value", data_type="number", unit="μg/m³")
DAY = Item(name="日期", column="day", data_type="date")
PHONE = Item(name="联系人手机", column="phone", data_type="string", open_type="none")
ITEMS = (STATION, VALUE, DAY)


def kinds(match):
    return [finding.kind for finding in match.findings]


class TestFinding:
    def test_by_label(self):
        match = match_columns(["日期", "站点名称", "监测值"], ITEMS)
        assert match.positions == (1, 2, 0)
        assert match.findings == ()

    def test_by_column_id(self):
        assert match_columns(["station", "value", "day"], ITEMS).positions == (0, 1, 2)

    def test_width_case_spaces_and_marks_make_no_difference(self):
        match = match_columns(["\ufeff 站点 名称 ", "ＶＡＬＵＥ", "*日期:"], ITEMS)
        assert match.positions == (0, 1, 2)
        assert match.findings == ()

    def test_unit_behind_the_label(self):
        match = match_columns(["站点名称", "监测值（μg/m³）", "日期"], ITEMS)
        assert match.positions == (0, 1, 2)

    def test_another_unit_is_another_column(self):
        """Figures in another unit must not be published under the declared one."""
        match = match_columns(["站点名称", "监测值（mg/m³）", "日期"], ITEMS)
        assert match.positions == (0, None, 2)
        assert kinds(match) == ["table-column-missing", "table-column-extra"]

    def test_a_label_goes_before_the_column_id_of_another_item(self):
        first = Item(name="名称", column="value", data_type="string")
        second = Item(name="value", column="other", data_type="string")
        assert match_columns(["value", "名称"], (first, second)).positions == (1, 0)

    def test_the_closer_header_wins_and_the_other_is_told(self):
        match = match_columns(["day", "日期", "站点名称", "监测值"], ITEMS)
        assert match.positions == (2, 3, 1)
        assert [(f.kind, f.column) for f in match.findings] == [("table-column-extra", "day")]


class TestTelling:
    def test_missing(self):
        match = match_columns(["站点名称"], ITEMS)
        assert match.missing == (VALUE, DAY)
        assert [(f.column, f.value) for f in match.findings] == [("监测值", "value"), ("日期", "day")]

    def test_extra(self):
        match = match_columns(["站点名称", "监测值", "日期", "备注", "", None], ITEMS)
        assert [(f.kind, f.column, f.params["place"]) for f in match.findings] == [("table-column-extra", "备注", 4)]

    def test_twice(self):
        match = match_columns(["日期", "站点名称", "日期", "监测值"], ITEMS)
        assert kinds(match) == ["table-column-duplicate"]
        assert (match.findings[0].params["first"], match.findings[0].params["second"]) == (1, 3)
        assert match.positions[2] == 0

    def test_not_public(self):
        match = match_columns(["站点名称", "监测值", "日期", "联系人手机"], ITEMS, closed=[PHONE])
        assert kinds(match) == ["table-column-closed"]
        assert match.positions == (0, 1, 2)

    def test_every_finding_fills_its_sentences(self):
        match = match_columns(["日期", "日期", "备注", "联系人手机"], ITEMS, closed=[PHONE])
        assert len(set(kinds(match))) == 4
        for finding in match.findings:
            values = {"column": finding.column, "value": finding.value, **finding.params}
            assert "{" not in KINDS[finding.kind].message.format(**values)
            assert "{" not in KINDS[finding.kind].mend.format(**values)


class TestCells:
    def test_in_the_order_of_the_items(self):
        match = match_columns(["日期", "备注", "站点名称"], ITEMS)
        assert match.cells(["2026-01-01", "x", "河南岸"]) == ["河南岸", None, "2026-01-01"]

    def test_a_short_row_has_no_cell_there(self):
        assert match_columns(["站点名称", "监测值", "日期"], ITEMS).cells(["河南岸"]) == ["河南岸", None, None]


names = st.text(st.characters(codec="utf-8"), max_size=8)


class TestAnyHeader:
    @given(st.lists(names, max_size=8))
    def test_each_column_is_used_at_most_once(self, header):
        match = match_columns(header, ITEMS, closed=[PHONE])
        used = [place for place in match.positions if place is not None]
        assert len(used) == len(set(used))
        assert all(0 <= place < len(header) for place in used)
        assert len(match.missing) == kinds(match).count("table-column-missing")

    @given(st.permutations(["站点名称", "value", "日 期", "备注"]))
    def test_order_makes_no_difference(self, header):
        match = match_columns(header, ITEMS)
        assert [header[place] for place in match.positions if place is not None] == ["站点名称", "value", "日 期"]

    @given(
        st.lists(st.sampled_from([" ", "\u3000", "\u200b", "*", "\n"]), max_size=9), st.randoms(use_true_random=False)
    )
    def test_what_people_put_between_letters_makes_no_difference(self, noise, random):
        letters = list("监测值")
        for mark in noise:
            letters.insert(random.randint(0, len(letters)), mark)
        assert match_columns(["".join(letters)], ITEMS).positions == (None, 0, None)
