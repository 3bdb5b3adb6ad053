"""Rows that join a published table: readers see the table before or after, and the file holds the same rows."""

from __future__ import annotations

import csv
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from ckan.model import Session
from ckanext.datastore.backend.postgres import get_read_engine, get_write_engine
from tests.integration.data.loads import PACKAGE, leftovers, verdict

from ckanext.openhuizhou.data import files, tables
from ckanext.openhuizhou.data.table_file import FileSource
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import TableRefused

ITEMS = [
    Item("编号", "no", "string", is_key=True),
    Item("年份", "year", "integer", is_key=True),
    Item("金额", "amount", "currency", unit="万元"),
    Item("备注", "note", "text"),
]
FIRST = [["001", "2018", "3", "甲"], ["002", "2018", "4万元", '乙\n"二"'], ["003", "2018", "", "丙,丁"]]


def source(folder: Path, rows: list[list[str]], items: list[Item] = ITEMS, encoding: str = "utf-8") -> FileSource:
    path = folder / "table.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([[item.name for item in items], *rows])
    return FileSource(path, "表.csv")


def published(resource_id: str) -> list[tuple[object, ...]]:
    """The rows that are live, which the file must have too."""
    with get_read_engine().connect() as connection:
        columns = ", ".join(item.column for item in ITEMS)
        found = connection.execute(sa.text(f'SELECT _id, {columns} FROM "{resource_id}" ORDER BY _id')).all()
    with files.published_file(resource_id).open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))[1:]
    assert [row[0] for row in found] == list(range(1, len(lines) + 1))
    texts = [["" if cell is None else str(cell) for cell in row[1:]] for row in found]
    assert texts == lines
    return [tuple(row) for row in lines]


@pytest.fixture
def table(resource_id, tmp_path) -> str:
    tables.publish_table(tables.stage_file(resource_id, ITEMS, source(tmp_path, FIRST)), PACKAGE)
    return resource_id


class TestAppend:
    def test_new_rows_stand_behind_the_published_ones(self, table, tmp_path):
        staged = tables.stage_append(table, ITEMS, source(tmp_path, [["004", "2019", "5", "戊"]], encoding="gb18030"))
        assert tables.publish_table(staged, PACKAGE).rows == 4
        rows = published(table)
        assert rows[-1] == ("004", "2019", "5", "戊")
        assert rows[1] == ("002", "2018", "4", '乙\n"二"')
        assert verdict(table).rows == 4
        assert leftovers(table) == []

    def test_equals_one_load_of_all_rows(self, table, tmp_path):
        staged = tables.stage_append(table, ITEMS, source(tmp_path, [["004", "2019", "5", "戊"]]))
        tables.discard_table(staged)
        whole = tables.stage_file(table, ITEMS, source(tmp_path, [*FIRST, ["004", "2019", "5", "戊"]]))
        tables.discard_table(whole)
        assert (staged.digest, staged.rows, staged.size_bytes) == (whole.digest, whole.rows, whole.size_bytes)

    def test_a_refused_file_leaves_the_table(self, table, tmp_path):
        with pytest.raises(TableRefused) as caught:
            tables.stage_append(table, ITEMS, source(tmp_path, [["004", "2019", "很多", "戊"]]))
        assert [(finding.kind, finding.row) for finding in caught.value.findings] == [("cell-type", 1)]
        assert len(published(table)) == 3
        assert leftovers(table) == []

    def test_nothing_new_changes_nothing(self, table, tmp_path):
        assert not tables.stage_append(table, ITEMS, source(tmp_path, [])).changed

    @pytest.mark.parametrize(
        "items",
        [
            [*ITEMS[:3], Item("说明", "note", "text")],
            [*ITEMS[:3], Item("备注", "remark", "text")],
            [*ITEMS[:2], Item("金额", "amount", "string"), ITEMS[3]],
            ITEMS[:3],
        ],
    )
    def test_other_columns_cannot_join(self, table, tmp_path, items):
        with pytest.raises(TableRefused) as caught:
            tables.stage_append(table, items, source(tmp_path, [row[: len(items)] for row in FIRST], items))
        assert [finding.kind for finding in caught.value.findings] == ["merge-columns"]

    def test_nothing_to_join_is_told(self, resource_id, tmp_path):
        with pytest.raises(TableRefused) as caught:
            tables.stage_append(resource_id, ITEMS, source(tmp_path, FIRST))
        assert [finding.kind for finding in caught.value.findings] == ["merge-columns"]


