"""What an address asks of a table: what is understood, what is said of the rest, and that values stay values."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from ckanext.openhuizhou.data.table_query import (
    OPS,
    Filter,
    Period,
    TableQuery,
    contains_pattern,
    parse_query,
    select_sql,
)
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.findings import KINDS
from ckanext.openhuizhou.domain.items import Item

ITEMS = (
    Item("区县", "county", "string"),
    Item("年份", "year", "integer"),
    Item("投资", "cost", "currency", unit="万元"),
    Item("日期", "day", "date"),
    Item("监测时间", "measured", "datetime"),
    Item("达标", "met", "boolean"),
    Item("备注", "note", "text"),
)
MARCH_1 = datetime(2018, 3, 1, tzinfo=CITY_ZONE)
MARCH_2 = datetime(2018, 3, 2, tzinfo=CITY_ZONE)


def parsed(**args: str | list[str]) -> TableQuery:
    return parse_query("a-table", ITEMS, {name.replace("__", "."): value for name, value in args.items()})


def kinds(query: TableQuery) -> list[str]:
    return [finding.kind for finding in query.findings]


class TestParse:
    def test_nothing_asked_is_the_whole_table(self):
        query = parse_query("a-table", ITEMS, {})
        assert query == TableQuery("a-table", tuple(item.column for item in ITEMS), searched=("county", "note"))
        assert (query.narrowed, query.args, query.findings) == (False, (), ())

    @pytest.mark.parametrize(
        ("argument", "text", "expected"),
        [
            ("f.county.eq", "惠城区", Filter("county", "eq", "惠城区")),
            ("f.county.contains", " 惠城 ", Filter("county", "contains", "惠城")),
            ("f.year.ge", "2,018", Filter("year", "ge", 2018)),
            ("f.year.ge", "２０１８", Filter("year", "ge", 2018)),
            ("f.cost.lt", "1,234.50", Filter("cost", "lt", Decimal("1234.50"))),
            ("f.day.le", "2018年3月1日", Filter("day", "le", date(2018, 3, 1))),
            ("f.measured.eq", "2018-03-01", Filter("measured", "eq", Period(MARCH_1, MARCH_2))),
            ("f.measured.gt", "2018-03-01 00:00", Filter("measured", "gt", MARCH_1)),
            ("f.measured.gt", "2018-02-28T16:00:00Z", Filter("measured", "gt", MARCH_1)),
            ("f.met.eq", "是", Filter("met", "eq", value=True)),
            ("f.met.ne", "false", Filter("met", "ne", value=False)),
            ("f.note.empty", "1", Filter("note", "empty")),
            ("f.day.not_empty", "whatever", Filter("day", "not_empty")),
        ],
    )
    def test_values_have_the_type_of_their_column(self, argument: str, text: str, expected: Filter):
        query = parse_query("a-table", ITEMS, {argument: text})
        assert query.filters == (expected,)
        assert query.findings == ()
        assert query.args == ((argument, text.strip()),)
        assert query.narrowed

    @pytest.mark.parametrize(
        ("argument", "text", "kind"),
        [
            ("f.year.ge", "many", "query-value"),
            ("f.year.eq", "1.5", "query-value"),
            ("f.year.eq", "99999999999999999999", "query-value"),
            ("f.cost.eq", "无", "query-value"),
            ("f.cost.eq", "inf", "query-value"),
            ("f.day.eq", "2018-02-30", "query-value"),
            ("f.measured.le", "9999-12-31", "query-value"),
            ("f.met.eq", "maybe", "query-value"),
            ("f.county.eq", "a\x00b", "query-value"),
            ("f.county.eq", "长" * 501, "query-value"),
            ("f.year.contains", "2", "query-op"),
            ("f.met.lt", "是", "query-op"),
            ("f.county.like", "惠%", "query-op"),
            ("f.county", "惠城区", "query-column"),
            ("f.", "惠城区", "query-column"),
            ("f.nowhere.eq", "1", "query-column"),
            ('f.year" OR 1=1 --.eq', "1", "query-column"),
            ("sort", "nowhere", "query-column"),
            ("sort", "--year", "query-column"),
            ("columns", "nowhere", "query-column"),
            ("q", "a b c d e f g h i j k", "query-too-long"),
        ],
    )
    def test_what_is_not_understood_is_said_and_left_out(self, argument: str, text: str, kind: str):
        query = parse_query("a-table", ITEMS, {argument: text})
        assert kinds(query) == [kind]
        assert query.findings[0].params["argument"] == argument
        assert query == parse_query("a-table", ITEMS, {})
        assert query.args == ()

    def test_empty_fields_of_a_form_ask_for_nothing(self):
        empty = {"f.county.contains": "", "f.year.ge": " ", "q": "", "sort": "", "columns": ""}
        assert parse_query("a-table", ITEMS, empty) == parse_query("a-table", ITEMS, {})

    def test_what_belongs_to_the_page_is_none_of_its_business(self):
        assert parsed(page="7", size="50", embed="1", after="xyz").findings == ()

    def test_order_and_columns(self):
        query = parsed(sort="-year,county,year", columns=["note", "year,county"])
        assert query.sort == (("year", True), ("county", False))
        assert query.columns == ("county", "year", "note")
        assert query.args == (("columns", "county"), ("columns", "year"), ("columns", "note"), ("sort", "-year,county"))

    def test_a_request_gives_a_parameter_several_times(self):
        args = MultiDict([("f.county.eq", "惠城区"), ("f.county.eq", "惠阳区"), ("f.county.eq", "惠城区")])
        query = parse_query("a-table", ITEMS, args)
        assert query.filters == (Filter("county", "eq", "惠城区"), Filter("county", "eq", "惠阳区"))

    def test_more_than_anybody_needs_is_cut(self):
        query = parsed(f__year__ne=[str(year) for year in range(60)], sort="county,year,cost,day,met,note")
        assert len(query.filters) == 50
        assert len(query.sort) == 5
        assert kinds(query) == ["query-too-many", "query-too-many"]

    def test_a_search_needs_texts_to_look_in(self):
        query = parse_query("a-table", [Item("年份", "year", "integer")], {"q": "2018"})
        assert (query.q, query.words, kinds(query)) == ("", (), ["query-no-text"])

    def test_args_ask_for_the_same_again(self):
        query = parsed(f__year__ge="2018", f__year__le="2020", sort="-cost", q=" 污水  处理 ", columns="year,cost")
        assert parse_query("a-table", ITEMS, MultiDict(query.args)) == query

    @given(st.dictionaries(st.sampled_from([f"f.{i.column}.{op}" for i in ITEMS for op in OPS]), st.text()))
    def test_no_value_stops_it(self, args: dict[str, str]):
        query = parse_query("a-table", ITEMS, args)
        assert {finding.kind for finding in query.findings} <= KINDS.keys()
        _sql, params = select_sql(query)
        assert not any(isinstance(value, str) and "\x00" in value for value in params.values())


class TestSql:
    def test_the_whole_table(self):
        sql, params = select_sql(parsed(columns="county"))
        assert sql == 'SELECT "county" FROM "a-table" WHERE true ORDER BY _id LIMIT %(limit)s'
        assert params == {"limit": None}

    def test_values_are_bound_and_names_are_quoted(self):
        query = TableQuery('x"; DROP TABLE y; --', ('a"b%',), (Filter('a"b%', "eq", "'; DROP TABLE y; --"),))
        sql, params = select_sql(query, limit=5)
        assert sql == (
            'SELECT "a""b%%" FROM "x""; DROP TABLE y; --" WHERE ("a""b%%" = %(p0)s) ORDER BY _id LIMIT %(limit)s'
        )
        assert params == {"p0": "'; DROP TABLE y; --", "limit": 5}

    def test_comparisons(self):
        query = parsed(
            f__county__eq=["惠城区", "惠阳区"], f__year__ne="2018", f__cost__gt="1", f__note__contains="50%_a", q="a b"
        )
        sql, params = select_sql(query)
        where = sql.split(" WHERE ")[1].split(" ORDER ")[0]
        assert where == (
            '"year" IS DISTINCT FROM %(p0)s AND "cost" > %(p1)s AND "note"::text ILIKE %(p2)s'
            ' AND ("county"::text = %(p3)s OR "county"::text = %(p4)s)'
            ' AND ("county"::text ILIKE %(p5)s OR "note"::text ILIKE %(p5)s)'
            ' AND ("county"::text ILIKE %(p6)s OR "note"::text ILIKE %(p6)s)'
        )
        assert list(params.values())[:7] == [2018, Decimal(1), "%50\\%\\_a%", "惠城区", "惠阳区", "%a%", "%b%"]

    @pytest.mark.parametrize(
        ("op", "where"),
        [
            ("ge", '"measured" >= %(p0)s'),
            ("lt", '"measured" < %(p0)s'),
            ("le", '"measured" < %(p0)s'),
            ("gt", '"measured" >= %(p0)s'),
            ("eq", '(("measured" >= %(p0)s AND "measured" < %(p1)s))'),
            ("ne", '("measured" >= %(p0)s AND "measured" < %(p1)s) IS NOT TRUE'),
        ],
    )
    def test_a_day_is_all_its_moments(self, op: str, where: str):
        sql, params = select_sql(parse_query("a-table", ITEMS, {f"f.measured.{op}": "2018-03-01"}))
        assert f" WHERE {where} ORDER " in sql
        first = {"le": MARCH_2, "gt": MARCH_2}.get(op, MARCH_1)
        assert params["p0"] == first

    def test_order_is_stable_and_empty_cells_stand_last(self):
        sql, _params = select_sql(parsed(sort="-year,county"))
        assert ' ORDER BY "year" DESC NULLS LAST, "county"::text ASC NULLS LAST, _id LIMIT ' in sql

    @pytest.mark.parametrize("text", ["a", "50%", "_", "\\", "\\%", ""])
    def test_signs_of_patterns_stand_for_themselves(self, text: str):
        pattern = contains_pattern(text)
        assert pattern.startswith("%")
        assert pattern.endswith("%")
        inner = pattern[1:-1]
        for sign in ("\\\\", "\\%", "\\_"):
            inner = inner.replace(sign, "")
        assert not set(inner) & set("%_\\")
