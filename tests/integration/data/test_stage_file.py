"""Files that are loaded: typed many rows at once, copied while they are written, and nothing is seen too early."""

from __future__ import annotations

import csv
import multiprocessing
import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest
import sqlalchemy as sa
from ckan import model
from ckanext.datastore.backend.postgres import get_read_engine, get_write_engine
from openpyxl import Workbook
from tests.integration.data.loads import PACKAGE, file_version, leftovers, live_versions, verdict

from ckanext.openhuizhou.data import copying_file, datastore_tables, filter_indexes, tables
from ckanext.openhuizhou.data.row_checks import Cells, NoChecks, RowCheck
from ckanext.openhuizhou.data.table_file import FileSource
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import RunStopped, TableRefused

ITEMS = [
    Item("版本", "version", "integer"),
    Item("许可证编号", "licence_no", "string"),
    Item("许可日期", "licensed", "date"),
    Item("区县", "county", "string"),
]
#: enough for a table that is copied while it is written, when a kilobyte counts as large
COUNT = 30_000


def rows(version: int, count: int = COUNT) -> Iterable[list[object]]:
    for number in range(count):
        yield [version, f"HZ{number:07d}", f"2018-03-{number % 28 + 1:02d}", "惠城区"]


def source(folder: Path, table: Iterable[list[object]], name: str = "table.csv") -> FileSource:
    path = folder / name
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([[item.name for item in ITEMS], *table])
    return FileSource(path, name)


def publish(resource_id: str, file: FileSource) -> tables.LoadResult:
    return tables.publish_table(tables.stage_file(resource_id, ITEMS, file), PACKAGE)


@pytest.fixture
def live(resource_id, tmp_path, monkeypatch) -> str:
    """A published table; every file counts as large."""
    monkeypatch.setattr(copying_file, "LARGE", 1024)
    publish(resource_id, source(tmp_path, rows(1)))
    return resource_id


def assert_nothing_changed(resource_id: str) -> None:
    assert set(live_versions(resource_id)) == {1}
    assert file_version(resource_id) == "1"
    assert verdict(resource_id).rows == COUNT
    assert leftovers(resource_id) == []


class TestStageFile:
    def test_gives_the_table_that_its_rows_give(self, live, tmp_path):
        staged = tables.stage_file(live, ITEMS, source(tmp_path, rows(2)))
        by_rows = tables.stage_table(live, ITEMS, rows(2))
        assert (staged.digest, staged.rows, staged.mark()) == (by_rows.digest, by_rows.rows, by_rows.mark())
        assert tables.publish_table(by_rows, PACKAGE).rows == COUNT
        assert set(live_versions(live)) == {2}

    def test_a_workbook_is_a_file_like_any_other(self, live, tmp_path):
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(["许可证一览表"])
        sheet.append([item.name for item in ITEMS])
        for row in rows(3, 50):
            sheet.append(row)
        sheet.append(["注：演示数据"])
        book.save(tmp_path / "book.xlsx")
        staged = tables.stage_file(live, ITEMS, FileSource(tmp_path / "book.xlsx"))
        assert staged.digest == tables.stage_table(live, ITEMS, rows(3, 50)).digest
        tables.discard_table(staged)

    def test_the_same_file_again_changes_nothing(self, live, tmp_path):
        staged = tables.stage_file(live, ITEMS, source(tmp_path, rows(1)))
        assert not staged.changed
        assert_nothing_changed(live)

    def test_columns_may_stand_in_any_order_and_others_beside_them(self, live, tmp_path):
        path = tmp_path / "other.csv"
        table = [
            ["区县", "内部备注", "许可日期", "许可证编号", "版本"],
            ["惠城区", "x", "2018-03-01", "HZ0000000", "1"],
        ]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(table)
        staged = tables.stage_file(live, ITEMS, FileSource(path))
        assert staged.digest == tables.stage_table(live, ITEMS, rows(1, 1)).digest
        assert [finding.kind for finding in staged.findings] == ["table-column-extra"]
        tables.discard_table(staged)

    def test_a_missing_column_is_told_before_a_row_is_read(self, live, tmp_path):
        path = tmp_path / "short.csv"
        path.write_text("版本,区县\n坏,惠城区\n", encoding="utf-8")
        with pytest.raises(TableRefused) as caught:
            tables.stage_file(live, ITEMS, FileSource(path))
        assert [finding.kind for finding in caught.value.findings] == ["table-column-missing"] * 2
        assert_nothing_changed(live)


