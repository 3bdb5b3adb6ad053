"""One pass over the rows: the CSV file that people download and COPY reads, and every finding with its place."""

from __future__ import annotations

import csv
import hashlib
import tracemalloc

import pytest

from ckanext.openhuizhou.data.staging import BATCH_ROWS, LISTED_FINDINGS, write_table
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import TableRefused

ITEMS = [
    Item("站点名称", "station", "string"),
    Item("监测时间", "measured_at", "datetime"),
    Item("AQI", "aqi", "integer"),
    Item("达标", "met", "boolean"),
]


def written(tmp_path, items, rows):
    path = tmp_path / "table.csv"
    return path, write_table(path, items, rows)


def refused(tmp_path, items, rows):
    with pytest.raises(TableRefused) as caught:
        write_table(tmp_path / "table.csv", items, rows)
    return caught.value.findings


class TestFile:
    def test_is_utf8_with_mark_chinese_header_and_typed_values(self, tmp_path):
        path, table = written(
            tmp_path, ITEMS, [["惠城站", "2018/3/1 8:00", "１２", "是"], ["大亚湾站", None, "-", "否"]]
        )
        assert (
            path.read_bytes()
            == (
                "\ufeff站点名称,监测时间,AQI,达标\r\n惠城站,2018-03-01 08:00:00+08:00,12,true\r\n大亚湾站,,,false\r\n"
            ).encode()
        )
        assert (table.rows, table.size_bytes) == (2, path.stat().st_size)
        assert table.digest == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_quotes_what_would_break_a_row(self, tmp_path):
        values = ['他说"好"', "甲,乙", "上\n下", "左\r右", "\\.", "=A1"]
        path, _ = written(tmp_path, [Item("备注", "note", "text")], [[value] for value in values])
        with path.open(encoding="utf-8-sig", newline="") as file:
            assert [row[0] for row in list(csv.reader(file))[1:]] == values

    @pytest.mark.parametrize("text", ["-5", "+86 752 2808111", "=", "@惠州", "—（无）", "=A1+B1", "-5(a)"])
    def test_what_merely_looks_like_a_formula_is_published_as_it_is(self, tmp_path, text):
        path, _ = written(tmp_path, [Item("备注", "note", "text")], [[text]])
        assert path.read_text("utf-8-sig").splitlines()[1] == text

    @pytest.mark.parametrize(
        "text", ['=HYPERLINK("http://example.org")', "=cmd|'/c calc'!A0", "@SUM(A1:A9)", "+-+IMPORTXML(A1)", "= now ()"]
    )
    def test_a_formula_that_a_spreadsheet_would_run_refuses_the_table(self, tmp_path, text):
        findings = refused(tmp_path, [Item("备注", "note", "text")], [["好"], [text], [text]])
        assert [(one.kind, one.row, one.column, one.severity) for one in findings] == [
            ("cell-formula", 2, "备注", "error"),
            ("cell-formula", 3, "备注", "error"),
        ]

    def test_the_same_rows_have_the_same_digest(self, tmp_path):
        rows = [["a", "2018-03-01", 1, True], ["b", "2018-03-02", 2, False]]
        digests = {written(tmp_path, ITEMS, iter(rows))[1].digest for _ in range(2)}
        assert len(digests) == 1
        assert written(tmp_path, ITEMS, rows[::-1])[1].digest not in digests

    def test_an_empty_table_is_a_warning(self, tmp_path):
        _, table = written(tmp_path, ITEMS, [])
        assert [finding.kind for finding in table.findings] == ["table-empty"]

    def test_memory_does_not_grow_with_the_rows(self, tmp_path):
        def peak(batches: int) -> int:
            tracemalloc.start()
            write_table(tmp_path / "t.csv", ITEMS[:1], ([f"站{i}"] for i in range(batches * BATCH_ROWS)))
            try:
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        assert peak(20) < peak(2) + 500_000


class TestFindings:
    def test_a_wrong_cell_is_named_by_row_and_column(self, tmp_path):
        rows = [["站", "2018-03-01", 1, "是"]] * BATCH_ROWS + [["站", "2018-03-01", "约十", "是"]]
        (finding,) = refused(tmp_path, ITEMS, rows)
        assert (finding.kind, finding.row, finding.column, finding.value) == (
            "cell-type",
            BATCH_ROWS + 1,
            "AQI",
            "约十",
        )

    def test_many_wrong_cells_are_counted_not_listed(self, tmp_path):
        findings = refused(tmp_path, ITEMS, [["站", "2018-03-01", "坏", "是"]] * 100)
        assert len(findings) == LISTED_FINDINGS + 1
        assert (findings[-1].kind, findings[-1].params["count"]) == ("check-more", 100 - LISTED_FINDINGS)

    def test_a_table_that_is_wrong_throughout_is_not_read_to_its_end(self, tmp_path):
        seen = 0

        def rows():
            nonlocal seen
            for _ in range(500_000):
                seen += 1
                yield ["站", "x", "x", "x"]

        refused(tmp_path, ITEMS, rows())
        assert seen < 20_000

    def test_rows_of_another_width_are_named(self, tmp_path):
        findings = refused(tmp_path, ITEMS, [["站", "2018-03-01", 1, "是"], ["站"]])
        assert [(f.kind, f.row, f.params) for f in findings] == [("row-width", 2, {"count": 1, "expected": 4})]

    def test_half_a_character_is_named(self, tmp_path):
        (finding,) = refused(tmp_path, ITEMS[:1], [["好"], ["\ud83d"]])
        assert (finding.kind, finding.row, finding.column) == ("cell-characters", 2, "站点名称")

    def test_personal_data_is_refused_without_repeating_it(self, tmp_path):
        rows = [["演示", f"1380013800{i}"] for i in range(10)]
        (finding,) = refused(tmp_path, [ITEMS[0], Item("号码", "no", "string")], rows)
        assert (finding.kind, finding.column, finding.row) == ("personal-data", "号码", 1)
        assert finding.params == {"pii_kind": "mobile phone number", "count": 10, "rows": 10}
        assert finding.value is None

    def test_a_wrong_cell_does_not_show_a_persons_number(self, tmp_path):
        (finding,) = refused(tmp_path, [Item("数量", "n", "integer")], [["电话13800138000"]])
        assert finding.value == "电话…"

    def test_headers_are_judged_with_all_columns(self, tmp_path):
        items = [Item("姓名", "name", "string"), Item("出生日期", "born", "date")]
        (finding,) = refused(tmp_path, items, [["演示", "1980-01-01"]])
        assert (finding.kind, finding.column) == ("personal-data-header", "姓名")
