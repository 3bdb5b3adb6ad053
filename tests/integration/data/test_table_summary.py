"""What SQL makes of a table's rows for charts is what Python makes of the same rows."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.data.table_points import MOST_PLACES, SQUARE, places_of
from ckanext.openhuizhou.data.table_query import parse_query
from ckanext.openhuizhou.data.table_reading import reading
from ckanext.openhuizhou.data.table_summary import MOST_KEYS, MOST_SERIES, merged, sample, summarise
from ckanext.openhuizhou.domain.chart_guess import MEASURES, Chart
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.coordinates import pairs_of
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import ReadTimedOut

ITEMS = (
    Item("县区", "county", "string"),
    Item("类型", "kind", "string"),
    Item("检查日期", "inspected", "date"),
    Item("监测时间", "observed", "datetime"),
    Item("年份", "year", "integer"),
    Item("是否达标", "met", "boolean"),
    Item("金额", "amount", "currency"),
    Item("件数", "count", "integer"),
    Item("经度", "longitude", "number"),
    Item("纬度", "latitude", "number"),
)
PLACES = {item.column: place for place, item in enumerate(ITEMS)}
COUNTIES = ["惠城区", "惠阳区", "博罗县", "惠东县", "龙门县", "大亚湾", "仲恺", "Ａ区", "a区", None]
Row = Sequence[Any]
Key = tuple[bool, Any, bool, Any]


def made_up_rows(count: int = 900) -> list[list[Any]]:
    """Rows with gaps, negative amounts, repeated values and a few dates far from the rest; the same each time."""
    chance = random.Random(20180301)
    rows = []
    for number in range(count):
        moment = datetime(2018, 1, 1, tzinfo=CITY_ZONE) + timedelta(hours=chance.randrange(24 * 400))
        rows.append(
            [
                chance.choice(COUNTIES),
                f"第{chance.randrange(40)}类",
                None if number % 11 == 0 else date(2016, 1, 1) + timedelta(days=chance.randrange(900)),
                None if number % 13 == 0 else moment,
                chance.randrange(2010, 2019),
                chance.choice([True, False, None]),
                None if number % 7 == 0 else Decimal(chance.randrange(-10_000, 100_000)).scaleb(-2),
                chance.choice([0, 1, 2, 3, 10**12, None]),
                None if number % 17 == 0 else Decimal(chance.randrange(1_137_000, 1_156_000)).scaleb(-4),
                None if number % 19 == 0 else Decimal(chance.randrange(222_000, 241_000)).scaleb(-4),
            ]
        )
    return rows


ROWS = made_up_rows()
X = st.sampled_from(["county", "kind", "inspected", "observed", "year", "met"])
CHARTS = st.builds(
    Chart,
    kind=st.just("bar"),
    x=X,
    y=st.sampled_from(["amount", "count"]),
    how=st.sampled_from(MEASURES),
    by=st.sampled_from(["", "kind", "met"]),
    grain=st.sampled_from(["", "day", "month", "quarter", "year"]),
    top=st.sampled_from([5, 10, 20]),
).filter(lambda chart: chart.x != chart.by)
FILTERS = st.sampled_from(
    [
        {},
        {"f.county.eq": "惠城区"},
        {"f.year.ge": "2014"},
        {"q": "第1"},
        {"f.inspected.empty": "1"},
        {"f.year.eq": "1900"},
    ]
)
PASSES: dict[str, Callable[[Row, str], bool]] = {
    "f.county.eq": lambda row, value: row[0] == value,
    "f.year.ge": lambda row, value: row[4] >= int(value),
    "q": lambda row, value: any(value in (text or "") for text in row[:2]),
    "f.inspected.empty": lambda row, _value: row[2] is None,
    "f.year.eq": lambda row, value: row[4] == int(value),
}


@pytest.fixture(scope="module")
def table() -> Iterator[str]:
    resource_id = str(uuid.uuid4())
    tables.publish_table(tables.stage_table(resource_id, ITEMS, ROWS), "a-package")
    yield resource_id
    tables.drop_table(resource_id)


def picked(args: dict[str, str]) -> list[Row]:
    return [row for row in ROWS if all(PASSES[name](row, value) for name, value in args.items())]


def step(value: Any, grain: str) -> str | None:
    """A moment's step of time as the chart writes it."""
    if value is None:
        return None
    if isinstance(value, datetime):
        value = value.astimezone(CITY_ZONE)
    form = {"hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
    if grain == "quarter":
        return f"{value:%Y}Q{(value.month - 1) // 3 + 1}"
    return f"{value:{form[grain]}}"


def text_of(row: Row, column: str, grain: str) -> str | None:
    value = row[PLACES[column]]
    if grain:
        return step(value, grain)
    return value if value is None or isinstance(value, str) else str(value).lower()


def figure(rows: list[Row], column: str, how: str) -> Decimal | None:
    values = [Decimal(row[PLACES[column]]) for row in rows if row[PLACES[column]] is not None]
    if how == "count":
        return Decimal(len(rows))
    if not values:
        return None
    return {"sum": sum, "min": min, "max": max, "mean": lambda all_: sum(all_) / len(all_)}[how](values)


def ranked(groups: dict[Any, list[Row]], weight: Callable[[list[Row]], Any]) -> list[Any]:
    """Keys from the heaviest; equal ones in the order of their bytes; no figure and no key last."""

    def order(key: Any) -> tuple[Any, ...]:
        known = weight(groups[key])
        return (known is None, -known if known is not None else 0, key is None, (key or "").encode())

    return sorted(groups, key=order)


def expected(rows: list[Row], chart: Chart, grain: str) -> dict[Key, Decimal | None]:
    """The chart's figures, by whether the key is of the others, the key, and the same of the series."""
    ordered = chart.x in ("inspected", "observed", "year")
    keys: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        keys[text_of(row, chart.x, grain)].append(row)
    if ordered:
        keys.pop(None, None)
        shown = sorted(keys)[-(100 if chart.by else MOST_KEYS) :]
    else:
        shown = ranked(keys, lambda group: figure(group, chart.y, chart.how))[: chart.top]
    lines: dict[Any, list[Row]] = defaultdict(list)
    for group in keys.values():
        for row in group:
            lines[text_of(row, chart.by, "") if chart.by else None].append(row)
    drawn_apart = ranked(lines, lambda group: Decimal(len(group)))[:MOST_SERIES]
    found: dict[Key, list[Row]] = defaultdict(list)
    for key, group in keys.items():
        others = key not in shown
        if others and ordered:
            continue
        for row in group:
            line = text_of(row, chart.by, "") if chart.by else None
            beyond = line not in drawn_apart
            found[others, None if others else key, beyond, None if beyond else line].append(row)
    return {place: figure(group, chart.y, chart.how) for place, group in found.items()}


@pytest.mark.usefixtures("with_plugins")
class TestSummarise:
    @settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(chart=CHARTS, args=FILTERS)
    def test_groups_are_those_of_the_rows(self, table: str, chart: Chart, args: dict[str, str]):
        summary = summarise(parse_query(table, ITEMS, args), chart, ITEMS)
        rows = picked(args)
        found = {(g.others, g.key, g.other_series, g.series): g.value(chart.how) for g in summary.groups}
        assert found == expected(rows, chart, summary.grain)
        assert len(found) == len(summary.groups)
        if summary.groups:
            assert summary.rows == len(rows)

    def test_the_largest_come_first_and_others_last(self, table: str):
        chart = Chart("bar", "kind", "amount", how="sum", top=5)
        groups = summarise(parse_query(table, ITEMS, {}), chart, ITEMS).groups
        values = [group.value("sum") for group in groups[:-1]]
        assert values == sorted(values, reverse=True)
        assert [group.others for group in groups] == [False] * 5 + [True]

    def test_time_runs_forward_and_rows_without_it_are_counted(self, table: str):
        summary = summarise(parse_query(table, ITEMS, {}), Chart("line", "inspected", grain="month"), ITEMS)
        keys = [group.key for group in summary.groups]
        assert keys == sorted(keys)
        assert summary.grain == "month"
        assert summary.without == sum(row[2] is None for row in ROWS)

    def test_more_steps_than_can_be_drawn_are_made_coarser(self, table: str):
        summary = summarise(parse_query(table, ITEMS, {}), Chart("line", "inspected", grain="day"), ITEMS)
        assert summary.grain == "month"
        narrowed = {"f.inspected.ge": "2017-01-01", "f.inspected.lt": "2017-07-01"}
        assert summarise(parse_query(table, ITEMS, narrowed), Chart("line", "inspected"), ITEMS).grain == "day"

    def test_spellings_can_be_put_together(self, table: str):
        chart = Chart("bar", "county", "amount", how="mean", top=100)
        groups = summarise(parse_query(table, ITEMS, {}), chart, ITEMS).groups
        both = merged((group for group in groups if group.key in ("惠城区", "惠阳区")), "惠")
        rows = [row for row in ROWS if row[0] in ("惠城区", "惠阳区")]
        assert both is not None
        assert [both.value(how) for how in MEASURES] == [figure(rows, "amount", how) for how in MEASURES]

    def test_what_was_counted_is_kept_under_the_tables_digest(self, resource_id: str):
        chart = Chart("bar", "county")
        query = parse_query(resource_id, ITEMS, {})
        for rows, digest in ((ROWS[:10], "one"), (ROWS[:20], "other")):
            tables.publish_table(tables.stage_table(resource_id, ITEMS, rows), "a-package")
            assert summarise(query, chart, ITEMS, digest).rows == len(rows)
        tables.drop_table(resource_id)
        assert summarise(query, chart, ITEMS, "one").rows == 10
        with pytest.raises(LookupError):
            summarise(query, chart, ITEMS)


@pytest.mark.usefixtures("with_plugins")
class TestSample:
    def test_few_rows_are_all_there(self, table: str):
        args = {"f.county.eq": "惠城区"}
        points = sample(parse_query(table, ITEMS, args), Chart("scatter", "amount", "count", how=""))
        both = [(row[6], row[7]) for row in picked(args) if row[6] is not None and row[7] is not None]
        assert points.pairs == tuple(both)
        assert (points.rows, points.without, points.stride) == (len(both), len(picked(args)) - len(both), 1)

    def test_many_are_picked_evenly(self, table: str):
        points = sample(parse_query(table, ITEMS, {}), Chart("scatter", "amount", "count", how=""))
        both = [(row[6], row[7]) for row in ROWS if row[6] is not None and row[7] is not None]
        assert points.stride == -(-len(both) // MOST_KEYS) > 1
        assert points.pairs == tuple(both[:: points.stride])


@pytest.mark.usefixtures("with_plugins")
class TestPlaces:
    def test_rows_inside_are_drawn_and_the_rest_is_counted(self, table: str):
        pair = pairs_of(ITEMS)[0]
        places = places_of(parse_query(table, ITEMS, {}), pair, "kind", "amount")
        known = [row for row in ROWS if row[8] is not None and row[9] is not None]
        inside = [row for row in known if 113.77 <= float(row[8]) <= 115.55 and 22.3 <= float(row[9]) <= 24.05]
        assert (places.rows, places.without, places.outside) == (
            len(ROWS), len(ROWS) - len(known), len(known) - len(inside),
        )  # fmt: skip
        assert places.outside > 0
        drawn = [(place.longitude, place.latitude, place.label, place.value, place.rows) for place in places.places]
        assert drawn == [(float(row[8]), float(row[9]), row[1], row[6], 1) for row in inside]

    def test_too_many_become_squares(self, resource_id: str):
        chance = random.Random(7)
        rows = []
        for _ in range(MOST_PLACES + 1):
            longitude, latitude = chance.randrange(11_400, 11_500), chance.randrange(2_250, 2_350)
            rows.append([*ROWS[0][:8], Decimal(longitude).scaleb(-2), Decimal(latitude).scaleb(-2)])
        tables.publish_table(tables.stage_table(resource_id, ITEMS, rows), "a-package")
        places = places_of(parse_query(resource_id, ITEMS, {}), pairs_of(ITEMS)[0])
        squares: dict[tuple[int, int], int] = defaultdict(int)
        for row in rows:
            squares[int(row[8] / Decimal(str(SQUARE))), int(row[9] / Decimal(str(SQUARE)))] += 1
        assert places.squares
        assert sorted(place.rows for place in places.places) == sorted(squares.values())
        assert sum(place.rows for place in places.places) == len(rows)

    def test_changed_places_are_told(self, resource_id: str):
        rows = [[*ROWS[0][:8], Decimal("23.1"), Decimal("114.4")], [*ROWS[0][:8], Decimal("114.4"), Decimal("23.1")]]
        tables.publish_table(tables.stage_table(resource_id, ITEMS, rows), "a-package")
        places = places_of(parse_query(resource_id, ITEMS, {}), pairs_of(ITEMS)[0])
        assert (places.inside, places.outside, places.swapped) == (1, 1, 1)


@pytest.mark.usefixtures("with_plugins")
class TestReading:
    def test_a_statement_that_takes_too_long_is_ended(self):
        with pytest.raises(ReadTimedOut), reading(50) as connection:
            connection.exec_driver_sql("SELECT pg_sleep(30)")

    def test_nothing_can_be_written(self, table: str):
        with pytest.raises(Exception, match="permission denied"), reading() as connection:
            connection.exec_driver_sql(f'DELETE FROM "{table}"')