class TestUpsert:
    def test_a_known_key_is_replaced_in_its_place_and_a_new_one_stands_at_the_end(self, table, tmp_path):
        rows = [["004", "2018", "9", "新"], ["002", "2018", "8", '改"'], ["002", "2019", "7", "明年"]]
        staged = tables.stage_upsert(table, ITEMS, source(tmp_path, rows))
        assert tables.publish_table(staged, PACKAGE).rows == 5
        assert published(table) == [
            ("001", "2018", "3", "甲"),
            ("002", "2018", "8", '改"'),
            ("003", "2018", "", "丙,丁"),
            ("004", "2018", "9", "新"),
            ("002", "2019", "7", "明年"),
        ]
        assert leftovers(table) == []

    def test_keys_are_compared_as_values(self, table, tmp_path):
        staged = tables.stage_upsert(table, ITEMS, source(tmp_path, [[" 001 ", "2,018", "30", "一"]]))
        tables.publish_table(staged, PACKAGE)
        assert published(table)[0] == ("001", "2018", "30", "一")
        assert len(published(table)) == 3

    def test_the_same_rows_again_change_nothing(self, table, tmp_path):
        assert not tables.stage_upsert(table, ITEMS, source(tmp_path, FIRST[1:])).changed

    def test_all_rows_and_many(self, table, tmp_path):
        rows = [[f"{number:03d}", "2018", str(number), 'a"\r\nb'] for number in range(5000, 0, -1)]
        tables.publish_table(tables.stage_upsert(table, ITEMS, source(tmp_path, rows)), PACKAGE)
        found = published(table)
        assert [row[0] for row in found[:4]] == ["001", "002", "003", "5000"]
        assert {row[0]: row[2] for row in found} == {row[0]: row[2] for row in rows}

    @pytest.mark.parametrize(
        ("rows", "kind", "row"),
        [
            ([["004", "2018", "1", ""], ["004", "2018", "2", ""]], "merge-key-twice", 2),
            ([["004", "", "1", ""]], "merge-key-empty", 1),
        ],
    )
    def test_rows_without_a_key_of_their_own_are_refused(self, table, tmp_path, rows, kind, row):
        with pytest.raises(TableRefused) as caught:
            tables.stage_upsert(table, ITEMS, source(tmp_path, rows))
        assert [(finding.kind, finding.row) for finding in caught.value.findings] == [(kind, row)]
        assert len(published(table)) == 3
        assert leftovers(table) == []

    def test_without_a_key_nobody_knows_which_row_is_meant(self, table, tmp_path):
        items = [Item(item.name, item.column, item.data_type, unit=item.unit) for item in ITEMS]
        with pytest.raises(TableRefused) as caught:
            tables.stage_upsert(table, items, source(tmp_path, FIRST))
        assert [finding.kind for finding in caught.value.findings] == ["merge-key-undeclared"]

    def test_a_table_that_somebody_wrote_into_is_not_mixed_with_its_file(self, table, tmp_path):
        with get_write_engine().begin() as connection:
            connection.execute(sa.text(f"DELETE FROM \"{table}\" WHERE no = '002'"))
        with pytest.raises(TableRefused) as caught:
            tables.stage_upsert(table, ITEMS, source(tmp_path, FIRST))
        assert [finding.kind for finding in caught.value.findings] == ["merge-table-edited"]


class TestReaders:
    def test_see_the_rows_of_before_or_of_after(self, table, tmp_path):
        seen: list[int] = []
        failures: list[BaseException] = []
        done = threading.Event()

        def read() -> None:
            try:
                while not done.is_set():
                    with get_read_engine().connect() as connection:
                        seen.append(connection.scalar(sa.text(f'SELECT count(*) FROM "{table}"')))
            except BaseException as error:  # noqa: BLE001 - handed to the test
                failures.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for number in range(1, 11):
                rows = [[f"{number:03d}-{part}", "2020", "1", ""] for part in range(100)]
                tables.publish_table(tables.stage_append(table, ITEMS, source(tmp_path, rows)), PACKAGE)
        finally:
            done.set()
            reader.join()
            Session.remove()
        assert failures == []
        assert {count % 100 for count in seen} == {3}
        assert len(published(table)) == 1003
