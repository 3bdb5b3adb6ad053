"""Points 8, 11, 13, 15, 16, 22 and 25 of docs/harvest-failures.md: what sources send, through a whole run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from tests.integration.harvesters.conftest import Department, Feed
from tests.integration.harvesters.world import changed, world

from ckanext.openhuizhou.harvesters import control, engine, report
from ckanext.openhuizhou.model.harvest import RunNotice, Source, dataset_id_of

pytestmark = pytest.mark.usefixtures("equal_counts")

#: What every run writes: itself, when each record was seen, when the source was read.
OF_EVERY_RUN = {f"ckan/openhuizhou_{table}" for table in ("run", "record", "source")}

#: When a table was looked at the last time, which is now when its rows were read.
CHECKED = "ckan/openhuizhou_load"


def configure(feed: Feed, **values: Any) -> None:
    source = model.Session.get_one(Source, feed.source_id)
    config = {**source.config, **values}
    source.config = {name: value for name, value in config.items() if value is not None}
    model.Session.commit()


def edit_fields(feed: Feed, **fields: Any) -> None:
    source = model.Session.get_one(Source, feed.source_id)
    source.mapping = {**source.mapping, "fields": {**source.mapping["fields"], **fields}}
    model.Session.commit()


def kinds(run: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(finding.kind, finding.record) for finding in run["findings"]]


class TestPoint8ThirtyPercentFewer:
    KEYS = [f"D-{number:02}" for number in range(20)]
    GONE = KEYS[3:9]

    @pytest.fixture
    def held(self, department: Department, feed: Feed) -> dict[str, Any]:
        """The run of a source that has lost 6 of its 20 records; somebody is told of such runs."""
        source = model.Session.get_one(Source, feed.source_id)
        source.notify, source.contact_email = "error", "officer@example.com"
        model.Session.commit()
        department.add(*self.KEYS)
        assert feed.run()["counts"] == {"added": 20}
        department.remove(*self.GONE)
        return feed.run()

    def test_nothing_goes_and_a_person_is_asked(self, feed: Feed, held: dict[str, Any]):
        assert (held["state"], held["counts"]) == ("held", {"unchanged": 14})
        assert kinds(held) == [("run-held-withdrawals", None)]
        assert held["findings"][0].params == {"count": 6, "total": 20, "allowed": 5}
        assert {one["record"] for one in report.differences(held["id"])[1]} == set(self.GONE)
        assert model.Session.scalar(sa.select(RunNotice.run_id).where(RunNotice.run_id == held["id"])) == held["id"]
        assert len(feed.found()) == 20

    def test_no_worker_goes_on_with_it_unasked(self, feed: Feed, held: dict[str, Any]):
        assert engine.work() == 0
        assert feed.report(held["id"])["state"] == "held"
        assert len(feed.found()) == 20

    def test_the_person_decides(self, feed: Feed, held: dict[str, Any]):
        control.decide(held["id"], "approved", "演示管理员")
        assert engine.work() == 1
        run = feed.report(held["id"])
        assert (run["state"], run["counts"]) == ("done", {"unchanged": 14, "withdrawn": 6})
        assert len(feed.found()) == 14

    def test_five_of_twenty_are_an_ordinary_day(self, department: Department, feed: Feed):
        department.add(*self.KEYS)
        feed.run()
        department.remove(*self.GONE[1:])
        run = feed.run()
        assert (run["state"], run["counts"]) == ("done", {"unchanged": 15, "withdrawn": 5})


class TestPoint11Rename:
    def test_another_title_keeps_address_code_and_resources(self, department: Department, feed: Feed):
        configure(feed, links={"list": "文件"})
        department.add("D-1", 文件=[{"url": "http://data.example/1.csv", "name": "第1月"}])
        feed.run()
        before, rows = feed.entry("D-1"), feed.table("D-1")
        department.change("D-1", 名称="演示改了名称的数据")
        assert feed.run()["counts"] == {"changed": 1}
        after = feed.entry("D-1")
        assert after["title"] == "演示改了名称的数据"
        stays = ("id", "name", "catalogue_code", "issued")
        assert {name: after.get(name) for name in stays} == {name: before.get(name) for name in stays}
        assert [(one["id"], one["url"]) for one in after["resources"]] == [
            (one["id"], one["url"]) for one in before["resources"]
        ]
        assert feed.table("D-1") == rows
        assert feed.found() == {after["title"]}


class TestPoint13HugeRecords:
    def test_are_refused_with_their_numbers_and_the_run_goes_on(self, department: Department, feed: Feed):
        """The numbers are those of one record of data.gov and of one of data.europa.eu."""
        configure(feed, links={"list": "文件"})
        edit_fields(feed, tag_string={"from": "关键词", "split": ";"})
        links = [{"url": f"http://data.example/{number}.csv", "name": f"文件{number}"} for number in range(8_327)]
        department.add("D-1", 文件=links)
        department.add("D-2", 关键词=";".join(f"关键词{number}" for number in range(34_866)))
        department.add("D-3")
        run = feed.run()
        assert (run["state"], run["counts"]) == ("done", {"added": 1, "refused": 2})
        assert [(one.kind, one.record, one.params["count"]) for one in run["findings"]] == [
            ("links-too-many", "D-1", 8_327),
            ("tags-too-many", "D-2", 34_866),
        ]


class TestPoint15NothingNew:
    @pytest.mark.parametrize(
        ("mode", "told"), [("normal", "by its version"), ("normal", "by its rows"), ("full", "by its version")]
    )
    def test_writes_no_entry_no_activity_no_table_no_file_and_no_document(
        self, department: Department, feed: Feed, mode: str, told: str
    ):
        """Rows of every table of both databases, versions of every document, times of every file."""
        rows_are_read = (mode, told) != ("normal", "by its version")
        if told == "by its rows":
            configure(feed, digest=None, covers_data=False)
        department.add("D-1", "D-2", "D-3")
        feed.run()
        before, modified = world(), feed.entry("D-1")["metadata_modified"]
        model.Session.remove()
        department.web.requests.clear()
        run = feed.run(mode)
        assert (run["state"], run["counts"]) == ("done", {"unchanged": 3})
        assert changed(before, world()) <= OF_EVERY_RUN | ({CHECKED} if rows_are_read else set())
        assert any(path.startswith("/data/") for path in department.paths()) == rows_are_read
        assert feed.entry("D-1")["metadata_modified"] == modified

    def test_what_is_seen_is_not_written_anew(self, department: Department, feed: Feed):
        """Of a record only the time of seeing and the run change."""
        department.add("D-1")
        feed.run()
        before = dict(feed.record("D-1"))
        feed.run()
        after = dict(feed.record("D-1"))
        differing = {name for name in before if before[name] != after[name]}
        assert differing <= {"last_seen", "last_run_id", "last_result", "rule"}


class TestPoint16Clocks:
    @pytest.mark.parametrize(
        ("told", "in_utc"),
        [
            ("2026-03-01 08:00:00", "2026-03-01T00:00:00"),
            ("2026-03-01", "2026-02-28T16:00:00"),
            ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00"),
            ("2026-03-01T03:00:00-05:00", "2026-03-01T08:00:00"),
        ],
    )
    def test_a_time_without_a_zone_is_the_citys(self, department: Department, feed: Feed, told: str, in_utc: str):
        configure(feed, modified="更新时间")
        department.add("D-1", 更新时间=told)
        assert feed.run()["counts"] == {"added": 1}
        assert feed.entry("D-1")["data_modified"] == in_utc

    def test_what_is_older_than_before_is_read_all_the_same(self, department: Department, feed: Feed):
        """A department whose clock was set back: its content counts."""
        configure(feed, modified="更新时间")
        department.add("D-1", 更新时间="2026-03-02 08:00:00")
        feed.run()
        department.change("D-1", 更新时间="2026-03-01 08:00:00", 更新频率="每周", version="2")
        assert feed.run()["counts"] == {"changed": 1}
        assert feed.entry("D-1")["update_cycle"] == "weekly"


class TestPoint22InwardAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "http://127.0.0.1:{port}/catalog",
            "http://localhost:{port}/catalog",
            "http://[::1]:{port}/catalog",
            "http://[::ffff:127.0.0.1]:{port}/catalog",
            "http://2130706433:{port}/catalog",
            "http://0.0.0.0:{port}/catalog",
            "http://169.254.169.254/latest/meta-data/",
        ],
    )
    def test_are_refused_and_nothing_is_asked(
        self, department: Department, feed: Feed, monkeypatch: pytest.MonkeyPatch, address: str
    ):
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [])
        department.add("D-1")
        configure(feed, url=address.format(port=department.web.host.split(":")[1]))
        run = feed.run()
        assert (run["state"], kinds(run)) == ("failed", [("address-refused", None)])
        assert department.web.requests == []

    def test_a_source_that_leads_there_is_not_followed(self, department: Department, feed: Feed):
        department.add("D-1")
        inward = "http://169.254.169.254/latest/meta-data/"
        department.web.pages["/catalog"] = lambda _handler: (302, {"Location": inward}, b"")
        run = feed.run()
        assert (run["state"], kinds(run)) == ("failed", [("address-refused", None)])

    def test_nor_are_the_tables_of_its_records(self, department: Department, feed: Feed):
        department.add("D-1", "D-2")
        inward = "http://169.254.169.254/latest/user-data"
        department.web.pages["/data/D-1"] = lambda _handler: (302, {"Location": inward}, b"")
        run = feed.run()
        assert (run["counts"], kinds(run)) == ({"added": 1, "failed": 1}, [("address-refused", "D-1")])


class TestPoint25LateChinese:
    ROWS = [(f"S{number:06}", f"{number % 97}.5") for number in range(30_000)]

    @pytest.fixture
    def folder(self, department: Department, feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A drop folder that the source reads."""
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_roots", [str(tmp_path)])
        columns = {"station": "station", "reading": "reading"}
        source = model.Session.get_one(Source, feed.source_id)
        source.kind, source.config = "csv", {"url": str(tmp_path)}
        fields = {**source.mapping["fields"], "title": {"template": "演示{file}"}, "update_cycle": {"const": "daily"}}
        del fields["owner_org"], fields["tag_string"]
        items = {"from": "columns", "column": {"from": "name", "codes": columns}}
        source.mapping = {"fields": fields, "items": items}
        model.Session.commit()
        return tmp_path

    def lines(self, last: str) -> str:
        rows = "".join(f"{station},{reading}\r\n" for station, reading in self.ROWS)
        assert len(rows) > 300_000
        return f"station,reading\r\n{rows}{last},1.5\r\n"

    @pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
    def test_is_read_as_it_was_written(self, feed: Feed, folder: Path, encoding: str):
        (folder / "late.csv").write_bytes(self.lines("惠城㛃").encode(encoding))
        assert feed.run()["counts"] == {"added": 1}
        resource = feed.entry("late.csv")["resources"][0]["id"]
        asked = {"resource_id": resource, "sort": "_id desc", "limit": 1}
        [row] = tk.get_action("datastore_search")({"ignore_auth": True}, asked)["records"]
        assert row["station"] == "惠城㛃"

    def test_in_no_encoding_is_kept_out(self, feed: Feed, folder: Path):
        (folder / "late.csv").write_bytes(self.lines("惠城").encode("gb18030") + b"\xff\xff")
        run = feed.run()
        assert (run["counts"], kinds(run)) == ({"refused": 1}, [("encoding-unknown", "late.csv")])
        assert model.Package.get(dataset_id_of(feed.source_id, "late.csv")) is None
