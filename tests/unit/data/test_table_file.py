"""A file gives the table that its rows would give: byte for byte, finding for finding, whatever stands in the cells."""

from __future__ import annotations

import csv
import hashlib
import io
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ckanext.openhuizhou.data import csv_file
from ckanext.openhuizhou.data.row_checks import NoChecks
from ckanext.openhuizhou.data.stage import feed_table
from ckanext.openhuizhou.data.staging import TableWriter, WrittenTable, write_table
from ckanext.openhuizhou.data.table_file import FileSource, open_table
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import DATA_TYPES, Item
from ckanext.openhuizhou.errors import TableRefused

ITEMS = [Item("序号", "n", "integer")] + [
    Item(f"列{number}", f"c{number}", data_type, unit="%" if data_type == "number" else "")
    for number, data_type in enumerate(DATA_TYPES)
]
NASTY = st.one_of(
    st.sampled_from(
        [
            *[
                "",
                " ",
                "　",
                "-",
                "—",
                "无",
                "null",
                "/",
                "N/A",
                "\t",
                "\x1c",
                "\x1e",
                "\x85",
                "\u00a0x",
                "\u200b",
                "\ufeff",
            ],
            *['"', '""', 'a"b', '"a', 'a"', ",", "a,b", "上\n下", "左\r右", "\r\n", "\\.", "a\\", "'", ";", "|"],
            *[
                "0",
                "-0",
                "+5",
                "007",
                "1,234",
                "1,23",
                "１２",
                "12.50",
                ".5",
                "5.",
                "1e3",
                "1E5",
                "1.23E+17",
                "NaN",
                "inf",
            ],
            *["12.5%", "12％", "%", "3万元", "(1,200)", "￥5", "−3", "9223372036854775807", "9223372036854775808"],
            *[
                "2018-03-01",
                "2018-2-29",
                "2020-02-29",
                "2018-02-30",
                "20180301",
                "2018/3/1",
                "0000-01-01",
                "1988-06-01",
            ],
            *["2018-03-01 08:00:00", "1988-06-01 08:00:00", "2018-03-31 08:00:00", "2018-03-01 08:00:00+08:00"],
            *[
                "2018-03-01T08:00:00Z",
                "2018-03-01 24:00:00",
                "2099-12-28 23:59:59",
                "2018-03-01 08:00:00.5",
                "2018年3月1日",
            ],
            *["是", "否", "true", "TRUE", "1", "√", "可能"],
            *[
                "13800138000",
                "电话13800138000",
                "138-0013-8000",
                "１３８００１３８０００",
                "441302199001011234",
                "6222021234567890123",
            ],
            *["=SUM(A1)", "=1", "+86 752", "@x", "-5(a)", "-cmd|'/c'!A0"],
        ]
    ),
    # without the private area: GB18030 has had letters of its own there, see below
    st.text(st.characters(exclude_categories=["Cs", "Co"], exclude_characters="\x00"), max_size=12),
    st.integers().map(str),
    st.floats(allow_nan=False).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    st.dates().map(str),
    st.datetimes().map(str),
)
ROWS = st.lists(st.lists(NASTY, min_size=len(DATA_TYPES), max_size=len(DATA_TYPES)), max_size=8)
#: how a file may be written, and its bytes mean the same
WAYS = st.tuples(
    st.sampled_from([",", "\t", ";", "|"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
)


def file_of(path: Path, rows, way=(",", csv.QUOTE_MINIMAL, "\r\n", "utf-8"), items=ITEMS) -> FileSource:
    delimiter, quoting, end, encoding = way
    if end == "\n":  # the module csv quotes a carriage return only where it ends rows
        quoting = csv.QUOTE_ALL
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end)
        writer.writerows([[item.name for item in items], *rows])
    return FileSource(path)


def outcome_of_file(source: FileSource, items=ITEMS) -> tuple[object, int]:
    """What comes of a file, and how many of its rows came as arrays."""
    arrays = 0

    def counted(batches):
        nonlocal arrays
        for batch in batches:
            arrays += len(batch[0]) if isinstance(batch[0], pa.Array) else 0
            yield batch

    target = io.BytesIO()
    try:
        with open_table(source, items) as table:
            table.batches = counted(table.batches)
            writer = TableWriter(target, items, NoChecks())
            feed_table(table, None, writer)
            return told(writer.finish(), target.getvalue()), arrays
    except TableRefused as error:
        return error.findings, arrays


def outcome_of_rows(path: Path, rows, items=ITEMS) -> object:
    try:
        return told(write_table(path, items, rows), path.read_bytes())
    except TableRefused as error:
        return error.findings


def told(table: WrittenTable, content: bytes) -> tuple[object, ...]:
    assert table.digest == hashlib.sha256(content).hexdigest()
    assert table.size_bytes == len(content)
    return table.rows, content, table.findings


class TestSameAsRows:
    @settings(max_examples=400, deadline=None, derandomize=True)
    @given(rows=ROWS, way=WAYS)
    @example(
        rows=[["a\nb", "x", "1", "2", "3", "2018-03-01", "2018-03-01 08:00:00", "是"]], way=(",", 0, "\n", "utf-8")
    )
    def test_whatever_stands_in_the_cells(self, tmp_path_factory, rows, way):
        folder = tmp_path_factory.mktemp("same")
        numbered = [[str(number), *row] for number, row in enumerate(rows)]
        found, _arrays = outcome_of_file(file_of(folder / "file.csv", numbered, way))
        assert found == outcome_of_rows(folder / "rows.csv", numbered)

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(rows=ROWS.filter(bool), cut=st.integers(1, 400))
    def test_wherever_a_chunk_ends(self, tmp_path_factory, rows, cut):
        folder = tmp_path_factory.mktemp("cut")
        numbered = [[str(number), *row] for number, row in enumerate(rows * 3)]
        source = file_of(folder / "file.csv", numbered)
        expected = outcome_of_rows(folder / "rows.csv", numbered)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv_file, "CHUNK", cut)
            found, _arrays = outcome_of_file(source)
        assert found == expected

    def test_plain_rows_come_many_at_once_and_others_one_by_one(self, tmp_path):
        plain = [["1", *["x"] * 2, "5", "1.5", "2", "2018-03-01", "2018-03-01 08:00:00", "是"]] * 5000
        found, arrays = outcome_of_file(file_of(tmp_path / "plain.csv", plain))
        assert (found, arrays) == (outcome_of_rows(tmp_path / "rows.csv", plain), 5000)
        path = tmp_path / "mixed.csv"
        text = file_of(path, plain).path.read_text("utf-8").replace("1,x,x", '1,5" pipe,x', 1)
        path.write_text(text, encoding="utf-8", newline="")
        rows = [[*plain[0][:1], '5" pipe', *plain[0][2:]], *plain[1:]]
        found, arrays = outcome_of_file(FileSource(path))
        assert found == outcome_of_rows(tmp_path / "rows.csv", rows)
        assert 0 < arrays < 5000


