"""A table copied below the actions equals the one that ``datastore_create`` and ``datastore_upsert`` make."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import cache
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan.tests.factories import SysadminWithToken
from ckanext.datastore.backend.postgres import get_write_engine

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.domain.cell_types import CONVERTERS, POSTGRESQL_TYPES
from ckanext.openhuizhou.domain.city_time import CITY_ZONE
from ckanext.openhuizhou.domain.column_info import info_of
from ckanext.openhuizhou.domain.items import Item

ITEMS = [
    Item("站点名称", "station", "string", description="监测站的全称"),
    Item("监测时间", "measured_at", "datetime"),
    Item("日期", "day", "date"),
    Item("AQI", "aqi", "integer"),
    Item("细颗粒物", "pm25", "number", unit="μg/m³"),
    Item("投资", "cost", "currency", unit="元"),
    Item("达标", "met", "boolean"),
    Item("备注", "note", "text"),
]
ROWS: list[list[object]] = [
    ["惠城站", datetime(2018, 3, 1, 8, tzinfo=CITY_ZONE), "2018-03-01", 35, 12.5, "1,000.50", "是", "air quality good"],
    ["大亚湾站", "2018-03-01 09:00", "2018-03-02", 120, None, None, "否", "上风向，有'引号'和\"双引号\""],
    ["龙门站", None, None, None, 0.1, -3, None, None],
    ["Boluo station", "2018-03-01 10:00:00.5", "2018-03-03", -7, "1e-3", "0", "否", "running dogs; O'Neil"],
]
QUERIES: dict[str, dict[str, Any]] = {
    "everything": {},
    "a word": {"q": "good"},
    "a stem": {"q": "dog"},
    "a whole Chinese value": {"q": "大亚湾站"},
    "Chinese inside a run": {"q": "亚湾"},
    "two words in two columns": {"q": "惠城 quality"},
    "a number": {"q": "35"},
    "Chinese in one column": {"q": {"note": "引号"}},
    "operators": {"q": "惠城 | (龙门 & !good)", "plain": False},
    "beginnings of words": {"q": "Bol:* & run:*", "plain": False},
    "a sort of one's own": {"q": "站", "sort": "station desc"},
    "a date": {"q": "2018-03-02"},
    "a boolean": {"q": "true"},
    "a time": {"q": "2018-03-01T09:00:00+08:00"},
    "a filter by a time without zone": {"filters": {"measured_at": "2018-03-01 09:00:00"}},
    "a word in one column": {"q": {"note": "air"}},
    "a filter by number": {"filters": {"aqi": 120}},
    "a filter by text": {"filters": {"station": ["龙门站", "惠城站"]}},
    "a filter by range": {"filters": {"measured_at": {"gte": "2018-03-01T09:00:00+08:00"}}},
    "a filter by truth": {"filters": {"met": True}},
    "some fields": {"fields": ["aqi", "station"]},
    "sorted": {"sort": "pm25 desc nulls last, station"},
    "distinct": {"distinct": True, "fields": ["met"], "sort": "met"},
    "a page": {"limit": 2, "offset": 1},
    "lists": {"records_format": "lists"},
    "csv": {"records_format": "csv"},
}


def action(action_name: str, /, **data: Any) -> Any:
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    return tk.get_action(action_name)({"ignore_auth": True, "user": user}, data)


@pytest.fixture
def resource_ids(with_plugins: None) -> tuple[str, str]:
    """Two resources with the same table: written by the actions, and by us."""
    return written_both_ways()


@cache
def written_both_ways() -> tuple[str, str]:
    """Once for the module, behind a draft, which no list of entries shows."""
    organization = action("organization_create", name=f"org-{uuid.uuid4().hex[:8]}", title="演示单位")
    package = action("package_create", title=f"演示数据 {uuid.uuid4()}", owner_org=organization["id"])
    resources = [
        action("resource_create", package_id=package["id"], name=name, url="t.csv", url_type="upload", format="CSV")
        for name in ("actions", "copy")
    ]
    by_actions, by_copy = (resource["id"] for resource in resources)
    fields = [{"id": item.column, "type": POSTGRESQL_TYPES[item.data_type], "info": info_of(item)} for item in ITEMS]
    action("datastore_create", resource_id=by_actions, fields=fields, force=True)
    records = [
        {item.column: CONVERTERS[item.data_type](cell) for item, cell in zip(ITEMS, row, strict=True)} for row in ROWS
    ]
    action("datastore_upsert", resource_id=by_actions, records=records, method="insert", force=True)
    tables.publish_table(tables.stage_table(by_copy, ITEMS, ROWS), package["id"])
    return by_actions, by_copy


class TestSameAsActions:
    @pytest.mark.parametrize("query", sorted(QUERIES))
    def test_search(self, resource_ids, query):
        by_actions, by_copy = (action("datastore_search", resource_id=r, **QUERIES[query]) for r in resource_ids)
        for result in (by_actions, by_copy):
            result.pop("resource_id")
            result.pop("_links", None)
        assert by_copy == by_actions
        assert by_actions["records"]

    def test_a_sign_of_patterns_is_only_a_sign(self, resource_ids):
        for sign in ("%", "_", "\\"):
            assert action("datastore_search", resource_id=resource_ids[1], q=sign)["records"] == []

    @pytest.mark.parametrize("query", ["惠城 &", "| 惠城", "(惠城", "惠城)", "!"])
    def test_operators_that_do_not_fit_together_are_refused(self, resource_ids, query):
        with pytest.raises(tk.ValidationError):
            action("datastore_search", resource_id=resource_ids[1], q=query, plain=False)

    def test_moments_are_shown_in_the_citys_time(self, resource_ids):
        found = action("datastore_search", resource_id=resource_ids[1], q="good")
        assert found["records"][0]["measured_at"] == "2018-03-01T08:00:00+08:00"
        assert {field["id"]: field["type"] for field in found["fields"]} == {
            "_id": "int",
            "station": "text",
            "measured_at": "timestamptz",
            "day": "date",
            "aqi": "int8",
            "pm25": "numeric",
            "cost": "numeric",
            "met": "bool",
            "note": "text",
            "rank": "float",
        }
        assert found["fields"][1]["info"] == {
            "label": "站点名称",
            "notes": "监测站的全称",
            "data_type": "string",
            "type_override": "text",
        }

    def test_info(self, resource_ids):
        by_actions, by_copy = (action("datastore_info", id=r) for r in resource_ids)
        assert by_copy["fields"] == by_actions["fields"]
        assert by_copy["meta"]["count"] == by_actions["meta"]["count"] == len(ROWS)
        assert by_copy["meta"]["table_type"] == by_actions["meta"]["table_type"]

    @pytest.mark.parametrize(
        "catalogue",
        [
            "SELECT indexdef FROM pg_indexes WHERE tablename = :name AND indexdef NOT LIKE '%(_full_text)'",
            "SELECT grantee || privilege_type FROM information_schema.role_table_grants WHERE table_name = :name",
            "SELECT column_default FROM information_schema.columns WHERE table_name = :name AND column_name = '_id'",
        ],
    )
    def test_what_the_database_knows(self, resource_ids, catalogue):
        with get_write_engine().connect() as connection:

            def told(resource_id: str) -> list[str]:
                found = connection.scalars(sa.text(catalogue), {"name": resource_id})
                return sorted(line.replace(resource_id, "TABLE") for line in found)

            by_actions, by_copy = (told(resource_id) for resource_id in resource_ids)
        assert by_copy == by_actions
        assert by_actions

    def test_dump(self, resource_ids, app):
        headers = {"Authorization": SysadminWithToken()["token"]}
        by_actions, by_copy = (app.get(f"/datastore/dump/{r}?bom=true", headers=headers).body for r in resource_ids)
        assert by_copy == by_actions
        assert "惠城站" in by_copy

    def test_writing_through_the_actions_goes_on(self, resource_ids):
        _, by_copy = resource_ids
        record = {"station": "新站", "note": "appended"}
        action("datastore_upsert", resource_id=by_copy, records=[record], method="insert", force=True)
        found = action("datastore_search", resource_id=by_copy, q="appended")
        assert [(row["station"], row["_id"]) for row in found["records"]] == [("新站", len(ROWS) + 1)]
        action("datastore_records_delete", resource_id=by_copy, filters={"station": "新站"}, force=True)


def test_staging_tables_cannot_be_searched(resource_id):
    tables.stage_table(resource_id, ITEMS, ROWS)
    with pytest.raises(tk.ObjectNotFound):
        action("datastore_search", resource_id=f"_stage_{resource_id}")
