from __future__ import annotations

from typing import Any

import pytest

from ckanext.openhuizhou.harvesters.drift import columns_of, described, drift, published
from ckanext.openhuizhou.harvesters.mapping import load_mapping
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place

GENERAL = {
    "items": {
        "from": "columns",
        "data_type": {"from": "type", "codes": {"varchar": "string", "text": "string", "int": "integer"}},
    }
}
LISTED = {"datasets": {"D-1": {"items": [{"name": "指数", "column": "index", "data_type": "integer", "from": "aqi"}]}}}


def columns(mapping: dict[str, Any], **types: str) -> list[list[str]]:
    payload = {"columns": [{"name": name, "type": type_} for name, type_ in types.items()]}
    return columns_of(load_mapping(mapping, Place("f")).apply(SourceRecord("D-1", payload=payload)))


class TestGeneralRule:
    before = columns(GENERAL, station="varchar", aqi="int")

    @pytest.mark.parametrize(
        ("after", "change"),
        [
            ({"station": "varchar", "aqi": "int"}, ""),
            ({"aqi": "int", "station": "varchar"}, ""),
            ({"station": "text", "aqi": "int"}, ""),
            ({"station": "varchar", "aqi": "int", "memo": "varchar"}, "+memo"),
            ({"station": "varchar"}, "-aqi"),
            ({"station": "varchar", "aqi": "varchar"}, "~aqi: integer → string"),
            ({"memo": "int", "aqi": "varchar"}, "+memo -station ~aqi: integer → string"),
        ],
    )
    def test_says_what_changed_in_what_is_published(self, after: dict[str, str], change: str):
        found = drift(self.before, columns(GENERAL, **after), listed=False)
        assert (found.change, found.new) == (change, ())

    def test_columns_kept_before_the_sources_types_were(self):
        short = [["station", "string"], ["aqi", "integer"]]
        assert drift(short, self.before, listed=False).change == ""
        assert drift(short, columns(GENERAL, station="varchar"), listed=False).change == "-aqi"

    def test_a_long_change_is_cut(self):
        many = columns(GENERAL, **{f"column_{number}": "int" for number in range(900)})
        assert len(drift(self.before, many, listed=False).change) == 500


class TestListedColumns:
    before = columns(LISTED, aqi="int", memo="text")

    @pytest.mark.parametrize(
        ("after", "change", "new"),
        [
            ({"aqi": "int", "memo": "text"}, "", ()),
            ({"aqi": "int"}, "", ()),
            ({"aqi": "int", "memo": "int"}, "", ()),
            ({"aqi": "int", "memo": "text", "phone": "text"}, "", ("phone",)),
            ({"aqi": "varchar", "memo": "text"}, "~aqi: int → varchar", ()),
            ({"aqi": "", "memo": ""}, "", ()),
        ],
    )
    def test_a_listed_one_may_not_change_and_a_new_one_is_told(
        self, after: dict[str, str], change: str, new: tuple[str, ...]
    ):
        found = drift(self.before, columns(LISTED, **after), listed=True)
        assert (found.change, found.new) == (change, new)

    def test_where_nothing_was_known_nothing_is_new(self):
        assert drift([["index", "integer"]], self.before, listed=True).new == ()


class TestColumns:
    def test_what_is_published_comes_first_and_the_rest_has_no_id(self):
        kept = columns(LISTED, aqi="int", memo="text")
        assert kept == [["index", "integer", "aqi", "int"], ["", "", "memo", "text"]]
        assert published(kept) == [("index", "integer")]
        assert published([["index", "integer"]]) == [("index", "integer")]
        assert published(None) == []

    def test_described_by_name(self):
        assert described([["index", "integer"], ["", "", "memo", "text"]]) == [
            {"column": "index", "data_type": "integer", "name": "", "source_type": "", "published": True},
            {"column": "", "data_type": "", "name": "memo", "source_type": "text", "published": False},
        ]
        assert described(None) == []
