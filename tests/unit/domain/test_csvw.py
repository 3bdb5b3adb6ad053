"""The CSVW metadata is one by the csvw library, and reads the published file with its types."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import csvw as library
import pytest
from csvw.metadata import CSVW

from ckanext.openhuizhou.data.staging import write_table
from ckanext.openhuizhou.domain.csvw import metadata
from ckanext.openhuizhou.domain.items import Item

from .test_table_schema import ITEMS, ROWS

ABOUT = {"dc:title": "企业", "dc:description": "", "dc:license": {"@id": "https://portal.example/licence"}}


def described(folder: Path, rows: list[list[object]], **more: object) -> Path:
    write_table(folder / "data.csv", ITEMS, rows)
    path = folder / "data.csv-metadata.json"
    path.write_text(json.dumps(metadata(ITEMS, "data.csv", ABOUT, **more), ensure_ascii=False), "utf-8")  # pyright: ignore
    return path


class TestPublishedFile:
    @pytest.mark.parametrize("fractions", [frozenset(), None])
    def test_it_is_valid(self, tmp_path, fractions):
        read = CSVW(str(described(tmp_path, ROWS, fractions=fractions)), validate=True)
        assert read.is_valid
        assert not read.warnings

    def test_values_have_their_types(self, tmp_path):
        table: Any = library.Table.from_file(described(tmp_path, ROWS, fractions=frozenset()))
        first = next(iter(table))
        assert first["cost"] == Decimal("1234.50")
        assert first["day"].date() == dt.date(2018, 3, 1)
        assert first["moment"] == dt.datetime.fromisoformat("2018-03-01T08:00:00+08:00")
        assert (first["grade"], first["valid"], first["note"]) == (1, True, '一行,\n"两行"')

    @pytest.mark.parametrize(
        ("column", "value"), [(0, None), (0, "长" * 21), (1, "441304"), (3, -1), (5, "2009-12-31")]
    )
    def test_what_breaks_a_rule_is_found(self, tmp_path, column, value):
        row = list(ROWS[0])
        row[column] = value
        assert not CSVW(str(described(tmp_path, [row], fractions=frozenset())), validate=True).is_valid


class TestDocument:
    def test_what_is_empty_says_nothing(self):
        told = metadata(ITEMS, "data.csv", ABOUT)
        assert "dc:description" not in told
        assert told["dc:license"] == {"@id": "https://portal.example/licence"}

    def test_columns(self):
        columns = metadata(ITEMS, "data.csv")["tableSchema"]["columns"]
        assert columns[0] == {
            "name": "name",
            "titles": "企业名称",
            "datatype": {"base": "string", "maxLength": 20},
            "dc:description": "登记的全称",
            "required": True,
        }
        assert columns[2]["dc:description"] == "1=优; 2=良"
        assert (columns[3]["schema:unitText"], columns[3]["datatype"]["minimum"]) == ("万元", "0")
        assert columns[5]["datatype"]["minimum"] == "2010-01-01"

    def test_a_name_of_another_table_is_a_variable_of_a_template(self):
        told = metadata([Item("名", "Qi Ye-名~", "string")], "data.csv")["tableSchema"]["columns"][0]["name"]
        assert told == "Qi%20Ye%2D%E5%90%8D%7E"
