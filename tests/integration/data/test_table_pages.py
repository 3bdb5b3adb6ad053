"""Pages of a real table: each row once, in order, from every place, and without reading what lies before it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from ckanext.datastore.backend.postgres import get_read_engine, get_write_engine

from ckanext.openhuizhou.data import table_pages, tables
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.data.table_pages import END, Page, Place, page
from ckanext.openhuizhou.data.table_query import TableQuery, parse_query
from ckanext.openhuizhou.domain.items import Item

ITEMS = [
    Item("序号", "number", "integer"),
    Item("区县", "county", "string"),
    Item("投资", "cost", "number"),
    Item("日期", "day", "date"),
    Item("监测时间", "measured", "datetime"),
    Item("备注", "note", "text"),
]
COUNTIES = ("惠城区", "惠阳区", "博罗县", None)
ROWS: list[list[Any]] = [
    [
        number,
        COUNTIES[number % 4],
        None if number % 5 == 0 else number % 3,
        None if number % 7 == 0 else f"2018-03-{number % 4 + 1:02}",
        f"2018-03-{number % 4 + 1:02} {number % 24:02}:30",
        f"第{number}行 50%_off" if number % 6 == 0 else f"说明 {number}",
    ]
    for number in range(37)
]
MANY = 50_000
DIGEST = "0123456789abcdef"


@pytest.fixture(scope="module")
def ids() -> dict[str, str]:
    """Tables that the tests of this module read, by name; made by the first test that asks."""
    return {}


@pytest.fixture
def small(with_plugins: None, ids: dict[str, str]) -> str:
    return ids.get("small") or ids.setdefault("small", published(ROWS))


@pytest.fixture
def large(with_plugins: None, ids: dict[str, str]) -> str:
    rows = ([i, COUNTIES[i % 4], i % 1000, "2018-03-01", None, f"说明 {i}"] for i in range(MANY))
    return ids.get("large") or ids.setdefault("large", published(rows))


@pytest.fixture(scope="module", autouse=True)
def cleaned(ids: dict[str, str]) -> Iterator[None]:
    yield
    for resource_id in ids.values():
        tables.drop_table(resource_id)


def published(rows: Any) -> str:
    resource_id = str(uuid.uuid4())
    tables.publish_table(tables.stage_table(resource_id, ITEMS, rows), "a-package")
    return resource_id


def asked(resource_id: str, **args: Any) -> TableQuery:
    query = parse_query(resource_id, columns_of(resource_id), {k.replace("__", "."): v for k, v in args.items()})
    assert query.findings == ()
    return query


def numbers(found: Page) -> list[int]:
    return [row[0] for row in found.rows]


def walked(query: TableQuery, size: int, start: Place, way: str) -> list[Page]:
    """The pages that a reader comes by who follows one link."""
    pages = [page(query, start, size, DIGEST)]
    while (link := getattr(pages[-1], way)) is not None:
        name, value = link
        place = Place(number=int(value)) if name == "page" else Place(**{name: value})
        pages.append(page(query, place, size, DIGEST))
        assert len(pages) < 50, "it goes on for ever"
    return pages


def in_order(sort: str) -> list[int]:
    """The numbers of all rows as Python sorts them: stable, empty cells last."""
    rows = list(ROWS)
    for part in reversed(sort.split(",")):
        column = [item.column for item in ITEMS].index(part.removeprefix("-"))
        filled = [row for row in rows if row[column] is not None]
        filled.sort(key=lambda row: row[column], reverse=part.startswith("-"))
        rows = filled + [row for row in rows if row[column] is None]
    return [row[0] for row in rows]


@contextmanager
def statements() -> Iterator[list[str]]:
    """What the reading role is asked meanwhile, with its values."""
    told: list[str] = []

    def listen(_connection, cursor, statement, parameters, _context, _many):
        told.append(cursor.mogrify(statement, parameters or None).decode())

    sa.event.listen(get_read_engine(), "before_cursor_execute", listen)
    yield told
    sa.event.remove(get_read_engine(), "before_cursor_execute", listen)


def plan(statement: str) -> str:
    with get_write_engine().connect() as connection:
        return "\n".join(connection.exec_driver_sql("EXPLAIN " + statement.replace("%", "%%")).scalars())


class TestOwnOrder:
    def test_each_row_stands_on_one_page(self, small: str):
        pages = walked(asked(small), 10, Place(), "next")
        assert [number for found in pages for number in numbers(found)] == list(range(37))
        assert [(found.number, found.pages, found.start, found.total) for found in pages] == [
            (1, 4, 1, 37), (2, 4, 11, 37), (3, 4, 21, 37), (4, 4, 31, 37),
        ]  # fmt: skip
        back = walked(asked(small), 10, Place(number=4), "previous")
        assert [found.rows for found in back] == [found.rows for found in reversed(pages)]

    @pytest.mark.parametrize(("number", "shown"), [(99, 4), (0, 1), (-5, 1)])
    def test_a_number_beyond_the_table_is_its_end(self, small: str, number: int, shown: int):
        found = page(asked(small), Place(number=number), 10)
        assert found.number == shown
        assert found.rows

    def test_only_the_chosen_columns_are_read(self, small: str):
        assert page(asked(small, columns="note,county"), Place(), 10).rows[0] == ("惠城区", "第0行 50%_off")

    @pytest.mark.parametrize("number", [1, 900, 1000])
    def test_no_page_reads_what_lies_before_it(self, large: str, number: int):
        with statements() as told:
            found = page(asked(large), Place(number=number), 50)
        assert numbers(found) == list(range((number - 1) * 50, number * 50))
        reads = [statement for statement in told if f'FROM "{large}"' in statement]
        assert reads
        for statement in reads:
            assert "Seq Scan" not in plan(statement), statement
            assert "Sort" not in plan(statement), statement

    def test_rows_that_were_deleted_by_hand_leave_no_holes(self, with_plugins):
        resource_id = published(ROWS)
        with get_write_engine().begin() as connection:
            table = sa.table(resource_id, sa.column("_id"))
            connection.execute(sa.delete(table).where(table.c._id.in_([1, 2, 3, 15])))
            connection.exec_driver_sql(f'COMMENT ON TABLE "{resource_id}" IS NULL')
        pages = walked(asked(resource_id), 10, Place(), "next")
        assert [len(found.rows) for found in pages] == [10, 10, 10, 3]
        assert [n for found in pages for n in numbers(found)] == [n for n in range(3, 37) if n != 14]
        tables.drop_table(resource_id)

    def test_an_empty_table(self, with_plugins):
        resource_id = published([])
        found = page(asked(resource_id), Place(), 10)
        assert (found.rows, found.total, found.pages, found.start, found.next, found.last) == (
            (),
            0,
            1,
            None,
            None,
            None,
        )
        found = page(asked(resource_id, sort="cost"), Place(before=END), 10)
        assert (found.rows, found.total, found.next, found.previous) == ((), 0, None, None)
        tables.drop_table(resource_id)

    def test_a_table_that_is_gone(self, with_plugins):
        query = TableQuery(str(uuid.uuid4()), ("county",))
        for place, sort in ((Place(), ()), (Place(), (("county", True),))):
            with pytest.raises(LookupError):
                page(TableQuery(query.resource_id, query.columns, sort=sort), place, 10)

    def test_a_text_that_nobody_reads_in_a_table_is_cut(self, with_plugins):
        resource_id = published([[1, None, None, None, None, "长" * 5000]])
        note = page(asked(resource_id), Place(), 10).rows[0][5]
        assert len(note) == table_pages.TEXT_SHOWN + 1
        tables.drop_table(resource_id)


class TestKeyset:
    @pytest.mark.parametrize(
        "sort", ["number", "-number", "county", "-county", "cost", "-cost", "-cost,day", "day,-county,cost", "measured"]
    )
    def test_each_row_once_in_order_forward_and_back(self, small: str, sort: str):
        query = asked(small, sort=sort)
        there = walked(query, 5, Place(), "next")
        assert [n for found in there for n in numbers(found)] == in_order(sort)
        assert [found.start for found in there] == list(range(1, 38, 5))
        assert {(found.total, found.at_least) for found in there} == {(37, False)}
        back = walked(query, 5, Place(before=END), "previous")
        rows = [n for found in reversed(back[:-1]) for n in numbers(found)]
        assert rows == in_order(sort)[37 - len(rows) :]
        assert numbers(back[-1]) == numbers(there[0]), "whoever goes back far enough is at the beginning"
        assert back[0].start == 33

    def test_a_page_leads_back_to_the_one_before(self, small: str):
        query = asked(small, sort="-cost")
        first = page(query, Place(), 5, DIGEST)
        second = page(query, Place(after=first.next[1]), 5, DIGEST)  # type: ignore[index]
        third = page(query, Place(after=second.next[1]), 5, DIGEST)  # type: ignore[index]
        again = page(query, Place(before=third.previous[1]), 5, DIGEST)  # type: ignore[index]
        assert (again.rows, again.start) == (second.rows, second.start)
        assert again.next == second.next

    def test_rows_that_were_picked_keep_the_tables_order(self, small: str):
        pages = walked(asked(small, f__county__eq="惠城区"), 4, Place(), "next")
        assert [n for found in pages for n in numbers(found)] == list(range(0, 37, 4))
        assert {found.total for found in pages} == {10}

    def test_more_than_anybody_counts(self, small: str, monkeypatch):
        monkeypatch.setattr(table_pages, "MOST_COUNTED", 20)
        found = page(asked(small, f__number__ge="0"), Place(), 5)
        assert (found.total, found.at_least) == (20, True)
        last = page(asked(small, f__number__ge="0"), Place(before=END), 5)
        assert (last.start, numbers(last)) == (None, [32, 33, 34, 35, 36])

    @pytest.mark.parametrize(
        "cursor", ["ffffffff-3-5", "01234567-9999-5", "01234567", "x", "01234567-3-5-7", "' OR 1=1"]
    )
    def test_a_link_of_another_load_begins_anew_and_says_so(self, small: str, cursor: str):
        query = asked(small, sort="cost")
        found = page(query, Place(after=cursor), 5, DIGEST)
        assert [finding.kind for finding in found.findings] == ["query-cursor"]
        assert found.rows == page(query, Place(), 5, DIGEST).rows


class TestOtherProgramsTables:
    def test_columns_of_any_type_are_sorted_and_compared_as_their_text(self, with_plugins):
        resource_id = str(uuid.uuid4())
        with get_write_engine().begin() as connection:
            connection.exec_driver_sql(
                f'CREATE TABLE "{resource_id}" (_id serial PRIMARY KEY, "50%% ""a""" json, tags text[], span interval);'
                f' INSERT INTO "{resource_id}" ("50%% ""a""", tags) SELECT \'{{"a": 1}}\', ARRAY[n::text] FROM'
                " generate_series(1, 9) n"
            )
        for item in columns_of(resource_id):
            for args in ({"sort": item.column}, {"sort": f"-{item.column}"}, {"q": "1"}):
                pages = walked(parse_query(resource_id, columns_of(resource_id), args), 4, Place(), "next")
                assert sum(len(found.rows) for found in pages) == 9
            for op in ("eq", "ne", "lt", "contains", "empty"):
                query = parse_query(resource_id, columns_of(resource_id), {f"f.{item.column}.{op}": "1"})
                assert query.findings == ()
                page(query, Place(), 4)
        tables.drop_table(resource_id)


