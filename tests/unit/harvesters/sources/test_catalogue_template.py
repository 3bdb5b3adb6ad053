"""Real workbooks in the forms in which departments fill in the guide's table. All of it made up (演示数据)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ckanext.openhuizhou.domain.entry_rules import check_entry
from ckanext.openhuizhou.errors import SourceMalformed
from ckanext.openhuizhou.harvesters.kinds import kind_named
from ckanext.openhuizhou.harvesters.mapping import load_mapping
from ckanext.openhuizhou.harvesters.rules import Place

Rows = list[list[Any]]

#: The guide's table: two header rows, of which some cells go over both. Columns as (upper, lower).
COLUMNS = [
    ("信息资源分类", "类"),
    (None, "项"),
    (None, "目"),
    (None, "细目"),
    ("信息资源名称", None),
    ("信息资源代码", None),
    ("信息资源提供方", None),
    ("信息资源提供方代码", None),
    ("信息资源摘要", None),
    ("信息资源格式", "信息资源格式分类"),
    (None, "信息资源格式类型"),
    ("信息项信息", "信息项名称"),
    (None, "数据类型"),
    (None, "数据长度"),
    ("共享属性", "共享类型"),
    (None, "共享条件"),
    (None, "共享方式"),
    ("开放属性", "是否向社会开放"),
    (None, "开放条件"),
    ("更新周期", None),
    ("发布日期", None),
    ("关联资源代码", None),
]
UPPER, LOWER = map(list, zip(*COLUMNS, strict=True))
MERGED = ["A2:D2", "J2:K2", "L2:N2", "O2:Q2", "R2:S2", *(f"{c}2:{c}3" for c in "EFGHITUV")]
PLACES = {"share": 14, "open": 17, "open_condition": 18, "provider": 6, "cycle": 19}


def entry(name: str, code: str | None = None, *items: tuple[str, str, Any], **values: Any) -> Rows:
    """One entry: its cells in the first row alone, one row for each item."""
    first: list[Any] = ["主题信息资源", "安全生产", "安全生产监管", None, name, code]
    first += ["惠州市安全生产监督管理局", "演示代码", f"{name}的摘要", "电子表格", "XLSX", None, None, None]
    first += ["无条件共享", "无", "文件", "是", "无", "每月", dt.date(2018, 3, 1), None]
    for key, value in values.items():
        first[PLACES[key]] = value
    rows = [list(first), *([None] * 22 for _ in items[1:])]
    for row, item in zip(rows, items, strict=False):
        row[11:14] = item
    return rows


ITEMS = [("企业名称", "字符型C", 100), ("检查日期", "日期型D", None), ("隐患数", "数值型N", 8)]


class Template:
    """A workbook in the making."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workbook = openpyxl.Workbook()
        self.sheet: Any = self.workbook.active
        self.sheet.title = "政务信息资源目录"

    def add(self, rows: Rows, *merged: str) -> None:
        for row in rows:
            self.sheet.append(row)
        for cells in merged:
            self.sheet.merge_cells(cells)

    def guide(self, *entries: Rows) -> None:
        self.add([["惠州市政务信息资源目录（演示数据）"], UPPER, LOWER], "A1:V1", *MERGED)
        for rows in entries:
            self.add(rows)

    def save(self, name: str = "目录.xlsx") -> dict[str, Any]:
        self.workbook.save(self.folder / name)
        return {"url": str(self.folder)}


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return Template(tmp_path)


def labels(record: Any) -> list[str]:
    return [column["label"] for column in record.payload["columns"]]


def kinds_of(record: Any) -> list[tuple[str, int | None]]:
    return [(finding.kind, finding.row) for finding in record.findings]


