"""A made-up department with a real web service, and its source in a real database."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model, plugins
from ckan.lib.search.common import make_connection
from ckan.tests import factories

from ckanext.openhuizhou.data import datastore_tables, files, tables
from ckanext.openhuizhou.harvesters import engine, report
from ckanext.openhuizhou.model import database, load
from ckanext.openhuizhou.model.harvest import (
    ACTIVE_STATES,
    Record,
    Run,
    Source,
    dataset_id_of,
    resource_id_of,
    source_id_of,
)
from ckanext.openhuizhou.search import outbox

NUMBERS = itertools.count(1)
_HOLD_BACK = """
CREATE OR REPLACE FUNCTION openhuizhou_hold_back() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
DELETE FROM openhuizhou_data_job;
DELETE FROM openhuizhou_outbox;
CREATE OR REPLACE TRIGGER hold_back BEFORE INSERT ON openhuizhou_data_job FOR EACH ROW WHEN (NEW.kind = 'derive')
EXECUTE FUNCTION openhuizhou_hold_back()
"""
MAPPING: dict[str, Any] = {
    "fields": {
        "title": {"from": "名称"},
        "notes": {"const": "演示数据"},
        "owner_org": {"from": "提供单位", "provider": True},
        "category": {"const": "211001"},
        "theme": {"const": "environment"},
        "tag_string": {"from": "关键词"},
        "open_type": {"const": "unconditional"},
        "share_type": {"const": "unconditional"},
        "share_way": {"const": "service"},
        "format_class": {"const": "service"},
        "update_cycle": {"from": "更新频率", "codes": {"每日": "daily", "每周": "weekly"}},
    },
    "items": {
        "from": "columns",
        "name": {"from": "label"},
        "column": {"from": "name"},
        "data_type": {"from": "type", "codes": {"文本": "string", "数字": "number"}},
    },
}
COLUMNS = [{"name": "station", "label": "站点", "type": "文本"}, {"name": "reading", "label": "读数", "type": "数字"}]


@dataclass
class Department:
    """``records`` and ``rows`` are what its service answers; ``token`` is what it asks for."""

    web: Any
    organization: dict[str, Any]
    records: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    token: str = "t0ken"
    broken: bytes | None = None
    conditional: bool = False
    before_rows: Callable[[str], None] = lambda _key: None

    def __post_init__(self) -> None:
        self.web.pages["/catalog"] = self._catalog

    def add(self, *keys: str, **fields: Any) -> None:
        for key in keys:
            self.records.append(
                {
                    "id": key,
                    "名称": f"{self.organization['title']}数据{key}",
                    "提供单位": self.organization["title"],
                    "更新频率": "每日",
                    "关键词": "空气",
                    "columns": COLUMNS,
                    "version": "1",
                }
                | fields
            )
            self.rows[key] = [{"station": "惠城", "reading": 1.5}, {"station": "博罗", "reading": "2.5"}]
            self.web.pages[f"/data/{key}"] = self._data

    def change(self, key: str, **fields: Any) -> None:
        next(record for record in self.records if record["id"] == key).update(fields)

    def remove(self, *keys: str) -> None:
        self.records = [record for record in self.records if record["id"] not in keys]

    def paths(self) -> list[str]:
        return [path for _method, path, _headers in self.web.requests]

    def _catalog(self, handler: Any) -> Any:
        if handler.headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {}, b""
        if self.broken is not None:
            return 200, {}, self.broken
        body = json.dumps({"list": self.records}, ensure_ascii=False).encode()
        tag = f'"{hash(body)}"'
        if self.conditional and handler.headers.get("If-None-Match") == tag:
            return 304, {}, b""
        return 200, {"ETag": tag} if self.conditional else {}, body

    def _data(self, handler: Any) -> Any:
        key = urlsplit(handler.path).path.rsplit("/", 1)[1]
        self.before_rows(key)
        page = int(parse_qs(urlsplit(handler.path).query).get("page", ["1"])[0])
        rows = self.rows[key] if page == 1 else []
        return 200, {}, json.dumps({"list": rows}, ensure_ascii=False).encode()


@dataclass
class Feed:
    """A source and what the catalogue has of it."""

    source_id: str
    name: str

    def run(self, mode: str = "normal") -> dict[str, Any]:
        run_id = engine.run_source(self.source_id, mode)
        assert run_id is not None
        model.Session.remove()
        return self.report(run_id)

    @staticmethod
    def report(run_id: str) -> dict[str, Any]:
        run = model.Session.get_one(Run, run_id)
        found = report.run_dict(run, model.Session.get_one(Source, run.source_id))
        found["findings"] = [finding for finding, _title in report.findings(run_id)[1]]
        counters = ("added", "changed", "unchanged", "withdrawn", "refused", "failed")
        found["counts"] = {name: found[name] for name in counters if found[name]}
        return found

    def entry(self, key: str) -> dict[str, Any]:
        context = {"ignore_auth": True, "use_cache": False}
        return tk.get_action("package_show")(context, {"id": dataset_id_of(self.source_id, key)})

    def table(self, key: str) -> list[dict[str, Any]]:
        resource_id = resource_id_of(self.source_id, key)
        found = tk.get_action("datastore_search")({"ignore_auth": True}, {"resource_id": resource_id})
        return [{name: value for name, value in row.items() if name != "_id"} for row in found["records"]]

    def record(self, key: str) -> sa.RowMapping:
        table = Record.__table__
        query = sa.select(table).where(table.c.source_id == self.source_id, table.c.key == key)
        return model.Session.execute(query).mappings().one()

    def keys(self, *states: str) -> set[str]:
        query = sa.select(Record.key).where(Record.source_id == self.source_id, Record.state.in_(states))
        return set(model.Session.scalars(query))

    def found(self) -> set[str]:
        """Titles that a visitor's search finds."""
        organization = model.Session.get_one(Source, self.source_id).organization_id
        query = {"fq": f"owner_org:{organization}", "rows": 1000}
        return {entry["title"] for entry in tk.get_action("package_search")({}, query)["results"]}

    def counts(self) -> dict[str, int]:
        """How many entries of the department the records, the database and the index know."""
        organization = model.Session.get_one(Source, self.source_id).organization_id
        records = sa.select(sa.func.count(sa.distinct(Record.dataset_id)))
        records = records.where(Record.source_id == self.source_id, Record.dataset_id.is_not(None))
        packages = sa.select(sa.func.count()).select_from(model.Package)
        packages = packages.where(model.Package.owner_org == organization, model.Package.state == "active")
        documents = make_connection().search("*:*", fq=f'+owner_org:"{organization}"', rows=0)
        return {
            "records": model.Session.scalar(records) or 0,
            "entries": model.Session.scalar(packages) or 0,
            "index": documents.hits,
        }

    def inconsistencies(self) -> list[str]:
        """Where records, entries, tables, files, verdicts and index do not tell the same; empty when all is well."""
        table = Record.__table__
        query = sa.select(table).where(table.c.source_id == self.source_id)
        found = [f"{left} left" for left in files.staging_dir().iterdir()] if outbox.waiting() == 0 else ["index waits"]
        for record in model.Session.execute(query).mappings().all():
            found += [f"{record['key']}: {what}" for what in self._told_otherwise(record)]
        return found

    def _told_otherwise(self, record: sa.RowMapping) -> Iterator[str]:
        package = model.Package.get(record["dataset_id"]) if record["dataset_id"] else None
        if record["state"] in ("refused", "failed"):
            yield from ["an entry all the same"] if package else []
            return
        if record["state"] == "pending" or package is None:
            yield f"{record['state']}, entry {package}"
            return
        if record["state"] == "published" and package.title not in self.found():
            yield "not in the index"
        resource_id = resource_id_of(self.source_id, record["key"])
        known, mark = load.load_of(resource_id), datastore_tables.live_mark(resource_id)
        if known is None or mark is None:
            yield f"load {known}, table {mark}"
            return
        content = files.published_file(resource_id).read_bytes()
        lines = content.decode("utf-8-sig").count("\r\n") - 1
        asked = {"resource_id": resource_id, "limit": 0}
        rows = tk.get_action("datastore_search")({"ignore_auth": True}, asked)["total"]
        counts = {known.rows, mark["rows"], rows, lines}
        digests = {known.digest, mark["digest"], hashlib.sha256(content).hexdigest()}
        sizes = {known.size_bytes, len(content), model.Session.get_one(model.Resource, resource_id).size}
        for name, values in {"rows": counts, "digest": digests, "size": sizes}.items():
            if len(values) > 1:
                yield f"{name} {values}"


