"""What differs between two entries, as a person reads it."""

from __future__ import annotations

from ckanext.openhuizhou.harvesters.differences import changes_of, item_changes


def item(column: str, **values: object) -> dict[str, object]:
    return {"column": column, "name": column.upper(), "data_type": "string", **values}


class TestChangesOf:
    def test_names_each_field_that_differs_and_no_other(self):
        before = {"title": "空气", "notes": "旧", "update_cycle": "daily", "version": "1"}
        after = {**before, "notes": "新", "update_cycle": "weekly"}
        assert changes_of(before, after) == [
            {"field": "notes", "before": "旧", "after": "新"},
            {"field": "update_cycle", "before": "daily", "after": "weekly"},
        ]

    def test_what_is_empty_is_nothing_whichever_way(self):
        before = {"version": "", "related_codes": [], "contact_name": None, "secret": False}
        after = {"version": None, "related_codes": None, "contact_name": "", "secret": ""}
        assert changes_of(before, after) == []

    def test_a_number_is_its_text(self):
        assert changes_of({"row_count": "2"}, {"row_count": 2}) == []
        assert changes_of({"row_count": "2"}, {"row_count": 3}) == [{"field": "row_count", "before": "2", "after": "3"}]

    def test_a_field_that_is_not_given_stays(self):
        assert changes_of({"notes": "旧", "items": [item("a")]}, {"title": "空气"}) == [
            {"field": "title", "before": None, "after": "空气"}
        ]

    def test_keywords_are_compared_as_a_set(self):
        before = {"tags": [{"name": "水"}, {"name": "空气"}], "tag_string": None}
        assert changes_of(before, {"tag_string": "空气, 水,空气"}) == []
        found = changes_of(before, {"tag_string": "土壤,水"})
        assert found == [{"field": "tag_string", "before": "水,空气", "after": "土壤,水"}]

    def test_ckans_own_fields_are_left_out(self):
        assert (
            changes_of({"state": "active", "metadata_modified": "1"}, {"state": "draft", "metadata_modified": "2"})
            == []
        )

    def test_links_by_name_and_address(self):
        table = {"url_type": "upload", "name": "data", "url": "data.csv"}
        old = {"name": "接口", "url": "https://example.org/a"}
        new = {"name": "接口", "url": "https://example.org/b"}
        assert changes_of({"resources": [table, old]}, {"resources": [{**table, "name": "other"}, old]}) == []
        assert changes_of({"resources": [old]}, {"resources": [new]}) == [
            {"field": "resources", "before": ["接口 https://example.org/a"], "after": ["接口 https://example.org/b"]}
        ]


class TestItemChanges:
    def test_added_removed_and_changed_by_column(self):
        before = [item("a"), item("b", unit="米"), item("c")]
        after = [item("c"), item("b", unit="千米", data_type="number"), item("d")]
        assert item_changes(before, after) == [
            {"field": "items.a", "before": {"column": "a", "name": "A", "data_type": "string"}, "after": None},
            {"field": "items.b.data_type", "before": "string", "after": "number"},
            {"field": "items.b.unit", "before": "米", "after": "千米"},
            {"field": "items.d", "before": None, "after": {"column": "d", "name": "D", "data_type": "string"}},
        ]

    def test_another_order_or_another_way_to_write_the_same_is_no_change(self):
        before = [item("a", length="10", is_key="true"), item("b", unit="")]
        assert item_changes(before, [item("b"), item("a", length=10, is_key=True)]) == []
