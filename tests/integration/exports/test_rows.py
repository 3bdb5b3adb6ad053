"""What the database copies is what the loader would have written; and how long it is kept from others."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from ckanext.datastore.backend.postgres import get_write_engine
from hypothesis import HealthCheck, Phase, example, given, settings
from tests.unit.exports.laid import COLUMNS, ROWS, canonical

from ckanext.openhuizhou.data import datastore_tables, export_files, files, tables
from ckanext.openhuizhou.domain.cell_types import to_text
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.exports import csv_file
from ckanext.openhuizhou.exports.rows import FORMULA_STARTS, rows_of

from .conftest import query_of

WORDS = [Item("词", "word", "string"), Item("数", "n", "integer")]
#: PostgreSQL writes no zeros at the end of a second's parts.
_END_ZEROS = re.compile(r"(?<=[1-9])0+(?=[+-]\d\d:\d\d(?::\d\d)?$)(?<=\.\d{6})")
_BEGAN = datetime(1900, 12, 31, 15, 54, 17, tzinfo=UTC)
WHEN_ZONES_BEGAN = [(_BEGAN + timedelta(seconds=seconds)).astimezone(CITY_ZONE) for seconds in (-1, 0, 1, 3600)]


def cells(query, **options):
    with rows_of(query, **options) as rows:
        return [row for batch in rows.batches() for row in batch]


def sessions() -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE 'COPY (SELECT%'"
    with get_write_engine().connect() as connection:
        return connection.execute(sa.text(query)).scalar_one()


class TestSpelling:
    # each example is a load: no shrinking
    @settings(
        max_examples=10,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(rows=ROWS)
    @example(rows=[(None, None, None, None, moment, None) for moment in WHEN_ZONES_BEGAN])
    def test_cells_are_spelled_as_the_loader_spells_them(self, published, rows):
        texts = [[canonical(to_text(value) if isinstance(value, str) else value) for value in row] for row in rows]
        texts = [[*row[:4], row[4] and _END_ZEROS.sub("", row[4]), row[5]] for row in texts]
        resource_id = published(COLUMNS, rows)
        try:
            assert cells(query_of(resource_id)) == texts
        finally:
            tables.drop_table(resource_id)

    @pytest.mark.parametrize("harmless", [True, False])
    def test_formulas_get_an_apostrophe_where_the_reader_wants_it(self, published, harmless):
        words = [f"{sign}1" for sign in FORMULA_STARTS if sign.strip()]
        resource_id = published(WORDS, [[word, -1] for word in [*words, "甲=1", None]])
        found = cells(query_of(resource_id), harmless=harmless)
        before = "'" if harmless else ""
        assert found == [*([f"{before}{word}", "-1"] for word in words), ["甲=1", "-1"], [None, "-1"]]

    def test_a_column_of_nothing_keeps_its_rows(self, published):
        resource_id = published(WORDS[:1], [["甲"], [None], ["乙"]])
        assert cells(query_of(resource_id)) == [["甲"], [None], ["乙"]]


class TestQuery:
    def test_columns_filters_and_order_are_the_querys(self, published):
        resource_id = published(WORDS, [["甲", 1], ["乙", 2], ["甲", 3], ["甲", 2]])
        query = query_of(resource_id, **{"f.word.eq": "甲", "sort": "-n", "columns": "n"})
        assert cells(query) == [["3"], ["2"], ["1"]]

    def test_a_table_that_is_gone_is_said_before_the_first_byte(self, published):
        query = query_of(published(WORDS, [["甲", 1]]))
        tables.drop_table(query.resource_id)
        with pytest.raises(LookupError), rows_of(query):
            pass

    def test_the_whole_table_as_csv_holds_what_the_published_file_holds(self, published):
        resource_id = published(WORDS, [["甲，“乙”", 1], ['"两\n行"', None]])
        with rows_of(query_of(resource_id)) as rows:
            content = b"".join(csv_file.write(rows)).decode()
        assert content.replace('"', "") == files.published_file(resource_id).read_bytes().decode().replace(
            "\r\n", "\n"
        ).replace('"', "")


class TestOthers:
    def test_a_slow_reader_does_not_keep_the_table_from_its_next_load(self, published):
        resource_id = published(WORDS, [["甲" * 200, number] for number in range(20_000)])
        with rows_of(query_of(resource_id)) as rows:
            reader = rows.raw()
            first = next(reader)
            rows.source.settle(30)  # what a slow reader leaves lies in the file
            started = time.monotonic()
            done = threading.Thread(target=published, args=(WORDS, [["乙", 1]], resource_id))
            done.start()
            rest = b"".join(reader)
            assert (first + rest).count(b"\n") == 20_000
        done.join(60)
        assert time.monotonic() - started < 40
        assert cells(query_of(resource_id)) == [["乙", "1"]]

    def test_a_reader_who_leaves_ends_the_copy(self, published):
        resource_id = published(WORDS, [["甲" * 500, number] for number in range(50_000)])
        with rows_of(query_of(resource_id)) as rows:
            next(rows.raw())
        assert sessions() == 0
        assert cells(query_of(resource_id, **{"f.n.eq": "3"})) == [["甲" * 500, "3"]]

    def test_rows_and_mark_belong_together(self, published):
        resource_id = published(WORDS, [["甲", 1]])
        with rows_of(query_of(resource_id)) as rows:
            assert rows.mark == datastore_tables.live_mark(resource_id)

    def test_nothing_is_left_in_the_folder(self, published):
        with rows_of(query_of(published(WORDS, [["甲", 1]]))) as rows:
            b"".join(rows.raw())
        assert [path for path in export_files.folder().iterdir() if not path.is_dir()] == []
