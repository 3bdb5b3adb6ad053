"""Files on their way into the catalogue: from a real SFTP server, from a web server, through the engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import openpyxl
import pytest
import sqlalchemy as sa
from ckan import model
from tests.sftp_server import SftpServer

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.model.harvest import Record, Source, resource_id_of

from .conftest import Department, Feed, make_feed

FIELDS: dict[str, Any] = {
    "notes": {"const": "演示数据"},
    "category": {"const": "211001"},
    "theme": {"const": "environment"},
    "open_type": {"const": "unconditional"},
    "share_type": {"const": "unconditional"},
    "share_way": {"const": "file"},
    "format_class": {"const": "spreadsheet"},
    "update_cycle": {"const": "monthly"},
}
LONG_AGO = (1_500_000_000, 1_500_000_000)


@pytest.fixture
def sftp(tmp_path: Path, department: Department, monkeypatch: pytest.MonkeyPatch) -> Iterator[SftpServer]:
    folder = tmp_path / "sftp"
    folder.mkdir()
    server = SftpServer(folder)
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [server.host, department.web.host])
    yield server
    server.stop()


@pytest.fixture
def made(department: Department) -> Iterator[Any]:
    """``made(kind, config, …)`` is a source; its tables go with the test."""
    feeds: list[Feed] = []

    def made(kind: str, config: dict[str, Any], mapping: dict[str, Any]) -> Feed:
        feeds.append(make_feed(department, kind=kind, config=config, mapping=mapping))
        return feeds[-1]

    yield made
    model.Session.remove()
    for feed in feeds:
        for key in model.Session.scalars(sa.select(Record.key).where(Record.source_id == feed.source_id)):
            tables.drop_table(resource_id_of(feed.source_id, key))


def access(sftp: SftpServer) -> dict[str, Any]:
    return {"url": sftp.url(), "user": sftp.user, "private_key": sftp.private_key, "host_key": sftp.host_key}


def put(sftp: SftpServer, name: str, text: str) -> Path:
    path = sftp.root / name
    path.write_text(text, "utf-8")
    os.utime(path, LONG_AGO)
    return path


def rules(run: dict[str, Any]) -> dict[str, int]:
    return {one["rule"]: one["count"] for one in run["rules"]}


class TestCsvOverSftp:
    MAPPING: dict[str, Any] = {
        "fields": FIELDS | {"title": {"template": "演示{file}"}},
        "items": {"from": "columns", "column": {"from": "name", "codes": {"站点": "station", "读数": "reading"}}},
    }

    def test_is_published_and_read_again_only_when_it_changed(self, sftp: SftpServer, made: Any):
        feed = made("csv", access(sftp), self.MAPPING)
        put(sftp, "a.csv", "站点,读数\r\n惠城,1\r\n")
        put(sftp, "b.csv", "站点,读数\r\n博罗,2\r\n")
        assert feed.run()["counts"] == {"added": 2}
        assert feed.table("a.csv") == [{"station": "惠城", "reading": "1"}]
        again = feed.run()
        assert (again["counts"], rules(again)) == ({"unchanged": 2}, {"listing": 2})
        os.utime(put(sftp, "a.csv", "站点,读数\r\n惠城,3\r\n"), (1, 1))
        changed = feed.run()
        assert (changed["counts"], rules(changed)) == ({"changed": 1, "unchanged": 1}, {"content": 1, "listing": 1})
        assert feed.table("a.csv") == [{"station": "惠城", "reading": "3"}]
        assert feed.inconsistencies() == []

    def test_one_file_that_cannot_be_read_keeps_its_table_and_the_others_go_on(self, sftp: SftpServer, made: Any):
        feed = made("csv", access(sftp), self.MAPPING)
        put(sftp, "a.csv", "站点,读数\r\n惠城,1\r\n")
        put(sftp, "b.csv", "站点,读数\r\n博罗,2\r\n")
        feed.run()
        (sftp.root / "a.csv").write_bytes("站点,读数\r\n惠城,1\r\n".encode("gb18030") + b"\xff")
        put(sftp, "c.csv", "站点,读数\r\n龙门,3\r\n")
        run = feed.run()
        assert run["counts"] == {"added": 1, "unchanged": 1, "refused": 1}
        assert [finding.kind for finding in run["findings"]] == ["encoding-unknown"]
        assert feed.table("a.csv") == [{"station": "惠城", "reading": "1"}]
        assert feed.inconsistencies() == []

    def test_a_server_with_another_key_withdraws_nothing(self, sftp: SftpServer, made: Any):
        feed = made("csv", access(sftp), self.MAPPING)
        put(sftp, "a.csv", "站点,读数\r\n惠城,1\r\n")
        feed.run()
        other = sftp.another_key("other").with_suffix(".pub").read_text()
        source = model.Session.get_one(Source, feed.source_id)
        source.config = access(sftp) | {"host_key": other}
        model.Session.commit()
        run = feed.run()
        assert (run["state"], [finding.kind for finding in run["findings"]]) == ("failed", ["source-denied"])
        assert "PRIVATE" not in repr(run["findings"])
        assert feed.keys("published") == {"a.csv"}


class TestCatalogueTemplate:
    HEADER = ["信息资源名称", "信息资源代码", "信息资源提供方", "信息资源摘要", "信息资源格式分类", "开放领域"]
    HEADER += ["信息项名称", "英文列名", "数据类型", "共享类型", "共享方式", "是否向社会开放", "更新周期"]

    def save(self, sftp: SftpServer, department: Department, *names: str) -> None:
        workbook = openpyxl.Workbook()
        sheet: Any = workbook.active
        sheet.append(["政务信息资源目录（演示数据）"])
        sheet.append(self.HEADER)
        provider = department.organization["title"]
        for name in names:
            first = [name, f"D/{name}", provider, "演示数据", "电子表格", "环境保护", "站点", "station", "字符型C"]
            sheet.append([*first, "无条件共享", "文件", "是", "每月"])
            sheet.append([*[None] * 6, "读数", "reading", "数值型N"])
        workbook.save(sftp.root / "目录.xlsx")
        os.utime(sftp.root / "目录.xlsx", LONG_AGO)

    def test_needs_no_mapping(self, sftp: SftpServer, department: Department, made: Any):
        feed = made("catalogue-template", access(sftp), {})
        self.save(sftp, department, "演示甲", "演示乙")
        run = feed.run()
        assert (run["counts"], run["findings"]) == ({"added": 2}, [])
        entry = feed.entry("D/演示甲")
        assert (entry["entry_state"], entry["theme"], entry["update_cycle"]) == ("published", "environment", "monthly")
        assert [(item["name"], item["column"], item["data_type"]) for item in entry["items"]] == [
            ("站点", "station", "string"),
            ("读数", "reading", "number"),
        ]
        assert entry["resources"] == []
        assert feed.run()["counts"] == {"unchanged": 2}

    def test_an_entry_that_is_no_longer_in_the_workbook_is_withdrawn(
        self, sftp: SftpServer, department: Department, made: Any
    ):
        feed = made("catalogue-template", access(sftp), {})
        self.save(sftp, department, "演示甲", "演示乙")
        feed.run()
        self.save(sftp, department, "演示甲")
        os.utime(sftp.root / "目录.xlsx", (1, 1))
        assert feed.run()["counts"] == {"unchanged": 1, "withdrawn": 1}
        (sftp.root / "目录.xlsx").write_bytes(b"PK\x03\x04")
        run = feed.run()
        assert (run["state"], [finding.kind for finding in run["findings"]]) == ("failed", ["source-malformed"])
        assert feed.keys("published") == {"D/演示甲"}


class TestDcat:
    def page(self, *keys: str, following: str = "") -> bytes:
        text = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n"
        text += "@prefix hydra: <http://www.w3.org/ns/hydra/core#> .\n"
        for key in keys:
            text += (
                f'<http://d.example/{key}> a dcat:Dataset ; dct:identifier "{key}" ; dct:title "演示{key}"@zh ; '
                f"dcat:distribution [ a dcat:Distribution ; dcat:downloadURL <http://d.example/{key}.csv> ; "
                f'dct:format "CSV" ] .\n'
            )
        text += f"<> a hydra:PartialCollectionView ; hydra:next <{following}> .\n" if following else ""
        return text.encode()

    @pytest.fixture
    def mapping(self) -> dict[str, Any]:
        items = [{"name": "站点", "column": "station", "data_type": "string"}]
        datasets = {key: {"items": items} for key in ("a", "b", "c")}
        return {"fields": FIELDS | {"title": {"from": "title"}}, "datasets": datasets}

    @pytest.fixture
    def feed(self, department: Department, made: Any, mapping: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Feed:
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [department.web.host])
        return made("dcat", {"url": department.web.url + "/catalogue"}, mapping)

    def test_distributions_become_links_that_stay_where_they_are(self, department: Department, feed: Feed):
        department.web.pages["/catalogue"] = self.page("a", following="page2")
        department.web.pages["/page2"] = self.page("b")
        run = feed.run()
        assert (run["counts"], run["findings"]) == ({"added": 2}, [])
        (resource,) = feed.entry("a")["resources"]
        assert (resource["url"], resource["format"]) == ("http://d.example/a.csv", "CSV")
        assert feed.found() == {"演示a", "演示b"}
        assert feed.run()["counts"] == {"unchanged": 2}

    def test_a_page_that_breaks_withdraws_nothing(self, department: Department, feed: Feed):
        department.web.pages["/catalogue"] = self.page("a", following="page2")
        department.web.pages["/page2"] = self.page("b")
        feed.run()
        department.web.pages["/page2"] = b"<html>502</html>"
        assert feed.run()["state"] == "failed"
        assert feed.keys("published") == {"a", "b"}

    def test_a_catalogue_that_is_empty_is_held(self, department: Department, feed: Feed):
        department.web.pages["/catalogue"] = self.page("a")
        feed.run()
        department.web.pages["/catalogue"] = b"<http://c.example/> a <http://www.w3.org/ns/dcat#Catalog> ."
        run = feed.run()
        assert (run["state"], [finding.kind for finding in run["findings"]]) == ("held", ["run-held-empty"])
        assert feed.keys("published") == {"a"}
