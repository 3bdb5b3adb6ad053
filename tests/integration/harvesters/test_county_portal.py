"""Kind ``ckan`` against a real plain CKAN 2.12: 惠东县's portal, started beside the test stack's services."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckanapi import RemoteCKAN
from tests.integration.harvesters.conftest import Department, Feed, make_feed

from ckanext.openhuizhou.harvesters.kinds import Reading, SourceKind, check_config, kind_named
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.stack import databases, departments
from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.services import Stack
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient

TABLES = {
    "zhongxiaoxue-minglu": 96,
    "yiliao-jigou": 60,
    "xingzheng-xuke": 180,
    "nongchanpin-jiage": 72,
    "yugang-matou": 18,
    "wushui-chuli": 20,
    "lvyou-jingdian": 22,
    "kongqi-zhiliang": 59,
}
LINKED = {"gongjiao-xianlu", "gonggong-cesuo", "caizheng-yusuan", "zhongdian-xiangmu"}


@pytest.fixture(scope="module")
def county() -> Iterator[RemoteCKAN]:
    """The portal as its own officer, who may do everything there."""
    layout = Layout.from_environment()
    stack = Stack(layout, print)
    (filled,) = (one for one in stack.systems() if one.department.name == "huidong")
    databases.create_plain_site(stack.port("postgres"), stack.secrets, "huidong")
    part = departments.part(filled, layout.project)
    stack.supervisor.ensure(part)
    ini = departments.data_folder(layout, filled.department) / "ckan.ini"
    command = [Path(sys.executable).with_name("ckan"), "-c", ini, "user", "token", "add", "huidong", "test"]
    token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1].strip()
    with RemoteCKAN(part.address, apikey=token) as portal:
        yield portal
    stack.supervisor.stop(part.name, part)


@pytest.fixture
def made(county: RemoteCKAN) -> Iterator[Callable[..., dict[str, Any]]]:
    """``made("name", title=…)`` is a dataset of the county's; it is gone at the end."""
    names: list[str] = []

    def create(name: str, **fields: Any) -> dict[str, Any]:
        names.append(name)
        return county.action.package_create(name=name, owner_org="huidong", **fields)

    yield create
    for name in names:
        county.action.dataset_purge(id=name)


@pytest.fixture
def source(county: RemoteCKAN) -> Iterator[Callable[..., SourceKind]]:
    opened: list[SourceKind] = []

    def open_source(**config: Any) -> SourceKind:
        kind = kind_named("ckan", Place("f"))
        options = check_config({"url": county.address, "key": "name", **config}, kind.options, Place("f"))
        host = county.address.removeprefix("http://")
        made = kind(options, Reading(HttpClient(Guard(frozenset({host})))))
        opened.append(made)
        made.open()
        return made

    yield open_source
    for one in opened:
        one.close()


class TestRecords:
    def test_every_public_dataset_with_its_table_or_its_links(self, source: Any):
        reading = source(tables=True)
        records = {record.key: record for record in reading.records()}
        assert reading.reading.total == len(records) == len(TABLES) + len(LINKED)
        assert {key: len(list(record.rows())) for key, record in records.items() if record.rows} == TABLES
        assert {key for key, record in records.items() if record.links} == LINKED
        labels = [column["label"] for column in records["wushui-chuli"].payload["columns"]]
        assert labels == ["月份", "厂名称", "处理水量", "化学需氧量浓度", "氨氮浓度"]
        assert records["wushui-chuli"].payload["extras.主题"] == "环境保护"
        assert records["gongjiao-xianlu"].links[0].size == 18432

    def test_pages_hold_together_when_the_portal_changes_meanwhile(self, source: Any, made: Any, county: RemoteCKAN):
        made("first", title="演示数据一")
        reading = source(page_size=3)
        stream = reading.records()
        keys = [next(stream).key for _ in range(3)]
        made("second", title="演示数据二")
        county.action.package_delete(id="first")
        keys += [record.key for record in stream]
        assert len(keys) == len(set(keys))
        assert set(keys) - {"first", "second"} == set(TABLES) | LINKED

    @pytest.mark.parametrize(
        ("filters", "keys"),
        [
            ({"groups": ["zhili"]}, {"xingzheng-xuke", "yugang-matou", "caizheng-yusuan", "zhongdian-xiangmu"}),
            ({"organizations": ["elsewhere"]}, set()),
            ({"query": "tags:教育"}, {"zhongxiaoxue-minglu"}),
        ],
    )
    def test_filters_are_the_portals_own(self, source: Any, filters: dict[str, Any], keys: set[str]):
        assert {record.key for record in source(**filters).records()} == keys


