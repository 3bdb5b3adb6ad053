"""Fills the remote CKAN: ``fill_remote.py COUNT`` entries of our schema, 2 resources each, one with a table."""

from __future__ import annotations

import sys

import ckan.plugins.toolkit as tk
from _app import answer, application

from ckanext.openhuizhou.data.tables import publish_table, stage_table
from ckanext.openhuizhou.domain.items import Item

ROWS = 20
ITEMS = [
    {"name": "站点编号", "column": "station_code", "data_type": "string", "is_key": True},
    {"name": "监测时间", "column": "observed_at", "data_type": "datetime"},
    {"name": "监测值", "column": "value", "data_type": "number"},
    {"name": "是否达标", "column": "up_to_standard", "data_type": "boolean"},
]


def entry(number: int) -> dict:
    return {
        "title": f"第{number}号监测点数据（演示数据）",
        "notes": f"第{number}号监测点的自动监测结果，由监测站每月汇总发布。" * 3,
        "owner_org": "huanbaoju",
        "category": "211001",
        "theme": "environment",
        "tags": [{"name": "监测"}, {"name": f"监测点{number % 50}"}],
        "open_type": "unconditional",
        "share_type": "unconditional",
        "share_way": "file",
        "format_class": "spreadsheet",
        "update_cycle": "monthly",
        "contact_name": "数据专员",
        "entry_state": "published",
        "demo": True,
        "items": ITEMS,
        "resources": [
            {"name": "数据表", "format": "CSV", "url": f"http://data.example.org/{number}.csv"},
            {"name": "说明", "format": "PDF", "url": f"http://data.example.org/{number}.pdf"},
        ],
    }


def rows(number: int) -> list[list[object]]:
    return [
        [f"ZD{number:04}-{row:02}", f"2018-03-{row + 1:02}T08:00:00", round(number * 0.1 + row, 1), row % 3 > 0]
        for row in range(ROWS)
    ]


def main(count: int) -> None:
    items = [Item.from_dict(item) for item in ITEMS]
    site_user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    for number in range(1, count + 1):
        context = {"ignore_auth": True, "user": site_user, "openhuizhou_approved_source": True}
        made = tk.get_action("package_create")(context, entry(number))
        staged = stage_table(made["resources"][0]["id"], items, rows(number))
        publish_table(staged, made["id"])
    answer(count=count)


with application():
    main(int(sys.argv[1]))
