"""What changed between two Parquet files, against the same told by Python."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from ckanext.openhuizhou.data import version_changes
from ckanext.openhuizhou.domain.items import Item

CODE = Item("编号", "code", "string", is_key=True)
PLAIN_CODE = Item("编号", "code", "string")
NAME = Item("名称", "name", "string")
COUNT = Item("数量", "count", "integer")


def write(path: Path, items: list[Item], rows: list[tuple[Any, ...]]) -> Path:
    kinds = {"integer": pa.int64()}
    fields = [pa.field(item.column, kinds.get(item.data_type, pa.string())) for item in items]
    columns = [pa.array([row[index] for row in rows], field.type) for index, field in enumerate(fields)]
    pq.write_table(pa.Table.from_arrays(columns, schema=pa.schema(fields)), path)
    return path


def compare(
    folder: Path, items: list[Item], before: list[tuple[Any, ...]], after: list[tuple[Any, ...]],
    new_items: list[Item] | None = None,
) -> dict[str, Any]:  # fmt: skip
    new = new_items or items
    old_file, new_file = write(folder / "a.parquet", items, before), write(folder / "b.parquet", new, after)
    found = version_changes.summary(old_file, items, new_file, new)
    found["rows"] = {
        kind: [
            (row.before, row.after, row.columns)
            for row in version_changes.rows(old_file, items, new_file, new, kind, 100)
        ]
        for kind in version_changes.KINDS
    }
    return found


class TestByKey:
    def test_rows_that_came_went_and_changed(self, tmp_path: Path):
        before = [("1", "甲", 1), ("2", "乙", None), ("3", "丙", 3)]
        after = [("2", "乙", 5), ("3", "丙", 3), ("4", "丁", 4)]
        found = compare(tmp_path, [CODE, NAME, COUNT], before, after)
        assert (found["added"], found["removed"], found["changed"]) == (1, 1, 1)
        assert (found["key"], found["columns"]) == (["code"], {"count": 1})
        old, new = {"code": "2", "name": "乙", "count": None}, {"code": "2", "name": "乙", "count": "5"}
        assert found["rows"] == {
            "added": [({}, {"code": "4", "name": "丁", "count": "4"}, ())],
            "removed": [({"code": "1", "name": "甲", "count": "1"}, {}, ())],
            "changed": [(old, new, ("count",))],
        }

    def test_a_column_that_came_and_one_of_another_type(self, tmp_path: Path):
        number = Item("数量", "count", "string")
        found = compare(tmp_path, [CODE, COUNT], [("1", 1)], [("1", "1", "甲")], [CODE, number, NAME])
        assert (found["columns_added"], found["columns_removed"], found["changed"]) == (["name"], [], 0)

    def test_a_figure_is_the_same_whatever_figures_stand_beside_it(self, tmp_path: Path):
        """Arrow gives a whole column the digits of its widest figure."""
        files = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
        number = Item("读数", "count", "number")
        for path, other in zip(files, ("1.5", "2.25"), strict=True):
            values = [Decimal("3"), Decimal("100"), Decimal(other)]
            pq.write_table(pa.table({"code": ["1", "2", "3"], "count": values}), path)
        found = version_changes.rows(files[0], [CODE, number], files[1], [CODE, number], "changed", 10)
        assert [(row.before["count"], row.after["count"]) for row in found] == [("1.5", "2.25")]

    def test_a_key_alone_cannot_change(self, tmp_path: Path):
        found = compare(tmp_path, [CODE], [("1",)], [("2",)])
        assert (found["added"], found["removed"], found["changed"]) == (1, 1, 0)

    NAMES = st.none() | st.sampled_from(["", "x", "是\n"])
    ROWS = st.dictionaries(st.sampled_from("甲乙丙丁'\""), st.tuples(NAMES, st.none() | st.integers(0, 2)))

    @settings(max_examples=25, deadline=None)
    @given(before=ROWS, after=ROWS)
    def test_as_python_says(self, before: dict[str, Any], after: dict[str, Any]):
        with TemporaryDirectory() as folder:
            tables = [[(key, *rest) for key, rest in rows.items()] for rows in (before, after)]
            found = compare(Path(folder), [CODE, NAME, COUNT], *tables)
        assert found["added"] == len(after.keys() - before.keys())
        assert found["removed"] == len(before.keys() - after.keys())
        assert found["changed"] == sum(before[key] != after[key] for key in before.keys() & after.keys())


class TestWithoutKey:
    ROWS = st.lists(st.tuples(st.sampled_from("甲乙"), st.sampled_from(["x", None])), max_size=8)

    @settings(max_examples=25, deadline=None)
    @given(before=ROWS, after=ROWS)
    def test_whole_rows_are_compared_as_often_as_they_stand_there(self, before: list[Any], after: list[Any]):
        with TemporaryDirectory() as folder:
            found = compare(Path(folder), [PLAIN_CODE, NAME], before, after)
        assert found["added"] == (Counter(after) - Counter(before)).total()
        assert found["removed"] == (Counter(before) - Counter(after)).total()
        assert (found["changed"], found["key"]) == (0, [])

    def test_a_key_that_stands_twice_is_none(self, tmp_path: Path):
        found = compare(tmp_path, [CODE, NAME], [("1", "甲"), ("1", "乙")], [("1", "甲")])
        assert (found["key"], found["removed"]) == ([], 1)

    def test_a_key_that_is_empty_is_none(self, tmp_path: Path):
        found = compare(tmp_path, [CODE, NAME], [(None, "甲")], [(None, "乙")])
        assert (found["key"], found["removed"], found["added"]) == ([], 1, 1)

    def test_rows_of_other_columns_are_other_rows(self, tmp_path: Path):
        found = compare(tmp_path, [PLAIN_CODE], [("1",)], [("1", "甲")], [PLAIN_CODE, NAME])
        assert (found["added"], found["removed"]) == (1, 1)
