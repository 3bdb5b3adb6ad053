"""Pairs of coordinates in tables, the systems that they name, and the way back to CGCS2000."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.coordinates import (
    BD09,
    CGCS2000,
    EAST,
    GCJ02,
    NORTH,
    SOUTH,
    WEST,
    WGS84,
    is_inside,
    pairs_of,
    to_cgcs2000,
    wgs84_to_gcj02,
)
from ckanext.openhuizhou.domain.items import Item

LONGITUDES, LATITUDES = st.floats(WEST, EAST), st.floats(SOUTH, NORTH)
METRES_OF_A_DEGREE = 111_000


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    right = (one[0] - other[0]) * math.cos(math.radians(one[1]))
    return math.hypot(right, one[1] - other[1]) * METRES_OF_A_DEGREE


def pair(name: str = "", description: str = "") -> list[Item]:
    return [
        Item(f"{name}经度", "jd", "number", unit="度", description=description),
        Item(f"{name}纬度", "wd", "number", unit="度"),
    ]


class TestPairs:
    def test_are_found_by_label(self):
        found = pairs_of([Item("名称", "name", "string"), *pair()])
        assert [(one.longitude.column, one.latitude.column) for one in found] == [("jd", "wd")]

    def test_are_found_by_column(self):
        found = pairs_of([Item("X", "lon", "number"), Item("Y", "lat", "number")])
        assert [(one.longitude.column, one.latitude.column) for one in found] == [("lon", "lat")]

    def test_start_and_end_are_two_pairs(self):
        items = [
            Item(f"{end}{axis}", f"{end}{axis}", "number") for axis in ("经度", "纬度") for end in ("起点", "终点")
        ]
        assert [(one.longitude.name, one.latitude.name) for one in pairs_of(items)] == [
            ("起点经度", "起点纬度"),
            ("终点经度", "终点纬度"),
        ]

    def test_one_alone_or_in_text_is_none(self):
        assert pairs_of([Item("经度", "lon", "number")]) == ()
        assert pairs_of([Item("经度", "lon", "string"), Item("纬度", "lat", "string")]) == ()


class TestSystem:
    @pytest.mark.parametrize(
        ("said", "system", "declared"),
        [
            ("", CGCS2000, False),
            ("2000国家大地坐标系", CGCS2000, True),
            ("CGCS2000", CGCS2000, True),
            ("EPSG:4326", WGS84, True),
            ("WGS-84", WGS84, True),
            ("高德地图坐标", GCJ02, True),
            ("GCJ02", GCJ02, True),
            ("百度坐标", BD09, True),
            ("BD-09", BD09, True),
            ("由GCJ-02转为WGS84", "", False),
        ],
    )
    def test_is_what_the_columns_say(self, said: str, system: str, declared: bool):
        found = pairs_of(pair(description=said))[0]
        assert (found.system, found.declared) == (system, declared)


class TestTurning:
    @pytest.mark.parametrize(("system", "back"), [(CGCS2000, False), (WGS84, False), ("", False), (GCJ02, True)])
    def test_only_what_is_shifted_is_turned_back(self, system: str, back: bool):
        assert (to_cgcs2000(114.4, 23.1, system) != (114.4, 23.1)) is back

    def test_the_shift_is_that_of_the_published_formulas(self):
        # the usual example of the open implementations, Beijing
        assert wgs84_to_gcj02(116.404, 39.915) == pytest.approx((116.410244, 39.916404), abs=1e-5)

    def test_baidus_shift_lies_on_top_of_it(self):
        # the usual example of the open implementations: BD-09 → GCJ-02 is (116.39762729119315, 39.90865673957631)
        assert to_cgcs2000(116.404, 39.915, BD09) == pytest.approx(
            to_cgcs2000(116.39762729119315, 39.90865673957631, GCJ02), abs=1e-7
        )

    @given(LONGITUDES, LATITUDES)
    def test_there_and_back_is_where_it_was(self, longitude: float, latitude: float):
        shifted = wgs84_to_gcj02(longitude, latitude)
        assert 100 < metres(shifted, (longitude, latitude)) < 1000
        assert metres(to_cgcs2000(*shifted, GCJ02), (longitude, latitude)) < 0.1


class TestInside:
    def test_the_city_is_inside_and_its_neighbours_capitals_are_not(self):
        assert is_inside(114.42, 23.11)
        assert not is_inside(113.26, 23.13)
        assert not is_inside(23.11, 114.42)