class TestHarvest:
    @pytest.fixture
    def feed(self, county: RemoteCKAN, department: Department, monkeypatch: pytest.MonkeyPatch) -> Feed:
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [county.address.removeprefix("http://")])
        fixed = {
            "category": "211001",
            "theme": "environment",
            "open_type": "unconditional",
            "share_type": "unconditional",
            "share_way": "file",
            "format_class": "spreadsheet",
            "update_cycle": "daily",
        }
        fields: dict[str, Any] = {name: {"const": value} for name, value in fixed.items()}
        fields |= {"title": {"from": "title"}, "notes": {"from": ["notes", "title"]}, "tag_string": {"from": "tags"}}
        items: dict[str, Any] = {"from": "columns", "name": {"from": "label"}, "column": {"from": "name"}}
        listed = [{"name": "内容", "column": "content"}]
        chinese = [{"name": "景点名称", "column": "spot_name", "from": "景点名称"}]
        datasets = {key: {"items": listed} for key in (*LINKED, "extra")} | {"lvyou-jingdian": {"items": chinese}}
        config = {"url": county.address, "key": "name", "tables": True}
        mapping = {"fields": fields, "items": items, "datasets": datasets}
        return make_feed(department, kind="ckan", config=config, mapping=mapping)

    def test_what_is_added_changed_and_gone_there_is_so_here(self, feed: Feed, county: RemoteCKAN, made: Any):
        count = len(TABLES) + len(LINKED)
        assert feed.run()["counts"] == {"added": count}
        assert feed.run()["counts"] == {"unchanged": count}
        made(
            "extra",
            title="演示数据：另一个",
            notes="演示数据",
            resources=[{"url": "http://h.example/x.csv", "name": "x"}],
        )
        assert feed.run()["counts"] == {"added": 1, "unchanged": count}
        (link,) = feed.entry("extra")["resources"]
        county.action.package_patch(
            id="extra", title="演示数据：改名", resources=[{"url": "http://h.example/x.csv", "name": "y"}]
        )
        assert feed.run()["counts"] == {"changed": 1, "unchanged": count}
        entry = feed.entry("extra")
        assert (entry["title"], entry["resources"][0]["id"], entry["resources"][0]["name"]) == (
            "演示数据：改名",
            link["id"],
            "y",
        )
        county.action.package_patch(id="extra", private=True)
        assert feed.run()["counts"] == {"unchanged": count, "withdrawn": 1}
        assert feed.entry("extra")["entry_state"] == "withdrawn"

    def test_rows_that_are_added_there_come_here(self, feed: Feed, county: RemoteCKAN):
        feed.run()
        (resource,) = county.action.package_show(id="yugang-matou")["resources"]
        row = {"mtbh": "演示MT99", "mtmc": "演示码头", "xz": "平海镇", "bws": 1, "axcd": 2}
        county.action.datastore_upsert(resource_id=resource["id"], method="insert", force=True, records=[row])
        try:
            report = feed.run()
            assert report["counts"] == {"changed": 1, "unchanged": len(TABLES) + len(LINKED) - 1}, report["findings"]
            assert len(feed.table("yugang-matou")) == TABLES["yugang-matou"] + 1
        finally:
            county.action.datastore_delete(resource_id=resource["id"], force=True, filters={"mtbh": "演示MT99"})
