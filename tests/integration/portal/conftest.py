"""A small open catalogue as a visitor sees it: entries with tables of 2018, one without data, one on conditions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import plugins
from ckan.lib.search import rebuild
from ckan.tests import factories, helpers
from freezegun import freeze_time
from tests.factories import complete_entry

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.domain.items import Item

EVIL = "<script>alert(1)</script>"
AIR_ITEMS = [
    Item("监测站", "station", "string", is_key=True),
    Item("监测时间", "observed", "datetime", is_key=True),
    Item("细颗粒物", "pm25", "number", unit="μg/m³"),
]
NAME_ITEMS = [Item("名称", "name", "string")]


@dataclass
class Portal:
    """``entries``: what was made, by a short name."""

    app: Any
    sysadmin: dict[str, Any]
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: list[str] = field(default_factory=list)

    def page(self, address: str, status: int = 200, **params: str) -> Any:
        """A page as a visitor gets it."""
        response = self.app.get(address, query_string=params, follow_redirects=False)
        assert response.status_code == status, response.body
        return response

    def add(
        self,
        key: str,
        day: str,
        *,
        items: Sequence[Item] = tuple(NAME_ITEMS),
        rows: Sequence[Sequence[object]] = (),
        **fields: Any,
    ) -> dict[str, Any]:
        """Publish an entry on a day, with a table when there are rows."""
        resource_id = str(uuid.uuid4())
        entry = BASIC | {
            "items": [{"name": i.name, "column": i.column, "data_type": i.data_type, "unit": i.unit} for i in items],
            "row_count": len(rows),
        }
        if rows:
            file = {
                "id": resource_id,
                "url": "data.csv",
                "url_type": "upload",
                "format": "CSV",
                "datastore_active": True,
            }
            entry["resources"] = [file]
        with freeze_time(day):
            made = tk.get_action("package_create")({"user": self.sysadmin["name"]}, entry | fields)
        if rows:
            self.resources.append(resource_id)
            tables.publish_table(tables.stage_table(resource_id, items, rows), made["id"])
            rebuild(made["id"])
        self.entries[key] = made
        return made


FILE: dict[str, Any] = {"url": "data.csv", "url_type": "upload", "format": "CSV", "datastore_active": True}
BASIC = complete_entry(entry_state="published", demo=True)


@pytest.fixture(scope="package")
def portal(empty_database: Any, reset_index: Any) -> Iterator[Portal]:
    plugins.load_all()
    empty_database()
    reset_index()
    app = helpers._get_test_app()  # CKAN's `app` fixture makes a new one for each test
    made = None
    try:
        with app.flask_app.test_request_context():
            made = Portal(app, factories.SysadminWithToken())
            fill(made)
        yield made
    finally:
        for resource_id in made.resources if made else ():
            tables.drop_table(resource_id)
        plugins.unload_all()


def fill(portal: Portal) -> None:
    for name, title in (("huanbaoju", "惠州市环境保护局"), ("jiaotongju", "惠州市交通运输局")):
        organization = {"name": name, "title": title, "level": "city", "region": "441300"}
        tk.get_action("organization_create")({"user": portal.sysadmin["name"]}, organization)
    hours = [["下埔", f"2018-01-01 {hour:02}:00", 20 + hour / 2] for hour in range(24)]
    air = {"title": "空气质量小时数据", "owner_org": "huanbaoju", "license_id": "huizhou-open"}
    portal.add("air", "2018-03-20", items=AIR_ITEMS, rows=hours, **air)
    bus = {"title": "公交线路", "owner_org": "jiaotongju", "theme": "transport", "category": "209001"}
    portal.add("bus", "2018-04-02", rows=[["1路"], ["2路"]], **bus)
    water = portal.add("water", "2018-03-25", title="水质月报", owner_org="huanbaoju", rows=[["西枝江"]])
    with freeze_time("2018-05-01"):
        withdrawal = {"id": water["id"], "reason": "演示"}
        tk.get_action("openhuizhou_entry_withdraw")({"user": portal.sysadmin["name"]}, withdrawal)
    portal.add("without data", "2018-03-21", title="排污单位", owner_org="huanbaoju")
    portal.add(
        "conditional",
        "2018-03-21",
        title="企业用电明细",
        owner_org="jiaotongju",
        open_type="conditional",
        open_condition="仅向研究机构提供",
        contact_name="综合科",
    )
    portal.add(
        "evil",
        "2018-06-01",
        title=f"养老{EVIL}",
        notes=f"摘要{EVIL}",
        owner_org="jiaotongju",
        items=[Item(f"名称{EVIL}", "name", "string")],
        rows=[[f"单元格{EVIL}"]],
        contact_name=EVIL,
        time_range=EVIL,
        source_system=EVIL,
    )
    application = {
        "type": "application",
        "title": "惠州好空气",
        "notes": "演示数据",
        "developer": "演示开发者",
        "platform": "web",
        "theme": "environment",
        "url": "https://example.com/",
        "dataset_codes": [portal.entries["air"]["catalogue_code"]],
        "entry_state": "published",
        "demo": True,
    }
    as_sysadmin = {"user": portal.sysadmin["name"]}
    portal.entries["application"] = tk.get_action("package_create")(as_sysadmin, application)
