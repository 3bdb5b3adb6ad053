"""What addresses ask of maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ckanext.openhuizhou.domain.chart_choice import Problem
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.map_choice import Map, arguments_of_map, chosen_map, label_of, mappable

ITEMS = [
    Item("机构编号", "org_code", "string", is_key=True),
    Item("性质", "nature", "string"),
    Item("机构名称", "org_name", "string"),
    Item("县区", "county", "string"),
    Item("经度", "longitude", "number"),
    Item("纬度", "latitude", "number"),
    Item("床位数", "beds", "integer", unit="张"),
    Item("入住率", "rate", "number", unit="%"),
]


def asked(items: Sequence[Item], args: Mapping[str, str]) -> tuple[Map | None, tuple[Problem, ...]]:
    return chosen_map(mappable(items), label_of(items), args)


class TestChosen:
    def test_places_come_first(self):
        map_, problems = asked(ITEMS, {})
        assert map_ is not None
        assert map_.show == "points"
        assert map_.label == ITEMS[2]
        assert problems == ()

    def test_regions_are_taken_with_their_figure(self):
        map_, _problems = asked(ITEMS, {"show": "regions", "y": "beds"})
        assert map_ is not None
        assert map_.pair is None
        assert (map_.x, map_.y, map_.how) == (ITEMS[3], ITEMS[6], "sum")

    def test_rates_are_not_added_up(self):
        map_, problems = asked(ITEMS, {"show": "regions", "y": "rate", "how": "sum"})
        assert map_ is not None
        assert map_.how == "mean"
        assert problems == (Problem("not-added", "入住率"),)

    def test_what_the_table_has_not_is_said(self):
        map_, problems = asked(ITEMS[:4], {"show": "points", "y": "beds"})
        assert map_ is not None
        assert map_.show == "regions"
        assert problems == (Problem("kind", "points"), Problem("no-column", "beds"))

    def test_a_table_without_places_has_no_map(self):
        assert asked(ITEMS[:3], {}) == (None, ())
        assert mappable(ITEMS[:3]).shows == ()

    def test_a_column_that_names_other_places_is_no_region(self):
        assert mappable(ITEMS[:4], {"county": ["天河区", "越秀区", "惠城区"]}).shows == ()
        assert mappable(ITEMS[:4], {"county": ["惠州市", "惠城区"]}).shows == ("regions",)

    def test_its_address_asks_for_itself(self):
        for args in ({}, {"show": "regions"}, {"show": "regions", "y": "rate"}, {"y": "beds"}):
            map_, _problems = asked(ITEMS, args)
            assert map_ is not None
            assert asked(ITEMS, arguments_of_map(map_)) == (map_, ())


class TestLabel:
    def test_a_row_is_called_by_its_name_else_by_what_there_is(self):
        assert label_of(ITEMS) == ITEMS[2]
        assert label_of(ITEMS[:2]) == ITEMS[1]
        assert label_of(ITEMS[:1]) == ITEMS[0]
        assert label_of(ITEMS[4:]) is None
