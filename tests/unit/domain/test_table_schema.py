"""The Table Schema is one by Frictionless' own library, and a published file is valid against it."""

from __future__ import annotations

import json
from pathlib import Path

import frictionless
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.data.staging import write_table
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.table_schema import table_schema

ITEMS = (
    Item("企业名称", "name", "string", 20, is_key=True, description="登记的全称"),
    Item("行政区划", "region", "string", values="441302=惠城区; 441303=惠阳区", pattern="4413(02|03)|442000"),
    Item("等级", "grade", "integer", values="1=优; 2=良"),
    Item("总投资", "cost", "currency", 18, 2, "万元", minimum="0"),
    Item("比例", "share", "number", unit="%", maximum="100"),
    Item("日期", "day", "date", minimum="2010年1月1日"),
    Item("时间", "moment", "datetime", minimum="2010-01-01 08:00"),
    Item("有效", "valid", "boolean"),
    Item("备注", "note", "text"),
)
ROWS: list[list[object]] = [
    ["演示企业甲", "441302", 1, "1234.50", "1e-3", "2018-03-01", "2018-03-01 08:00", "是", '一行,\n"两行"'],
    ["演示企业乙", "441303", 2, 0, 99.5, "2018/3/2", "2018-03-01T00:00:00Z", "否", None],
    ["演示企业丙", None, None, None, None, None, None, None, None],
]


def written(folder: Path, rows: list[list[object]]) -> Path:
    path = folder / "data.csv"
    write_table(path, ITEMS, rows)
    return path


def errors(path: Path, schema: dict) -> list[str]:
    described = frictionless.Schema.from_descriptor(json.loads(json.dumps(schema)))
    resource = frictionless.Resource(path=path.name, basepath=str(path.parent), schema=described, encoding="utf-8-sig")
    report = resource.validate()
    return [str(error) for task in report.tasks for error in task.errors]


class TestPublishedFile:
    @pytest.mark.parametrize("fractions", [frozenset(), None])
    def test_it_is_valid(self, tmp_path, fractions):
        assert errors(written(tmp_path, ROWS), table_schema(ITEMS, fractions=fractions)) == []

    def test_parts_of_a_second_are_valid_where_they_are_known_of(self, tmp_path):
        path = written(tmp_path, [["甲", None, None, None, None, None, "2018-03-01 08:00:00.5", None, None]])
        assert errors(path, table_schema(ITEMS, fractions={"moment"})) == []
        assert errors(path, table_schema(ITEMS, fractions=frozenset()))

    @pytest.mark.parametrize(
        ("column", "value"),
        [(0, None), (0, "长" * 21), (1, "441304"), (2, 3), (3, -1), (4, 101), (5, "2009-12-31"), (6, "2009-12-31")],
    )
    def test_what_breaks_a_rule_is_found(self, tmp_path, column, value):
        row = list(ROWS[0])
        row[column] = value
        assert errors(written(tmp_path, [row]), table_schema(ITEMS, fractions=frozenset()))

    def test_two_rows_of_one_key_are_found(self, tmp_path):
        assert errors(written(tmp_path, [ROWS[0], ROWS[0]]), table_schema(ITEMS, fractions=frozenset()))


class TestDocument:
    def test_the_library_takes_it(self):
        frictionless.Schema.from_descriptor(table_schema(ITEMS, title="企业", examples={"grade": ("1",)}))

    @given(
        st.builds(
            Item,
            name=st.text(min_size=1, max_size=9),
            column=st.just("a"),
            data_type=st.sampled_from(
                ["string", "text", "integer", "number", "currency", "date", "datetime", "boolean"]
            ),
            length=st.none() | st.integers(1, 99),
            unit=st.text(max_size=4),
            values=st.sampled_from(["", "1=男; 2=女", "优；良", "2018-01-01", "是=有; 否=无", "x=", "1.5=一半"]),
            minimum=st.sampled_from(["", "0", "-1.5", "2018-01-01", "2018-01-01 08:00", "早"]),
            required=st.booleans(),
        )
    )
    def test_whatever_the_columns_are(self, item):
        example = {"date": "2018-01-01", "datetime": "2018-01-01 08:00:00+08:00", "boolean": "true"}
        examples = {"a": (example.get(item.data_type, "1"),)}
        told = json.loads(json.dumps(table_schema([item], examples=examples)))
        frictionless.Schema.from_descriptor(told)

    def test_codes_are_categories_with_their_labels(self):
        fields = table_schema(ITEMS)["fields"]
        assert fields[2]["categories"] == [{"value": 1, "label": "优"}, {"value": 2, "label": "良"}]
        assert fields[2]["constraints"] == {"enum": [1, 2]}

    def test_headers_of_the_file_name_the_fields(self):
        told = table_schema(ITEMS, title="企业")
        assert [field["name"] for field in told["fields"]] == [item.name for item in ITEMS]
        assert [field["columnId"] for field in told["fields"]] == [item.column for item in ITEMS]
        assert (told["primaryKey"], told["title"], told["missingValues"]) == (["企业名称"], "企业", [""])

    @pytest.mark.parametrize(
        ("data_type", "text", "value"),
        [
            ("integer", "5", 5),
            ("number", "1.50", 1.5),
            ("currency", "2.00", 2),
            ("boolean", "true", True),
            ("string", "007", "007"),
        ],
    )
    def test_examples_are_typed(self, data_type, text, value):
        assert table_schema([Item("甲", "a", data_type)], examples={"a": (text,)})["fields"][0]["example"] == value