class TestTheGuidesTable:
    def test_each_entry_is_a_record_in_the_guides_own_words(self, template: Template, read: Any):
        template.guide(entry("安全检查情况", "3270001/1", *ITEMS), entry("重大危险源", "3270001/2", *ITEMS[:1]))
        first, second = read("catalogue-template", template.save())
        assert (first.key, second.key) == ("3270001/1", "3270001/2")
        assert first.payload["项"] == "安全生产"
        assert first.payload["信息资源名称"] == "安全检查情况"
        assert first.payload["信息资源格式分类"] == "电子表格"
        assert first.payload["共享方式分类"] == "文件"
        assert first.payload["发布日期"] == "2018-03-01"
        assert (labels(first), labels(second)) == (["企业名称", "检查日期", "隐患数"], ["企业名称"])
        assert first.payload["columns"][0] == {
            "name": "企业名称",
            "label": "企业名称",
            "column": "c1",
            "type": "字符型C",
            "length": "100",
        }
        assert (first.payload["文件"], first.payload["工作表"]) == ("目录.xlsx", "政务信息资源目录")
        assert (first.payload["行"], second.payload["行"]) == (4, 7)
        assert not first.findings + second.findings

    def test_cells_may_be_merged_over_the_rows_of_an_entry(self, template: Template, read: Any):
        template.guide(entry("安全检查情况", None, *ITEMS), entry("重大危险源", None, *ITEMS))
        for column in range(1, 23):
            if not 12 <= column <= 14:
                for top in (4, 7):
                    template.sheet.merge_cells(start_row=top, end_row=top + 2, start_column=column, end_column=column)
        first, second = read("catalogue-template", template.save())
        assert labels(first) == labels(second) == ["企业名称", "检查日期", "隐患数"]
        assert not first.findings

    def test_cells_may_be_repeated_in_each_row(self, template: Template, read: Any):
        rows = entry("安全检查情况", None, *ITEMS)
        for row in rows[1:]:
            row[:11], row[14:] = rows[0][:11], rows[0][14:]
        template.guide(rows)
        (record,) = read("catalogue-template", template.save())
        assert labels(record) == ["企业名称", "检查日期", "隐患数"]

    def test_an_entry_without_a_code_is_known_by_provider_and_name(self, template: Template, read: Any):
        template.guide(entry("安全检查 情况"), entry("安全检查情况（月报）", provider="惠州市统计局"))
        first, second = read("catalogue-template", template.save())
        assert first.key == "惠州市安全生产监督管理局/安全检查情况"
        assert second.key == "惠州市统计局/安全检查情况月报"

    def test_rows_that_contradict_one_another_refuse_their_entry_alone(self, template: Template, read: Any):
        rows = entry("安全检查情况", "1", *ITEMS)
        rows[2][14] = "不予共享"
        template.guide(rows, entry("重大危险源", "2", *ITEMS))
        first, second = read("catalogue-template", template.save())
        assert kinds_of(first) == [("template-differs", 6)]
        assert first.findings[0].params["sheet"] == "政务信息资源目录"
        assert (first.findings[0].field, first.findings[0].value) == ("共享类型", "不予共享")
        assert not second.findings

    def test_sums_examples_and_notes_are_no_entries(self, template: Template, read: Any):
        example = entry("示例：人口基本信息")
        template.guide(example, entry("安全检查情况", "1"), [["合计", None, None, None, "1项"]])
        template.add([["注：本表由各部门填写"], ["填表人：演示", None, None, None, "审核人：演示"]])
        (record,) = read("catalogue-template", template.save())
        assert record.key == "1"

    def test_entries_under_the_notes_are_told(self, template: Template, read: Any):
        template.guide(entry("安全检查情况", "1"), [["注：见下"]], entry("重大危险源", "2"))
        first, lost = read("catalogue-template", template.save())
        assert (first.key, lost.key) == ("1", "")
        assert kinds_of(lost) == [("rows-after-notes", 6)]

    def test_a_row_without_name_and_code_is_told(self, template: Template, read: Any):
        template.guide([[None] * 11 + ["企业名称", "C", 10]], entry("重大危险源", "2"))
        lost, record = read("catalogue-template", template.save())
        assert (lost.key, kinds_of(lost)) == ("", [("template-name-missing", 4)])
        assert record.key == "2"

    def test_columns_of_ones_own_stay_under_their_name(self, template: Template, read: Any):
        header = ["信息资源名称", "信息资源代码", "信息资源摘要", "责任领导处室", "联系电话"]
        template.add([header, ["甲", "1", "乙", "一处", 2808080.0]])
        (record,) = read("catalogue-template", template.save())
        assert record.payload["责任领导处室"] == "一处"
        assert record.payload["联系电话"] == "2808080"


