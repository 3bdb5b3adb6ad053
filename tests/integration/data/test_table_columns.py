"""A published table tells its columns itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from ckanext.datastore.backend import DatastoreBackend
from ckanext.datastore.backend.postgres import get_write_engine, identifier

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.data.table_columns import columns_of
from ckanext.openhuizhou.domain.items import Item

ITEMS = (
    Item("企业名称", "name", "string", 200, is_key=True, description="登记的全称", required=True),
    Item("行政区划", "region", "string", values="441302=惠城区; 441303=惠阳区", sensitivity="general"),
    Item("总投资", "cost", "currency", 18, 2, "万元", minimum="0"),
    Item("比例", "share", "number", scale=0, unit="%'\\"),
    Item("数量", "count", "integer", maximum="100"),
    Item("日期", "day", "date"),
    Item("时间", "moment", "datetime"),
    Item("有效", "valid", "boolean"),
    Item("备注", "note", "text", pattern="[^<]*"),
)
ROW = ["演示企业", "441302", "1.50", "3", 4, "2018-03-01", "2018-03-01 08:00", "是", None]


@pytest.fixture
def published(resource_id: str) -> str:
    tables.publish_table(tables.stage_table(resource_id, ITEMS, [ROW]), "a-package")
    return resource_id


def change(statement: str) -> None:
    with get_write_engine().begin() as connection:
        connection.execute(sa.text(statement))


class TestOfOurTable:
    def test_they_are_what_was_loaded(self, published):
        assert columns_of(published) == ITEMS

    def test_the_entrys_rights_are_not_among_them(self, resource_id):
        closed = replace(ITEMS[0], open_type="none", share_type="none")
        tables.publish_table(tables.stage_table(resource_id, [closed], [["甲"]]), "a-package")
        assert columns_of(resource_id) == (ITEMS[0],)

    def test_a_new_code_list_is_a_change(self, published):
        longer = [replace(item, values=item.values and f"{item.values}; 441322=博罗县") for item in ITEMS]
        assert tables.publish_table(tables.stage_table(published, longer, [ROW]), "a-package").changed
        assert columns_of(published) == tuple(longer)

    def test_ckan_shows_them_in_its_dictionary(self, published):
        told = DatastoreBackend.get_active_backend().resource_fields(published)
        infos = {field["id"]: field.get("info", {}) for field in told["fields"]}
        assert infos["cost"] == {
            "label": "总投资",
            "unit": "万元",
            "data_type": "currency",
            "length": 18,
            "scale": 2,
            "minimum": "0",
            "type_override": "numeric",
        }
        assert infos["name"]["is_key"] is True
        assert infos["region"]["values"] == "441302=惠城区; 441303=惠阳区"

    def test_no_table_is_said(self, resource_id):
        with pytest.raises(LookupError):
            columns_of(resource_id)


class TestOfOtherTables:
    def test_columns_without_dictionary_are_told_by_their_types(self, resource_id):
        name = identifier(resource_id)
        change(f'CREATE TABLE {name} (_id serial, "Qi Ye" text, n float8, t timestamp, _full_text tsvector)')
        assert columns_of(resource_id) == (
            Item("Qi Ye", "Qi Ye", "string"),
            Item("n", "n", "number"),
            Item("t", "t", "datetime"),
        )

    @pytest.mark.parametrize("comment", ["a note of somebody", "[1]", '"x"', '{"_info": [1]}', ""])
    def test_other_comments_say_nothing(self, published, comment):
        change(f"COMMENT ON COLUMN {identifier(published)}.count IS '{comment}'")
        assert columns_of(published)[4] == Item("count", "count", "integer")

    def test_the_dictionary_of_an_older_ckan_is_read(self, published):
        change(f'COMMENT ON COLUMN {identifier(published)}.count IS \'{{"label": "户数", "notes": "户"}}\'')
        assert columns_of(published)[4] == Item("户数", "count", "integer", description="户")
