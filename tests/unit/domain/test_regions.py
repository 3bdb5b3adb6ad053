"""Counties and zones as tables write them, and the outlines that stand for them."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from pathlib import Path

import pytest

import ckanext.openhuizhou.domain.regions as module
from ckanext.openhuizhou.domain.coordinates import is_inside
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.regions import REGIONS, named_regions, region_columns, region_of
from ckanext.openhuizhou.schemas.yaml_file import read_yaml

ROOT = Path(__file__).parents[3]
OUTLINES = Path(module.__file__).parents[1] / "public" / "openhuizhou" / "regions.geojson"
Point = tuple[float, float]


@pytest.fixture(scope="module")
def outlines() -> dict[str, list[Point]]:
    features = json.loads(OUTLINES.read_text("utf-8"))["features"]
    return {
        feature["properties"]["code"]: [tuple(point) for point in feature["geometry"]["coordinates"][0]]
        for feature in features
    }


class TestNames:
    @pytest.mark.parametrize(
        ("written", "code"),
        [
            ("惠城区", "441302"),
            ("惠城", "441302"),
            ("惠州市惠阳区", "441303"),
            ("广东省惠州市博罗县", "441322"),
            (" 惠 东 县 ", "441323"),
            ("441324", "441324"),
            (441324, "441324"),
            ("441324000000", "441324"),
            ("441324000", "441324"),
            ("大亚湾", "441391"),
            ("惠州大亚湾经济技术开发区", "441391"),
            ("仲恺高新技术产业开发区", "441392"),
        ],
    )
    def test_are_known_in_every_usual_spelling(self, written: object, code: str):
        found = region_of(written)
        assert found is not None
        assert found.code == code

    @pytest.mark.parametrize("written", [None, "", "惠州市", "全市", "东莞市", "441399", "441302101", "惠", "4413020"])
    def test_other_places_are_none_of_ours(self, written: object):
        assert region_of(written) is None

    def test_codes_are_those_of_the_departments(self):
        declared = read_yaml(ROOT / "config" / "departments.yaml")["regions"]
        assert {region.code: region.name for region in REGIONS} == {
            code: names["zh"] for code, names in declared.items() if code != "441300"
        }

    def test_share_of_values_that_name_a_county(self):
        assert named_regions(["惠城区", "441303", "东莞市", None]) == 0.5
        assert named_regions([]) == 0


class TestColumns:
    def test_names_come_before_codes(self):
        items = [
            Item("区划代码", "county_code", "string"),
            Item("县区", "county", "string"),
            Item("类型", "kind", "string"),
        ]
        assert [item.column for item in region_columns(items)] == ["county", "county_code"]

    def test_figures_and_texts_are_no_regions(self):
        assert region_columns([Item("区域面积", "area", "number"), Item("县区说明", "note", "text")]) == ()


class TestOutlines:
    def test_there_is_one_for_each_county_by_its_name(self, outlines: dict[str, list[Point]]):
        named = {f["properties"]["code"]: f["properties"]["name"] for f in json.loads(OUTLINES.read_text())["features"]}
        assert named == {region.code: region.name for region in REGIONS}
        assert outlines.keys() == named.keys()

    def test_each_is_a_closed_ring_inside_the_city(self, outlines: dict[str, list[Point]]):
        for ring in outlines.values():
            assert ring[0] == ring[-1]
            assert len(set(ring)) == len(ring) - 1 > 6
            assert all(is_inside(*point) for point in ring)

    def test_no_two_lines_cross(self, outlines: dict[str, list[Point]]):
        lines = [pair for ring in outlines.values() for pair in pairwise(ring)]
        assert not [pair for pair in combinations(lines, 2) if crossing(*pair)]

    def test_neighbours_share_their_border(self, outlines: dict[str, list[Point]]):
        borders = {code: {frozenset(pair) for pair in pairwise(ring)} for code, ring in outlines.items()}
        for one, other in [("441302", "441303"), ("441302", "441322"), ("441303", "441391"), ("441322", "441324")]:
            assert borders[one] & borders[other]

    def test_it_says_that_it_draws_no_boundary(self):
        assert "不作为划界依据" in OUTLINES.read_text("utf-8")


def crossing(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    (a, b), (c, d) = one, other
    return side(a, b, c) * side(a, b, d) < -1e-12 and side(c, d, a) * side(c, d, b) < -1e-12


def side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