class TestRefusalWhileItIsCopied:
    def test_a_wrong_cell_in_the_last_row(self, live, tmp_path):
        table = [*rows(2, COUNT - 1), ["很多", "HZ", "2018-03-01", "惠城区"]]
        with pytest.raises(TableRefused) as caught:
            tables.stage_file(live, ITEMS, source(tmp_path, table))
        assert [(finding.kind, finding.row) for finding in caught.value.findings] == [("cell-type", COUNT)]
        assert_nothing_changed(live)

    def test_what_only_the_database_refuses(self, resource_id, tmp_path, monkeypatch):
        monkeypatch.setattr(copying_file, "LARGE", 1024)
        items = [Item("金额", "amount", "currency"), Item("备注", "note", "text")]
        path = tmp_path / "digits.csv"
        lines = ["金额,备注", *["1.5,甲"] * 5000, "9" * 200_000 + ",乙", *["1.5,甲"] * 50_000]
        path.write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(TableRefused) as caught:
            tables.stage_file(resource_id, items, FileSource(path))
        (finding,) = caught.value.findings
        assert (finding.kind, finding.row, finding.column) == ("row-unfit", 5001, "金额")
        assert leftovers(resource_id) == []

    def test_a_check_of_the_table_as_a_whole(self, live, tmp_path):
        class OneCounty(NoChecks):
            rows = 0

            def of_column(self, item: Item) -> RowCheck | None:
                return self if item.column == "county" else None

            def feed(self, cells: Cells, first_row: int) -> None:
                assert first_row == self.rows + 1
                assert not cells.not_among(frozenset({"惠城区"}))
                self.rows += len(cells)

            def look_at_table(self, connection, table, items) -> None:
                query = sa.text(f"SELECT count(*), count(DISTINCT county) FROM {table}")
                assert tuple(connection.execute(query).one()) == (COUNT, 1)
                raise TableRefused([])

        checks = OneCounty()
        with pytest.raises(TableRefused):
            tables.stage_file(live, ITEMS, source(tmp_path, rows(2)), checks)
        assert checks.rows == COUNT
        assert_nothing_changed(live)

    def test_a_person_stops_it(self, live, tmp_path):
        def stop(rows: int) -> None:
            assert rows > 0
            raise RunStopped("cancel")

        with pytest.raises(RunStopped):
            tables.stage_file(live, ITEMS, source(tmp_path, rows(2)), watch=stop)
        assert_nothing_changed(live)


def _load_and_die(resource_id: str, file: FileSource) -> None:
    """In a child process: be killed while the file is read and copied."""
    for engine in (get_write_engine(), model.meta.engine):
        assert engine is not None
        engine.dispose(close=False)

    def die(_rows: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    tables.stage_file(resource_id, ITEMS, file, watch=die)


class TestKill:
    def test_in_the_middle_of_a_file_leaves_the_old_table_and_the_next_load_clears_up(self, live, tmp_path):
        file = source(tmp_path, rows(2))
        child = multiprocessing.get_context("fork").Process(target=_load_and_die, args=(live, file))
        child.start()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
        assert set(live_versions(live)) == {1}
        # the half written file is all that is left: the database rolled back what was copied
        assert [name.endswith(".part") for name in leftovers(live)] == [True]
        publish(live, file)
        assert set(live_versions(live)) == {2}
        assert leftovers(live) == []


class TestIndexes:
    def test_codes_and_dates_of_a_large_table_have_one_and_keep_it(self, live):
        query = sa.text("SELECT indexdef FROM pg_indexes WHERE tablename = :name AND indexname LIKE 'filter%'")
        with get_read_engine().connect() as connection:
            columns = [text.rpartition("(")[2] for text in connection.scalars(query, {"name": live})]
        assert columns == ["licence_no)"]  # of dates there are 28: too few to be worth it

    def test_a_small_table_has_none(self, resource_id, tmp_path):
        publish(resource_id, source(tmp_path, rows(1, filter_indexes.ROWS - 1)))
        query = sa.text("SELECT count(*) FROM pg_indexes WHERE tablename = :name")
        with get_read_engine().connect() as connection:
            assert connection.scalar(query, {"name": resource_id}) == 1

    def test_a_value_too_long_for_an_index_does_not_refuse_the_table(self, live, tmp_path):
        table = [*rows(4), [4, os.urandom(5000).hex(), "2018-03-01", "惠城区"]]
        publish(live, source(tmp_path, table))
        assert datastore_tables.live_mark(live) is not None
        assert set(live_versions(live)) == {4}
