"""Real workbooks, made as offices make them."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ckanext.openhuizhou.data.workbook_size import MOST_BYTES
from ckanext.openhuizhou.errors import RecordRefused

Rows = list[list[Any]]


@pytest.fixture
def save(tmp_path: Path):
    def save(rows: Rows, *merged: str, name: str = "台账.xlsx", sheet: str = "Sheet1") -> dict[str, str]:
        workbook = openpyxl.Workbook()
        worksheet = workbook.active
        assert worksheet is not None
        worksheet.title = sheet
        for row in rows:
            worksheet.append(row)
        for cells in merged:
            worksheet.merge_cells(cells)
        workbook.save(tmp_path / name)
        return {"url": str(tmp_path)}

    return save


def names(record: Any) -> list[str]:
    return [column["name"] for column in record.payload["columns"]]


PLAIN: Rows = [["编号", "企业", "日期"], [1, "甲公司", dt.date(2018, 3, 1)], [2, "乙公司", dt.date(2018, 3, 2)]]


class TestHeader:
    def test_a_plain_table(self, save: Any, read: Any, table: Any):
        (record,) = read("excel", save(PLAIN))
        assert names(record) == ["编号", "企业", "日期"]
        assert table(record) == [
            {"编号": 1.0, "企业": "甲公司", "日期": dt.date(2018, 3, 1)},
            {"编号": 2.0, "企业": "乙公司", "日期": dt.date(2018, 3, 2)},
        ]

    def test_title_rows_above_are_not_the_header(self, save: Any, read: Any, table: Any):
        rows = [["惠州市危险化学品企业台账"], ["填报单位：市安监局", None, "单位：家"], [], *PLAIN]
        (record,) = read("excel", save(rows, "A1:C1"))
        assert names(record) == ["编号", "企业", "日期"]
        assert record.payload["title"].startswith("惠州市危险化学品企业台账 填报单位")
        assert len(table(record)) == 2

    def test_two_merged_rows_are_joined(self, save: Any, read: Any, table: Any):
        rows = [
            ["检查情况统计表"],
            ["县区", "检查", None, "处罚", None],
            [None, "次数", "隐患数", "起数", "金额（万元）"],
            ["惠城区", 12, 30, 2, 1.5],
        ]
        config = save(rows, "A1:E1", "A2:A3", "B2:C2", "D2:E2")
        (record,) = read("excel", {**config, "join": "-"})
        assert names(record) == ["县区", "检查-次数", "检查-隐患数", "处罚-起数", "处罚-金额（万元）"]
        assert table(record) == [
            {
                "县区": "惠城区",
                "检查-次数": 12.0,
                "检查-隐患数": 30.0,
                "处罚-起数": 2.0,
                "处罚-金额（万元）": 1.5,
            }
        ]

    def test_declared_rows_are_believed(self, save: Any, read: Any):
        rows = [["a", "b"], ["编号", "企业"], [1, "甲"]]
        (record,) = read("excel", {**save(rows), "header": 2})
        assert names(record) == ["编号", "企业"]

    def test_line_breaks_in_a_header_go_and_equal_names_get_numbers(self, save: Any, read: Any):
        (record,) = read("excel", save([["企业\n名称", "数 量", "数量"], ["甲", 1, 2]]))
        assert names(record) == ["企业名称", "数量", "数量_2"]

    @pytest.mark.parametrize("rows", [[], [[1, 2, 3], [4, 5, 6]]], ids=["empty", "numbers only"])
    def test_without_a_header_the_record_is_refused(self, save: Any, read: Any, rows: Rows):
        (record,) = read("excel", save(rows))
        assert [finding.kind for finding in record.findings] == ["header-not-found"]


class TestRows:
    def test_notes_and_sums_are_no_data(self, save: Any, read: Any, table: Any):
        rows = [*PLAIN, ["合计", 2, None], [], ["注：数据为演示数据"], ["制表人：张某", None, "审核人：李某"]]
        (record,) = read("excel", save(rows, "A7:C7"))
        assert [row["企业"] for row in table(record)] == ["甲公司", "乙公司"]
        assert record.payload["note"].startswith("注：数据为演示数据")

    def test_a_text_alone_below_the_table_is_a_note(self, save: Any, read: Any, table: Any):
        (record,) = read("excel", save([*PLAIN, ["以上为 2018 年一季度情况"]]))
        assert len(table(record)) == 2

    def test_rows_after_an_empty_one_are_not_lost(self, save: Any, read: Any, table: Any):
        (record,) = read("excel", save([*PLAIN, [], [3, "丙公司", dt.date(2018, 3, 3)]]))
        assert [row["企业"] for row in table(record)] == ["甲公司", "乙公司", "丙公司"]

    def test_rows_under_the_notes_refuse_the_record(self, save: Any, read: Any, table: Any):
        (record,) = read("excel", save([*PLAIN, ["注：见下"], [3, "丙公司", dt.date(2018, 3, 3)]]))
        with pytest.raises(RecordRefused) as error:
            table(record)
        assert [(finding.kind, finding.row) for finding in error.value.findings] == [("rows-after-notes", 5)]

    def test_a_label_merged_over_rows_stands_in_each_of_them(self, save: Any, read: Any, table: Any):
        rows = [["县区", "企业", "数量"], ["惠城区", "甲", 1], [None, "乙", 2], ["博罗县", "丙", 3]]
        (record,) = read("excel", save(rows, "A2:A3"))
        assert [row["县区"] for row in table(record)] == ["惠城区", "惠城区", "博罗县"]

    def test_dates_as_numbers_and_as_text_come_as_they_are(self, save: Any, read: Any, table: Any):
        rows = [["编号", "日期", "备注"], [1, 43160, "a"], [2, "2018年3月2日", "b"], [3, "2018-3-3", "c"]]
        (record,) = read("excel", save(rows))
        assert [row["日期"] for row in table(record)] == [43160.0, "2018年3月2日", "2018-3-3"]


class TestFolder:
    def test_a_manifest_names_file_and_sheet(self, save: Any, read: Any, table: Any):
        save(PLAIN, sheet="企业")
        manifest: Rows = [
            ["数据目录"],
            ["编号", "文件名", "工作表"],
            ["A-1", "台账.xlsx", "企业"],
            ["A-2", "没有.xlsx", ""],
        ]
        config = save(manifest, name="目录.xlsx") | {"manifest": "目录.xlsx", "key": "编号", "sheet_field": "工作表"}
        found, missing = read("excel", config)
        assert (found.key, found.payload["编号"], len(table(found))) == ("A-1", "A-1", 2)
        assert [(finding.kind, finding.value) for finding in missing.findings] == [("file-missing", "没有.xlsx")]

    def test_a_sheet_that_is_not_there_refuses_the_record(self, save: Any, read: Any):
        (record,) = read("excel", {**save(PLAIN), "sheet": "没有"})
        assert [finding.kind for finding in record.findings] == ["sheet-missing"]

    def test_a_file_that_is_no_workbook_refuses_the_record(self, read: Any, tmp_path: Path):
        (tmp_path / "坏.xlsx").write_bytes(b"PK\x03\x04 no workbook")
        (record,) = read("excel", {"url": str(tmp_path)})
        assert [finding.kind for finding in record.findings] == ["record-unreadable"]

    def test_an_http_listing_is_a_folder_and_asks_by_condition(
        self, save: Any, read: Any, table: Any, web: Any, tmp_path: Path
    ):
        save(PLAIN, name="台账 1.xlsx")
        content = (tmp_path / "台账 1.xlsx").read_bytes()

        def workbook(handler: Any) -> Any:
            known = handler.headers.get("If-None-Match") == '"v1"'
            return (304, {}, b"") if known else (200, {"ETag": '"v1"'}, content)

        listing = '<a href="../">up</a> <a href="?C=M">sort</a> <a href="%E5%8F%B0%E8%B4%A6%201.xlsx">台账</a>'
        web.pages["/files/"] = f"<html>{listing}<a href='http://elsewhere.example/x.xlsx'>x</a></html>".encode()
        web.pages["/files/%E5%8F%B0%E8%B4%A6%201.xlsx"] = workbook
        config = {"url": web.url + "/files/", "token": "t0ken"}
        (first,) = read("excel", config)
        assert (first.key, len(table(first))) == ("台账 1.xlsx", 2)
        assert all(headers["Authorization"] == "Bearer t0ken" for _method, _path, headers in web.requests)
        web.requests.clear()
        (again,) = read("excel", config, {first.key: first.state})
        assert again.data_digest == first.data_digest
        assert again.payload == first.payload
        assert len(web.requests) == 2

    def test_a_listed_file_that_is_gone_refuses_its_record_only(
        self, save: Any, read: Any, table: Any, web: Any, tmp_path: Path
    ):
        save(PLAIN, name="b.xlsx")
        web.pages["/files/"] = b'<a href="a.xlsx">a</a> <a href="b.xlsx">b</a>'
        web.pages["/files/b.xlsx"] = (tmp_path / "b.xlsx").read_bytes()
        gone, there = read("excel", {"url": web.url + "/files/"})
        assert [finding.kind for finding in gone.findings] == ["file-missing"]
        assert len(table(there)) == 2

    def test_a_file_that_goes_away_after_it_was_fetched_is_read_as_it_was(
        self, save: Any, read: Any, table: Any, web: Any, tmp_path: Path
    ):
        for name in ("a", "b"):
            save(PLAIN, name=f"{name}.xlsx")
            web.pages[f"/files/{name}.xlsx"] = (tmp_path / f"{name}.xlsx").read_bytes()
        web.pages["/files/"] = b'<a href="a.xlsx">a</a> <a href="b.xlsx">b</a>'
        first, _second = read("excel", {"url": web.url + "/files/"})
        del web.pages["/files/a.xlsx"]
        assert len(table(first)) == 2


class TestSize:
    def test_a_cell_in_the_far_corner_is_refused_before_it_takes_all_memory(self, read: Any, tmp_path: Path):
        workbook = openpyxl.Workbook()
        worksheet = workbook.active
        assert worksheet is not None
        worksheet["A1"] = "编号"
        worksheet["XFD1048576"] = "x"
        workbook.save(tmp_path / "远.xlsx")
        (record,) = read("excel", {"url": str(tmp_path)})
        assert [finding.kind for finding in record.findings] == ["workbook-too-large"]

    def test_a_part_that_unpacks_to_much_is_refused(self, read: Any, tmp_path: Path):
        with (
            zipfile.ZipFile(tmp_path / "大.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as part,
        ):
            for _ in range(MOST_BYTES // (1 << 24) + 1):
                part.write(bytes(1 << 24))
        (record,) = read("excel", {"url": str(tmp_path)})
        assert [finding.kind for finding in record.findings] == ["workbook-too-large"]
