"""Links of a record as resources of its entry: ids that stay, and what a person added stays too."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model

from ckanext.openhuizhou.model.harvest import Source, link_id_of, resource_id_of


def link(number: int, **values: Any) -> dict[str, Any]:
    return {"url": f"http://data.example/{number}.csv", "name": f"第{number}月", "format": "CSV"} | values


@pytest.fixture
def linked(department: Any, feed: Any) -> Any:
    """A source whose records bring links in “文件”."""
    source = model.Session.get_one(Source, feed.source_id)
    source.config = {**source.config, "links": {"list": "文件"}}
    model.Session.commit()
    return feed


def shown(feed: Any, key: str = "D-1") -> list[tuple[str, str]]:
    return [(resource["url"].rsplit("/", 1)[1], resource["name"]) for resource in feed.entry(key)["resources"]]


class TestLinks:
    def test_each_is_a_resource_beside_the_table(self, department: Any, linked: Any):
        department.add("D-1", 文件=[link(1), link(2, name="", description="演示"), link(1), link(3, url="file:///x")])
        run = linked.run()
        assert (run["counts"], [finding.kind for finding in run["findings"]]) == ({"added": 1}, ["links-refused"])
        table, first, second = linked.entry("D-1")["resources"]
        assert table["id"] == resource_id_of(linked.source_id, "D-1")
        assert first["id"] == link_id_of(linked.source_id, "D-1", first["url"])
        assert (first["url"], first["name"], first["format"]) == ("http://data.example/1.csv", "第1月", "CSV")
        assert (second["name"], second["description"]) == ("2.csv", "演示")
        assert linked.inconsistencies() == []

    def test_another_name_keeps_the_id_and_what_is_gone_goes(self, department: Any, linked: Any):
        department.add("D-1", 文件=[link(1), link(2)])
        linked.run()
        ids = [resource["id"] for resource in linked.entry("D-1")["resources"]]
        department.change("D-1", 文件=[link(3), link(1, name="一月")], 名称="演示改名")
        assert linked.run()["counts"] == {"changed": 1}
        assert shown(linked)[1:] == [("1.csv", "一月"), ("3.csv", "第3月")]
        assert [resource["id"] for resource in linked.entry("D-1")["resources"]][:2] == ids[:2]
        assert linked.run()["counts"] == {"unchanged": 1}
        assert linked.table("D-1")

    def test_what_a_person_added_stays_where_it_is(self, department: Any, linked: Any):
        department.add("D-1", 文件=[link(1)])
        linked.run()
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        added = {"package_id": linked.entry("D-1")["id"], "url": "http://data.example/help.pdf", "name": "说明"}
        tk.get_action("resource_create")({"ignore_auth": True, "user": user}, added)
        department.change("D-1", 文件=[link(2)], version="2")
        department.rows["D-1"].append({"station": "龙门", "reading": 1})
        assert linked.run()["counts"] == {"changed": 1}
        assert [name for _file, name in shown(linked)][1:] == ["说明", "第2月"]
        assert len(linked.table("D-1")) == 3

    def test_an_entry_of_links_alone(self, department: Any, linked: Any):
        source = model.Session.get_one(Source, linked.source_id)
        source.config = {name: value for name, value in source.config.items() if name != "data"}
        model.Session.commit()
        department.add("D-1", 文件=[link(number) for number in range(300)])
        assert linked.run()["counts"] == {"added": 1}
        assert len(linked.entry("D-1")["resources"]) == 300
        assert linked.run()["counts"] == {"unchanged": 1}
        department.change("D-1", 文件=[])
        assert linked.run()["counts"] == {"changed": 1}
        assert linked.entry("D-1")["resources"] == []
