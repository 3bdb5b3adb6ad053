"""The habits of the file-based departments: encodings of 民政局, workbooks of 安全生产监督管理局."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from ckanext.openhuizhou.domain.pii import is_resident_id

ReadCsv = Callable[[str], list[dict[str, str]]]
Generated = Callable[[str], Path]


class TestDropFolder:
    def test_every_file_is_gb18030_and_nothing_else(self, drop_folder: Path) -> None:
        files = sorted(drop_folder.glob("*.csv"))
        assert len(files) == 12
        for path in files:
            content = path.read_bytes()
            content.decode("gb18030")
            with pytest.raises(UnicodeDecodeError):
                content.decode("utf-8")

    def test_place_names_have_characters_of_four_bytes(self, drop_folder: Path) -> None:
        content = (drop_folder / "地名.csv").read_bytes()
        rare = [char for char in content.decode("gb18030") if len(char.encode("gb18030")) == 4]
        assert len(set(rare)) >= 8
        with pytest.raises(UnicodeDecodeError):
            content.decode("gbk")

    def test_chinese_comes_late_in_the_lottery_file(self, drop_folder: Path) -> None:
        content = (drop_folder / "fucai_sales.csv").read_bytes()
        first = next(place for place, byte in enumerate(content) if byte > 127)
        assert first > 300_000
        assert "春节休市" in content[first:].decode("gb18030")

    def test_manifest_lists_every_file_with_its_checksum(self, drop_folder: Path, read_csv: ReadCsv) -> None:
        listed = {row["文件名"]: row["校验值"] for row in read_csv("manifest.csv")}
        found = {path.name: path for path in drop_folder.glob("*.csv")}
        assert set(listed) == set(found) - {"manifest.csv", "columns.csv"}
        for name, checksum in listed.items():
            assert hashlib.sha256(found[name].read_bytes()).hexdigest() == checksum

    def test_column_list_agrees_with_the_headers(self, drop_folder: Path, read_csv: ReadCsv) -> None:
        files = {row["数据编号"]: row["文件名"] for row in read_csv("manifest.csv")}
        columns: dict[str, list[dict[str, str]]] = {}
        for row in read_csv("columns.csv"):
            columns.setdefault(row["数据编号"], []).append(row)
        for key, name in files.items():
            with (drop_folder / name).open(encoding="gb18030", newline="") as file:
                header = next(csv.reader(file))
            assert header in ([row["字段名"] for row in columns[key]], [row["英文名"] for row in columns[key]])

    def test_identity_numbers_are_valid_and_nobodys(self, read_csv: ReadCsv) -> None:
        numbers = [row["身份证号"] for row in read_csv("高龄津贴发放.csv")]
        assert len(numbers) == 640
        assert all(is_resident_id(number) for number in numbers), "the rule for personal data must see them"
        assigned = {row["村社区代码"][:6] for row in read_csv("行政区划.csv")}
        assert {number[:6] for number in numbers} == {"449999"}
        assert "449999" not in assigned

    def test_divisions_are_real_and_whole(self, read_csv: ReadCsv) -> None:
        rows = read_csv("行政区划.csv")
        assert len(rows) == len({row["村社区代码"] for row in rows}) == 1364
        assert {row["县区"] for row in rows} == {"惠城区", "惠阳区", "博罗县", "惠东县", "龙门县"}
        assert all(row["村社区代码"].startswith(row["镇街代码"]) for row in rows)

    @pytest.mark.parametrize("name", ["养老机构.csv", "居家养老服务站.csv", "地名.csv", "行政区域界线.csv"])
    def test_points_lie_in_the_city(self, name: str, read_csv: ReadCsv) -> None:
        for row in read_csv(name):
            assert 113.7 < float(row["经度"]) < 115.7
            assert 22.3 < float(row["纬度"]) < 24.1


class TestWorkbooks:
    def sheet(self, generated: Generated, name: str, sheet: str) -> Worksheet:
        return openpyxl.load_workbook(generated("anjianju") / name)[sheet]

    def test_titles_merged_headers_and_notes(self, generated: Generated) -> None:
        sheet = self.sheet(generated, "危险化学品经营许可企业一览表.xlsx", "Sheet1")
        merged = {str(area) for area in sheet.merged_cells.ranges}
        assert {"A1:J1", "A2:J2", "D3:F3", "H3:J3", "A3:A4"} <= merged
        assert [cell.value for cell in sheet[4]][3:6] == ["编号", "发证日期", "有效期至"]
        assert str(sheet.cell(sheet.max_row - 1, 1).value).startswith("注：")

    def test_dates_come_as_dates_numbers_and_text(self, generated: Generated) -> None:
        sheet = self.sheet(generated, "安全生产行政检查情况.xlsx", "检查记录")
        kinds = {type(row[1].value) for row in sheet.iter_rows(min_row=3, max_row=sheet.max_row - 1)}
        assert kinds == {datetime, int, str}

    def test_statistics_have_a_cover_and_a_total(self, generated: Generated) -> None:
        book = openpyxl.load_workbook(generated("anjianju") / "生产安全事故月度统计.xlsx")
        assert book.sheetnames == ["封面", "月度统计"]
        sheet = book["月度统计"]
        total = [cell.value for cell in sheet[sheet.max_row - 1]]
        figures = [row[2].value for row in sheet.iter_rows(min_row=5, max_row=sheet.max_row - 2)]
        assert total[0] == "合计"
        assert total[2] == sum(figures)

    def test_catalogue_describes_every_other_workbook(self, generated: Generated) -> None:
        sheet = self.sheet(generated, "目录.xlsx", "目录")
        header, *rows = sheet.iter_rows(values_only=True)
        place = {name: index for index, name in enumerate(header)}
        files = {path.name for path in generated("anjianju").glob("*.xlsx")} - {"目录.xlsx"}
        assert {row[place["文件名"]] for row in rows} == files
        assert [row[place["编号"]] for row in rows if not row[place["责任单位"]]] == ["AJ-2018-07"]
