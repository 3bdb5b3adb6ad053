"""What a table's columns hold, counted by the database: the same as counted by hand, in every way of counting."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from statistics import fmean
from typing import Any

import pytest

from ckanext.openhuizhou.data import datastore_tables, profile, profile_passes, tables
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.column_profile import QUANTILES, SHOWN_QUANTILES, ColumnProfile, as_text
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.model import table_profile

ITEMS = (
    Item("编号", "code", "string", is_key=True),
    Item("类别", "kind", "string"),
    Item("数量", "count", "integer"),
    Item("投资", "cost", "currency", unit="万元"),
    Item("日期", "day", "date"),
    Item("时间", "moment", "datetime"),
    Item("有效", "valid", "boolean"),
    Item("备注", "note", "text"),
    Item("空", "nothing", "number"),
)
ROWS = 2000
#: Ways of counting: all values, or by the database alone.
WAYS = {"few values": {}, "many values": {"few_values": 0}, "many after all": {"most_fetched": 3}}


def made_rows(seed: int = 5) -> list[list[Any]]:
    rng = random.Random(seed)
    first = datetime(2017, 1, 1, tzinfo=CITY_ZONE)
    return [
        [
            f"演示{number:05}",
            rng.choice(["餐饮", "零售", "旅游"]),
            rng.randrange(1, 60),
            Decimal(rng.randrange(1, 10**6)) / 100,
            date(2015, 1, 1) + timedelta(days=rng.randrange(900)),
            first + timedelta(minutes=rng.randrange(500_000)),
            rng.random() < 0.3,
            None if rng.random() < 0.4 else f"一行\n“{rng.randrange(40)}”%s:x",
            None,
        ]
        for number in range(ROWS)
    ]


DATA = made_rows()


@pytest.fixture
def published(resource_id: str) -> Iterator[str]:
    load(resource_id, DATA)
    yield resource_id
    table_profile.forget(resource_id)


def load(resource_id: str, rows: list[list[Any]], items: tuple[Item, ...] = ITEMS) -> None:
    tables.publish_table(tables.stage_table(resource_id, items, rows), "a-package")


def counted(resource_id: str) -> dict[str, ColumnProfile]:
    profile.derive(resource_id)
    kept = profile.current(resource_id)
    assert kept is not None
    return {values["column"]: ColumnProfile.from_dict(values) for values in kept.columns}


def cells(column: str, rows: list[list[Any]] = DATA) -> list[Any]:
    place = [item.column for item in ITEMS].index(column)
    return [row[place] for row in rows if row[place] is not None]


@pytest.fixture(params=sorted(WAYS))
def columns(request: pytest.FixtureRequest, with_plugins: None) -> dict[str, ColumnProfile]:
    return counted_in(request.param)


@cache
def counted_in(way: str) -> dict[str, ColumnProfile]:
    """Once for the module: one table, counted in one way, and dropped."""
    resource_id = str(uuid.uuid4())
    load(resource_id, DATA)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(profile, "FEW_VALUES", WAYS[way].get("few_values", profile.FEW_VALUES))
            patch.setattr(profile_passes, "MOST_FETCHED", WAYS[way].get("most_fetched", profile_passes.MOST_FETCHED))
            return counted(resource_id)
    finally:
        tables.drop_table(resource_id)
        table_profile.forget(resource_id)


class TestCounts:
    def test_nulls_and_different_values(self, columns):
        for item in ITEMS:
            values = cells(item.column)
            told = columns[item.column]
            assert (told.nulls, told.distinct, told.estimated) == (ROWS - len(values), len(set(values)), False)

    def test_ends_and_quantiles(self, columns):
        for column in ("count", "cost", "day", "moment"):
            values, told = sorted(cells(column)), columns[column]
            assert (told.minimum, told.maximum) == (text(values[0]), text(values[-1]))
            for share in SHOWN_QUANTILES:
                assert told.quantiles[str(share)] == text(values[int(-(-share * len(values) // 1)) - 1])

    def test_mean(self, columns):
        for column in ("count", "cost"):
            assert float(columns[column].mean or "nan") == pytest.approx(fmean(map(float, cells(column))))

    def test_every_value_is_in_the_histogram(self, columns):
        for column in ("count", "cost", "day", "moment"):
            histogram, values = columns[column].histogram, cells(column)
            assert histogram is not None
            assert sum(histogram.counts) + histogram.below + histogram.above == len(values)
            read = type(values[0]) if column in ("count", "cost") else type(values[0]).fromisoformat
            edges = [read(edge) for edge in histogram.edges]
            for number, count in enumerate(histogram.counts):
                assert count == sum(edges[number] <= value < edges[number + 1] for value in values)

    def test_most_frequent_values(self, columns):
        for column in ("kind", "valid", "note", "count"):
            frequent = Counter(cells(column))
            assert columns[column].top
            for value, count in columns[column].top:
                assert count == next(n for one, n in frequent.items() if text(one) == value)
            assert columns[column].top[0][1] == max(frequent.values())
            assert columns[column].examples == tuple(value for value, _count in columns[column].top[:3])

    def test_a_column_where_every_row_has_another_value(self, columns):
        assert columns["code"].top == ()
        assert columns["code"].examples == ("演示00000", "演示00001", "演示00002")

    def test_lengths_of_texts(self, columns):
        lengths = [len(value) for value in cells("note")]
        told = columns["note"].lengths
        assert told is not None
        assert (told[0], told[2]) == (min(lengths), max(lengths))
        assert told[1] == pytest.approx(fmean(lengths))

    def test_an_empty_column(self, columns):
        told = columns["nothing"]
        assert (told.nulls, told.distinct, told.minimum, told.histogram, told.top) == (ROWS, 0, None, None, ())


def text(value: Any) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, Decimal) else as_text(value)


class TestOncePerLoad:
    def test_it_is_not_counted_again_while_nothing_changed(self, published):
        counted(published)
        first = profile.current(published)
        assert first is not None
        made_at = first.made_at
        load(published, DATA)
        profile.derive(published)
        again = profile.current(published)
        assert again is not None
        assert again.made_at == made_at

    def test_a_new_load_has_none_until_it_is_counted(self, published):
        counted(published)
        load(published, DATA[:5])
        assert profile.current(published) is None
        assert counted(published)["code"].distinct == 5

    def test_a_column_that_becomes_sensitive_is_counted_again(self, published):
        assert counted(published)["kind"].top
        closed = tuple(Item(i.name, i.column, i.data_type, sensitivity="internal") for i in ITEMS)
        load(published, DATA, closed)
        assert profile.current(published) is None
        assert counted(published)["kind"] == ColumnProfile(
            "kind", "类别", "string", "", nulls=0, distinct=3, withheld="sensitivity"
        )

    def test_a_table_that_is_swapped_meanwhile_is_left_to_its_own_job(self, published, monkeypatch):
        count = profile.profile

        def swapped_meanwhile(resource_id: str, rows: int) -> profile.Made:
            made = count(resource_id, rows)
            load(resource_id, DATA[:7])
            return made

        monkeypatch.setattr(profile, "profile", swapped_meanwhile)
        profile.derive(published)
        assert table_profile.profile_of(published) is None

    def test_columns_that_go_meanwhile(self, published, monkeypatch):
        count = profile_passes.Passes.totals

        def swapped_meanwhile(passes: profile_passes.Passes) -> list[dict[str, Any]]:
            totals = count(passes)
            load(published, [["甲"]], (Item("名称", "name", "string"),))
            return totals

        monkeypatch.setattr(profile_passes.Passes, "totals", swapped_meanwhile)
        profile.derive(published)
        assert table_profile.profile_of(published) is None

    def test_no_table_no_profile(self, resource_id):
        profile.derive(resource_id)
        assert table_profile.profile_of(resource_id) is None

    def test_a_table_that_is_dropped_takes_its_profile_along(self, published):
        counted(published)
        tables.drop_table(published)
        assert table_profile.profile_of(published) is None

    def test_a_load_waits_for_no_more_than_a_pass(self, published):
        """No pass leaves a transaction open that would keep the table from being swapped."""
        profile.profile(published, ROWS)
        load(published, DATA[:3])
        mark = datastore_tables.live_mark(published)
        assert mark is not None
        assert mark["rows"] == 3


class TestLargeTables:
    def test_a_sample_is_said_to_be_one(self, published):
        made = profile.profile(published, ROWS, sampled_above=1000, sample=500)
        assert made.sampled is not None
        assert 0 < made.sampled < ROWS
        by_column = {column.column: column for column in made.columns}
        assert by_column["code"].estimated
        assert by_column["code"].distinct == pytest.approx(ROWS, rel=0.2)
        assert by_column["count"].minimum is not None
        assert (
            sum(
                by_column["kind"].histogram.counts
                if by_column["kind"].histogram
                else [c for _, c in by_column["kind"].top]
            )
            == made.sampled
        )

    def test_values_beyond_the_limit_are_estimated(self, published, monkeypatch):
        monkeypatch.setattr(profile, "FEW_VALUES", 0)
        monkeypatch.setattr(profile_passes, "EXACT_VALUES", 100)
        told = counted(published)
        assert (told["code"].estimated, told["kind"].estimated) == (True, False)
        assert told["code"].distinct == pytest.approx(ROWS, rel=0.2)

    def test_more_columns_than_one_statement_takes(self, resource_id):
        items = tuple(Item(f"列{number}", f"c{number}", "integer") for number in range(75))
        load(resource_id, [[number + row for number in range(75)] for row in range(20)], items)
        told = counted(resource_id)
        assert [told[f"c{number}"].minimum for number in range(75)] == [str(number) for number in range(75)]
        assert all(one.distinct == 20 for one in told.values())
        table_profile.forget(resource_id)

    def test_a_table_without_rows(self, resource_id):
        load(resource_id, [])
        assert {one.distinct for one in counted(resource_id).values()} == {0}
        table_profile.forget(resource_id)


class TestPersons:
    def test_names_and_numbers_are_not_put_on_show(self, resource_id):
        items = (
            Item("法定代表人", "person", "string"),
            Item("联系电话", "phone", "string"),
            Item("备注", "note", "string"),
            Item("企业名称", "name", "string"),
        )
        rows: list[list[Any]] = [
            ["演示甲", "0752-0000000", "电话 13800000000" if n < 3 else f"单号 2600000{n // 20:04}", "演示企业"]
            for n in range(60)
        ]
        load(resource_id, rows, items)
        told = counted(resource_id)
        assert [(told[name].withheld, told[name].top, told[name].examples) for name in ("person", "phone")] == [
            ("personal-data", (), ()),
            ("personal-data", (), ()),
        ]
        assert (told["person"].distinct, told["phone"].distinct) == (1, 1)
        assert told["note"].top == (("单号 26000000001", 20), ("单号 26000000002", 20), ("单号 26000000000", 17))
        assert told["name"].top == (("演示企业", 60),)
        table_profile.forget(resource_id)


def test_the_outermost_quantiles_bound_the_histogram_only():
    assert set(SHOWN_QUANTILES) < set(QUANTILES)
