"""Table → format → a reader that others wrote: equal values, for every type and for whatever a text can hold."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from python_calamine import CalamineWorkbook

from ckanext.openhuizhou.data import export_files
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.exports import csv_file, geojson, json_file, parquet_file, xlsx, xml_file
from ckanext.openhuizhou.exports.rows import BATCH_ROWS

from .laid import COLUMNS, NUMBERS, ROWS, canonical, laid

#: Each example is a whole file: fewer of them, of tables with every type.
EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
UNHELD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
NAMES = [item.column for item in COLUMNS]


def made(write: Any, values: Any, columns: Any = COLUMNS, **options: Any) -> bytes:
    with laid(values, columns) as rows:
        return b"".join(write(rows, **options))


def texts(values: Any) -> list[list[str | None]]:
    return [[canonical(value) for value in row] for row in values]


class TestCsv:
    def read(self, content: bytes) -> list[list[str]]:
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))

    @EXAMPLES
    @given(rows=ROWS)
    def test_equal_values(self, rows):
        head, *body = self.read(made(csv_file.write, rows))
        assert head == [item.name for item in COLUMNS]
        assert [[cell or None for cell in row] for row in body] == texts(rows)

    @pytest.mark.parametrize(
        ("dialect", "begins"),
        [
            (csv_file.Dialect(), "\ufeff名称,面积"),
            (csv_file.Dialect(bom=False), "名称,面积"),
            (csv_file.Dialect(bom=False, ids=True), "name,area"),
        ],
    )
    def test_what_a_reader_chooses(self, dialect, begins):
        assert made(csv_file.write, [], dialect=dialect).decode().startswith(begins)


class TestJson:
    def values(self, content: bytes) -> list[list[Any]]:
        found = json.loads(content, parse_float=Decimal)
        assert all(list(row) == NAMES for row in found)
        return [list(row.values()) for row in found]

    def expected(self, rows: Any) -> list[list[Any]]:
        dates = (date, datetime)
        return [[canonical(value) if isinstance(value, dates) else value for value in row] for row in rows]

    @EXAMPLES
    @given(rows=ROWS)
    def test_an_array_has_equal_values(self, rows):
        assert self.values(made(json_file.write, rows)) == self.expected(rows)

    @EXAMPLES
    @given(rows=ROWS)
    def test_lines_have_equal_values(self, rows):
        content = made(json_file.write_lines, rows)
        lines = content.decode().split("\n")[:-1]
        assert len(lines) == len(rows)
        assert self.values(f"[{','.join(lines)}]".encode()) == self.expected(rows)

    def test_batches_are_one_array(self):
        rows = [[number] for number in range(2 * BATCH_ROWS + 1)]
        found = json.loads(made(json_file.write, rows, [Item("数", "n", "integer")]))
        assert [row["n"] for row in found] == list(range(2 * BATCH_ROWS + 1))

    def test_no_number_is_rounded(self):
        content = made(json_file.write, [[Decimal("12345678901234567890.10")]], [Item("数", "n", "number")])
        assert b'{"n":12345678901234567890.10}' in content

    def test_what_others_call_a_number_is_null(self):
        assert json.loads(made(json_file.write, [["NaN"], ["Infinity"]], [Item("数", "n", "number")])) == [
            {"n": None},
            {"n": None},
        ]


class TestXml:
    def values(self, content: bytes) -> list[list[str | None]]:
        root = etree.fromstring(content, etree.XMLParser(huge_tree=True))
        names = [column.get("element") for column in root.find("columns")]
        return [[row.findtext(name) for name in names] for row in root.find("rows")]

    @EXAMPLES
    @given(rows=ROWS)
    def test_equal_values_but_for_what_xml_cannot_hold(self, rows):
        expected = [[UNHELD.sub("\ufffd", cell) if cell else cell for cell in row] for row in texts(rows)]
        assert self.values(made(xml_file.write, rows)) == expected

    def test_the_dictionary_comes_first(self):
        root = etree.fromstring(made(xml_file.write, []))
        assert dict(root[0][1].attrib) == {"element": "area", "name": "面积", "type": "number", "unit": "平方米"}
        assert root[0][0].get("description") == '演示 "数据" <&>'

    def test_names_of_others_become_elements(self):
        columns = [Item("a", "1 b<", "string"), Item("b", "xmin", "string"), Item("c", "c", "string")]
        content = made(xml_file.write, [["x", "y", "z"]], columns)
        root = etree.fromstring(content)
        assert [(column.get("element"), column.get("id")) for column in root[0]] == [
            ("column-1", "1 b<"),
            ("column-2", "xmin"),
            ("c", None),
        ]
        assert self.values(content) == [["x", "y", "z"]]


class TestXlsx:
    def sheet(self, content: bytes, name: str = "数据") -> list[list[Any]]:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        return [list(row) for row in book[name].iter_rows(values_only=True)][1:]

    def expected(self, value: Any) -> Any:
        """A cell as this format defines it: exact, as a number where a double's 15 digits hold it, else as text."""
        if isinstance(value, str):
            return UNHELD.sub("\ufffd", value)
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int | Decimal):
            digits = canonical(value).replace(".", "").lstrip("-0").rstrip("0")
            return value if len(canonical(value)) <= 15 or len(digits) <= 15 else canonical(value)
        if isinstance(value, datetime):
            exact = value.date() >= date(1900, 3, 1) and value.microsecond % 1000 == 0
            return value.replace(tzinfo=None, fold=0) if exact else canonical(value)
        return datetime(value.year, value.month, value.day) if value >= date(1900, 3, 1) else str(value)  # noqa: DTZ001

    def equal(self, found: Any, wanted: Any) -> bool:
        if isinstance(wanted, int | Decimal) and not isinstance(wanted, bool):
            return Decimal(str(found)) == Decimal(wanted) and not isinstance(found, str)
        if isinstance(wanted, datetime):
            return isinstance(found, datetime) and abs(found - wanted) < timedelta(milliseconds=1)
        return type(found) is type(wanted) and found == wanted

    @EXAMPLES
    @given(rows=ROWS)
    def test_openpyxl_reads_equal_values(self, rows):
        found = self.sheet(made(xlsx.write, rows))
        wanted = [[self.expected(value) for value in row] for row in rows]
        wanted = [
            [re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", one) if isinstance(one, str) else one for one in row]
            for row in wanted
        ]
        for found_row, wanted_row in zip(found, wanted, strict=True):
            for one, other in zip(found_row, wanted_row, strict=True):
                assert self.equal(one, other), (one, other)

    @EXAMPLES
    @given(rows=st.lists(st.tuples(NUMBERS), min_size=1, max_size=12))
    def test_figures_are_exact_in_another_reader(self, rows):
        book = CalamineWorkbook.from_filelike(io.BytesIO(made(xlsx.write, rows, [Item("数", "n", "number")])))
        found = book.get_sheet_by_name("数据").to_python()[1:]
        assert [Decimal(str(cell)) for (cell,) in found] == [value for (value,) in rows]

    def test_more_rows_than_a_sheet_holds_go_on_in_the_next(self):
        rows = [[number] for number in range(2 * BATCH_ROWS + 5)]
        content = made(xlsx.write, rows, [Item("数", "n", "integer")], sheet_rows=1801)
        names = ["数据", "数据 (2)", "数据 (3)"]
        found = [[cell for (cell,) in self.sheet(content, name)] for name in names]
        assert [len(part) for part in found] == [1800, 1800, 405]
        assert [number for part in found for number in part] == [number for (number,) in rows]

    def test_a_sheet_that_is_just_full_is_the_last(self):
        content = made(xlsx.write, [[number] for number in range(10)], [Item("数", "n", "integer")], sheet_rows=11)
        assert openpyxl.load_workbook(io.BytesIO(content), read_only=True).sheetnames == ["数据", "数据项说明"]

    def test_no_text_is_a_formula(self):
        sheet = openpyxl.load_workbook(io.BytesIO(made(xlsx.write, [["=1+1"]], COLUMNS[:1])))["数据"]
        assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s")

    def test_a_text_longer_than_a_cell_is_cut_and_told(self):
        content = made(xlsx.write, [["长" * 40_000], ["😀" * 20_000], ["短"]], COLUMNS[:1])
        cells = [cell for (cell,) in self.sheet(content)]
        assert [len(cell.encode("utf-16-le")) // 2 for cell in cells[:2]] == [32_767, 32_767]
        assert all(cell.endswith("…") for cell in cells[:2])
        assert any("2 个单元格超过 32767" in str(row) for row in self.sheet(content, "数据项说明"))

    def test_what_was_replaced_is_told(self):
        content = made(xlsx.write, [["甲\x01"], ["乙"]], COLUMNS[:1])
        assert any("1 个单元格含有" in str(row) for row in self.sheet(content, "数据项说明"))

    def test_what_looks_like_an_escape_is_escaped(self):
        archive = zipfile.ZipFile(io.BytesIO(made(xlsx.write, [["_x0041_"]], COLUMNS[:1])))
        assert b"<t>_x005F_x0041_</t>" in archive.read("xl/worksheets/sheet1.xml")
        assert archive.testzip() is None

    @pytest.mark.parametrize(("number", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
    def test_letters_of_columns(self, number, letters):
        assert xlsx.letter(number) == letters


class TestParquet:
    @EXAMPLES
    @given(rows=ROWS)
    def test_equal_values(self, rows, tmp_path, monkeypatch):
        monkeypatch.setattr(export_files, "folder", lambda: tmp_path)
        table = pq.read_table(io.BytesIO(made(parquet_file.write, rows)))
        assert [tuple(row[name] for name in NAMES) for row in table.to_pylist()] == rows


class TestGeojson:
    PLACES = (
        Item("站点", "station", "string"),
        Item("经度", "longitude", "number"),
        Item("纬度", "latitude", "number", description="CGCS2000"),
    )

    def test_points_with_all_columns_as_properties(self):
        rows = [["惠城站", Decimal("114.416196"), Decimal("23.112075")], ["未定位", None, Decimal("23.1")]]
        found = json.loads(made(geojson.write, rows, self.PLACES), parse_float=Decimal)
        assert found["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::4490"
        assert (found["coordinate_system"], found["declared"]) == ("CGCS2000", True)
        first, second = found["features"]
        assert first["geometry"] == {"type": "Point", "coordinates": rows[0][1:]}
        assert first["properties"] == dict(zip(["station", "longitude", "latitude"], rows[0], strict=True))
        assert second["geometry"] is None

    def test_an_empty_table_is_an_empty_collection(self):
        assert json.loads(made(geojson.write, [], self.PLACES))["features"] == []

    @pytest.mark.parametrize(
        ("said", "urn"),
        [
            ("", "urn:ogc:def:crs:EPSG::4490"),
            ("WGS84", "urn:ogc:def:crs:OGC:1.3:CRS84"),
            *((said, None) for said in ("高德地图", "GCJ-02", "百度")),
        ],
    )
    def test_only_of_systems_that_it_can_name(self, said, urn):
        columns = [Item("经度", "lon", "number", description=said), Item("纬度", "lat", "number", description=said)]
        pair = geojson.pair_of(columns)
        assert (pair and geojson.CRS[pair.system]) == urn

    def test_is_not_made_of_a_table_without_places(self):
        with pytest.raises(LookupError):
            made(geojson.write, [], COLUMNS)


def test_moments_are_read_as_they_were(tmp_path, monkeypatch):
    """Both readings of the hour that came twice in September 1986 are told apart where a format has zones."""
    first = datetime(1986, 9, 13, 23, 30, tzinfo=CITY_ZONE)
    rows = [[first], [first + timedelta(hours=1)], [datetime(1900, 1, 1, tzinfo=CITY_ZONE)]]
    column = [Item("时间", "moment", "datetime")]
    assert [row["moment"] for row in json.loads(made(json_file.write, rows, column))] == [
        canonical(value) for (value,) in rows
    ]
    monkeypatch.setattr(export_files, "folder", lambda: tmp_path)
    table = pq.read_table(io.BytesIO(made(parquet_file.write, rows, column)))
    assert [row["moment"] for row in table.to_pylist()] == [value for (value,) in rows]