@pytest.fixture(scope="module", autouse=True)
def nothing_derived() -> Iterator[None]:
    """What follows from a load (profiles, versions) has tests of its own; here it would take workers, also those in
    processes of their own, from the runs that are looked at."""
    model.Session.remove()
    with database.engine().begin() as connection:
        connection.exec_driver_sql(_HOLD_BACK)
    yield
    model.Session.remove()
    with database.engine().begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS hold_back ON openhuizhou_data_job")


@pytest.fixture(scope="package")
def _empty(empty_database: Callable[[], None], reset_index: Callable[[], None]) -> None:
    """Once: each test has a department and a source of its own."""
    plugins.load_all()
    empty_database()
    reset_index()
    plugins.unload_all()


@pytest.fixture
def department(_empty: None, with_plugins: None, with_request_context: None, web: Any) -> Department:
    number = next(NUMBERS)
    organization = factories.Organization(name=f"department-{number}", title=f"演示第{number}局")
    return Department(web, organization)


@pytest.fixture
def feed(department: Department, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [department.web.host])
    made = make_feed(department)
    yield made
    model.Session.remove()
    # no worker of another test is to find a run of this one
    left = sa.update(Run).where(Run.source_id == made.source_id, Run.state.in_(ACTIVE_STATES))
    model.Session.execute(left.values(state="cancelled", lease_until=None))
    model.Session.commit()
    for key in model.Session.scalars(sa.select(Record.key).where(Record.source_id == made.source_id)):
        tables.drop_table(resource_id_of(made.source_id, key))


@pytest.fixture
def equal_counts(feed: Feed) -> Iterator[None]:
    """After the test records, database and index tell of the same number of entries, and of the same ones."""
    yield
    model.Session.remove()
    assert feed.inconsistencies() == []
    assert len(set(feed.counts().values())) == 1, feed.counts()


def make_feed(department: Department, **changes: Any) -> Feed:
    """A source that reads the department's service."""
    name = department.organization["name"]
    config = {
        "url": department.web.url + "/catalog",
        "token": department.token,
        "records": "list",
        "key": "id",
        "digest": "version",
        "covers_data": True,
        "data": {"url": department.web.url + "/data/{key}", "records": "list"},
    }
    values = {
        "id": source_id_of(name),
        "name": name,
        "title": "演示来源",
        "organization_id": department.organization["id"],
        "kind": "json-api",
        "approved": True,
        "config": config,
        "mapping": MAPPING,
        "state": {},
    }
    model.Session.add(Source(**values | changes))
    model.Session.commit()
    return Feed(values["id"], name)