PAIR = [Item("名称", "name", "string"), Item("数量", "count", "integer"), Item("单位", "unit", "string")]
BELOW = "甲,1,家\r\n乙,2,家\r\n"


class TestLayout:
    @pytest.mark.parametrize(
        "text",
        [
            f"名称,数量,单位\r\n{BELOW}",
            f"惠州市某某表,,\r\n填报单位：演示局,2018年,\r\n\r\n名称,数量,单位\r\n{BELOW}",
            f"sep=,\r\n名称,数量,单位\r\n{BELOW}",
            f"名称,数量,单位\r\n\r\n{BELOW},,\r\n",
            f"名称,数量,单位\r\n{BELOW}合计,3,\r\n注：演示数据,,\r\n再一条说明,,\r\n",
            f"名称,数量,单位,\r\n{BELOW.replace('家', '家,')}",
            "序号,单位,数量（个）,名称\r\n9,家,1,甲\r\n9,家,2,乙\r\n".replace("（个）", ""),
            "名称\t数量\t单位\n甲\t1\t家\n乙\t2\t家\n",
            "名称，数量，单位\r\n甲，1，家\r\n乙，2，家",
            "名称|数量|单位\r甲|1|家\r乙|2|家\r",
            "名称;数量;单位\n甲;1;家\r\n乙;2;家",
            '"名称","数量","单位"\n"甲","1","家"\n"乙","2","家"',
        ],
    )
    def test_the_table_is_found_among_what_people_put_around_it(self, tmp_path, text):
        path = tmp_path / "file.csv"
        path.write_bytes(text.encode())
        found, _arrays = outcome_of_file(FileSource(path), PAIR)
        assert found == outcome_of_rows(tmp_path / "rows.csv", [["甲", 1, "家"], ["乙", 2, "家"]], PAIR)

    @pytest.mark.parametrize(
        ("content", "findings"),
        [
            (b"", [("header-not-found", None)]),
            (b"\xef\xbb\xbf\r\n\r\n", [("header-not-found", None)]),
            ("名称,数量,单位\n甲,1\n".encode(), [("row-width", 1)]),
            ("名称,数量,单位\n甲,1,家\n乙,2,家,多\n".encode(), [("row-width", 2)]),
            ('名称,数量,单位\n"甲,1,家\n'.encode(), [("record-unreadable", None)]),
            ('名称,数量,单位\n"甲"乙,1,家\n'.encode(), [("record-unreadable", None)]),
            ("名称,数量,单位\n注：完,,\n甲,1,家\n".encode(), [("rows-after-notes", 1)]),
            ("名称,数量\n甲,1\n".encode(), []),
            (b"%PDF-1.7", [("file-kind", None)]),
            (b"\xef\xbb\xbf <!DOCTYPE html><table>", [("file-kind", None)]),
            (b'[{"a": 1}]', [("file-kind", None)]),
            (b"PK\x03\x04 no archive", [("file-kind", None)]),
            ("名称,数量,单位\n甲,1,家\n".encode()[:-2], [("encoding-unknown", None)]),
        ],
    )
    def test_what_is_no_table_is_told(self, tmp_path, content, findings):
        path = tmp_path / "file.csv"
        path.write_bytes(content)
        if not findings:  # a missing column is told with the others, and refused by the one who loads
            with open_table(FileSource(path), PAIR) as table:
                assert [finding.kind for finding in table.match.findings] == ["table-column-missing"]
            return
        found, _arrays = outcome_of_file(FileSource(path), PAIR)
        assert isinstance(found, tuple)
        assert all(isinstance(finding, Finding) for finding in found)
        assert [(finding.kind, finding.row) for finding in found] == findings

    def test_letters_that_gb18030_has_moved_are_what_they_are_now(self, tmp_path):
        path = tmp_path / "file.csv"
        path.write_bytes("名称,数量,单位\n".encode("gb18030") + b"\xfe\x59\xfe\x51\xa6\xd9,1,\xbc\xd2\n")
        found, _arrays = outcome_of_file(FileSource(path), PAIR)
        assert found == outcome_of_rows(tmp_path / "rows.csv", [["\u9fb4\U00020087\ufe10", "1", "家"]], PAIR)

    def test_memory_does_not_grow_with_the_file(self, tmp_path):
        def peak(rows: int) -> int:
            source = file_of(tmp_path / "file.csv", ([f"站{i}", i, "家"] for i in range(rows)), items=PAIR)
            tracemalloc.start()
            before = pa.total_allocated_bytes()
            highest = 0

            class Watching(io.BytesIO):
                def write(self, chunk, /):
                    nonlocal highest
                    highest = max(highest, pa.total_allocated_bytes() - before)
                    return len(memoryview(chunk))

            with open_table(source, PAIR) as table:
                writer = TableWriter(Watching(), PAIR, NoChecks())
                feed_table(table, None, writer)
                writer.finish()
            try:
                return tracemalloc.get_traced_memory()[1] + highest
            finally:
                tracemalloc.stop()

        assert peak(400_000) < peak(100_000) + 2_000_000