class TestOtherForms:
    def test_one_header_row_with_other_names(self, template: Template, read: Any):
        header = ["序号", "资源名称", "提供单位", "摘要", "更新频率"]
        header += ["数据项名称", "字段名", "字段类型", "开放类型", "访问地址"]
        lines = [1, "公交线路", "惠州市交通运输局", "线路", "每日"]
        stops = [3, "公交站点", "惠州市交通运输局", "站点", "每日"]
        rows = [
            [*lines, "线路名", "line_name", "字符型", "无条件开放", "https://d.example/a"],
            [2, None, None, None, None, "票价", "PRICE", "货币型", None, None],
            [*stops, "站名", "stop", "字符型", "有条件开放", None],
        ]
        template.add([header, *rows])
        first, second = read("catalogue-template", template.save())
        assert [column["column"] for column in first.payload["columns"]] == ["line_name", "PRICE"]
        assert first.payload["信息资源名称"] == "公交线路"
        assert [link.url for link in first.links] == ["https://d.example/a"]
        assert second.payload["开放类型"] == "有条件开放"

    def test_items_on_a_sheet_of_their_own(self, template: Template, read: Any):
        template.add(
            [
                ["信息资源代码", "信息资源名称", "信息资源提供方", "信息资源摘要", "更新周期"],
                ["1", "公交线路", "惠州市交通运输局", "线路", "每日"],
                [None, "公交站点", "惠州市交通运输局", "站点", "每日"],
            ]
        )
        items = template.workbook.create_sheet("信息项")
        for row in [
            ["信息资源代码", "信息资源名称", "信息项名称", "数据类型"],
            ["1", None, "线路名", "C"],
            ["1", None, "票价", "Y"],
            [None, "公交站点", "站名", "C"],
            [None, "不存在", "甲", "C"],
        ]:
            items.append(row)
        lines, stops, lost = read("catalogue-template", template.save())
        assert labels(lines) == ["线路名", "票价"]
        assert labels(stops) == ["站名"]
        assert [(finding.kind, finding.value) for finding in lost.findings] == [("template-items-alone", "不存在")]

    def test_the_table_may_be_on_any_sheet(self, template: Template, read: Any):
        template.add([["填写说明"], ["一、……"]])
        template.sheet = template.workbook.create_sheet("目录")
        template.guide(entry("安全检查情况", "1"))
        (record,) = read("catalogue-template", template.save())
        assert record.payload["工作表"] == "目录"

    def test_several_workbooks_are_one_catalogue(self, template: Template, read: Any, tmp_path: Path):
        template.guide(entry("安全检查情况", "1"))
        template.save("a.xlsx")
        other = Template(tmp_path)
        other.guide(entry("重大危险源", "2"))
        records = read("catalogue-template", other.save("b.xlsx"))
        assert [(record.key, record.payload["文件"]) for record in records] == [("1", "a.xlsx"), ("2", "b.xlsx")]

    @pytest.mark.parametrize("content", ["other table", "no workbook"])
    def test_a_workbook_without_the_table_fails_the_source(
        self, template: Template, read: Any, tmp_path: Path, content: str
    ):
        template.add([["编号", "企业"], [1, "甲"]])
        config = template.save()
        if content == "no workbook":
            (tmp_path / "目录.xlsx").write_bytes(b"PK\x03\x04")
        with pytest.raises(SourceMalformed) as error:
            read("catalogue-template", config)
        assert "目录.xlsx" in str(error.value)


class TestDefaultMapping:
    """A department needs no mapping."""

    @pytest.fixture
    def mapped(self, template: Template, read: Any):
        kind = kind_named("catalogue-template", Place("x"))
        mapping = load_mapping(kind.default_mapping, Place("x"))

        def mapped(rows: Rows) -> Any:
            template.guide(rows)
            (record,) = read("catalogue-template", template.save())
            return mapping.apply(record)

        return mapped

    def test_makes_a_complete_entry_of_the_guides_table(self, mapped: Any):
        found = mapped(entry("安全检查情况", "1", *ITEMS))
        assert not found.findings
        assert found.provider == "惠州市安全生产监督管理局"
        values = {name: found.entry[name] for name in ("title", "theme", "open_type", "share_type", "share_way")}
        assert values == {
            "title": "安全检查情况",
            "theme": "work-safety",
            "open_type": "unconditional",
            "share_type": "unconditional",
            "share_way": "file",
        }
        assert [(item["name"], item["column"], item["data_type"]) for item in found.entry["items"]] == [
            ("企业名称", "c1", "string"),
            ("检查日期", "c2", "date"),
            ("隐患数", "c3", "number"),
        ]
        complete = {**found.entry, "owner_org": "x", "category": "327001"}
        assert not list(check_entry(complete, "publish"))

    @pytest.mark.parametrize(
        ("is_open", "condition", "expected"),
        [("是", "无", "unconditional"), ("是", "经申请审核", "conditional"), ("否", "涉及商业秘密", "none")],
    )
    def test_reads_yes_and_no_with_a_condition(self, mapped: Any, is_open: str, condition: str, expected: str):
        found = mapped(entry("安全检查情况", "1", open=is_open, open_condition=condition))
        assert found.entry["open_type"] == expected
        assert found.entry["open_condition"] == (None if condition == "无" else condition)

    def test_a_value_that_the_guide_does_not_have_is_told(self, mapped: Any):
        found = mapped(entry("安全检查情况", "1", cycle="偶尔"))
        assert [(finding.kind, finding.field, finding.value) for finding in found.findings] == [
            ("code-unknown", "update_cycle", "偶尔")
        ]