class TestFilters:
    @pytest.mark.parametrize(
        ("args", "expected"),
        [
            ({"f.county.eq": ["惠城区", "惠阳区"]}, lambda row: row[1] in ("惠城区", "惠阳区")),
            ({"f.county.ne": "惠城区"}, lambda row: row[1] != "惠城区"),
            ({"f.county.contains": "惠"}, lambda row: row[1] and "惠" in row[1]),
            ({"f.county.empty": "1"}, lambda row: row[1] is None),
            ({"f.county.not_empty": "1", "f.cost.empty": "1"}, lambda row: row[1] is not None and row[2] is None),
            ({"f.cost.ge": "1", "f.cost.lt": "2.0"}, lambda row: row[2] == 1),
            ({"f.number.gt": "30"}, lambda row: row[0] > 30),
            ({"f.day.le": "2018-03-02"}, lambda row: row[3] and row[3] <= "2018-03-02"),
            ({"f.measured.eq": "2018-03-02"}, lambda row: row[4].startswith("2018-03-02")),
            ({"f.measured.ne": "2018-03-02"}, lambda row: not row[4].startswith("2018-03-02")),
            ({"f.measured.le": "2018-03-02"}, lambda row: row[4] < "2018-03-03"),
            ({"f.measured.gt": "2018-03-02"}, lambda row: row[4] >= "2018-03-03"),
            ({"f.measured.ge": "2018-03-04 10:00"}, lambda row: row[4] >= "2018-03-04 10"),
            ({"f.note.contains": "50%_OFF"}, lambda row: "50%_off" in row[5]),
            ({"f.note.contains": "%"}, lambda row: "%" in row[5]),
            ({"q": "惠城 说明"}, lambda row: row[1] == "惠城区" and "说明" in row[5]),
            ({"q": "说 2"}, lambda row: "说" in row[5] and "2" in row[5]),
            ({"q": "_"}, lambda row: "_" in row[5]),
        ],
    )
    def test_the_rows_that_were_asked_for(self, small: str, args: dict[str, Any], expected):
        query = parse_query(small, columns_of(small), args)
        assert query.findings == ()
        found = page(query, Place(), 100)
        assert numbers(found) == [row[0] for row in ROWS if expected(row)]
        assert found.total == len(found.rows)
        assert found.rows
