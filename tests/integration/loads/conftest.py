"""A department with an editor, and entries of its own that wait for files."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model, plugins
from ckan.lib import jobs as queue
from ckan.tests import factories, helpers
from ckanext.datastore.backend.postgres import get_read_engine
from tests.factories import complete_entry
from werkzeug.datastructures import FileStorage

from ckanext.openhuizhou.data import files, inventory, jobs, tables, uploads
from ckanext.openhuizhou.model import role
from ckanext.openhuizhou.model.data_job import DataJob, job_of

ITEMS = [
    {"name": "断面编号", "column": "section_code", "data_type": "string", "is_key": True},
    {"name": "断面名称", "column": "section_name", "data_type": "string"},
    {"name": "溶解氧", "column": "dissolved_oxygen", "data_type": "number", "unit": "毫克/升"},
]
HEADER = "断面编号,断面名称,溶解氧\n"
_numbers = itertools.count(1)


def upload(text: str | bytes, name: str = "水质.csv") -> FileStorage:
    """A file as a browser sends it."""
    return FileStorage(BytesIO(text if isinstance(text, bytes) else text.encode()), name)


def rows(*numbers: int, value: float = 7.5) -> str:
    """A file with these sections."""
    return HEADER + "".join(f"{number:03},{number}号断面,{value}\n" for number in numbers)


@dataclass
class Bureau:
    """``users``: role → user dict with ``token``."""

    app: Any
    organization: dict[str, Any]
    users: dict[str, dict[str, Any]] = field(default_factory=dict)

    def act(self, who: str, action: str, /, **params: Any) -> Any:
        """An action with the rights of that person and no others."""
        with self.app.flask_app.test_request_context():
            model.Session.remove()
            name = self.users[who]["name"] if who != "visitor" else ""
            return tk.get_action(action)({"user": name, "ignore_auth": False}, params)

    def call(self, who: str, address: str, **options: Any) -> Any:
        """A request with that person's token."""
        headers = {"Authorization": self.users[who]["token"]} if who != "visitor" else {}
        method = options.pop("method", "get")
        return getattr(self.app, method)(address, headers=headers, follow_redirects=False, **options)

    def entry(self, **changes: Any) -> dict[str, Any]:
        """An entry with one resource that has nothing yet; ``resources`` may be given."""
        resource = {"id": str(uuid.uuid4()), "name": "监测数据", "url": "", "url_type": "upload"}
        given = {"items": ITEMS, "entry_state": "published", "resources": [resource], **changes}
        title = f"地表水水质{next(_numbers)}号（演示数据）"
        values = complete_entry(title=title, owner_org=self.organization["id"], **given)
        return self.act("sysadmin", "package_create", **values)

    def load(self, resource_id: str, text: str | bytes, mode: str = "replace", name: str = "水质.csv") -> DataJob:
        """Bring a file as the department's editor, let a worker do what waits, and look at the job."""
        started = self.act(
            "editor", "openhuizhou_load_start", resource_id=resource_id, mode=mode, file=upload(text, name)
        )
        self.work()
        return self.job(started["id"])

    def work(self) -> int:
        """What a worker does, here."""
        with self.app.flask_app.test_request_context():
            return jobs.work()

    @staticmethod
    def job(job_id: str) -> DataJob:
        model.Session.rollback()
        found = job_of(job_id)
        assert found is not None
        return found


def live(resource_id: str) -> list[tuple[Any, ...]]:
    """The rows that readers see, without ``_id``."""
    table = sa.table(resource_id, *(sa.column(item["column"]) for item in ITEMS))
    with get_read_engine().connect() as connection:
        return [tuple(map(str, row)) for row in connection.execute(sa.select(table).order_by(sa.text("_id")))]


def published(resource_id: str) -> list[str]:
    """The lines of the file that readers download, without its header."""
    return files.published_file(resource_id).read_text("utf-8-sig").splitlines()[1:]


def leftovers(resource_id: str) -> list[str]:
    """What a load has left behind."""
    tables_left = [name for name in inventory.staging_tables() if name == resource_id]
    return tables_left + [path.name for path in files.staging_dir().glob(f"{resource_id}*")]


@pytest.fixture(scope="package")
def bureau(empty_database: Any, reset_index: Any) -> Iterator[Bureau]:
    plugins.load_all()
    empty_database()
    reset_index()
    app = helpers._get_test_app()
    try:
        with app.flask_app.test_request_context():
            made = _people(app)
        yield made
    finally:
        plugins.unload_all()


def _people(app: Any) -> Bureau:
    sysadmin = factories.SysadminWithToken()
    as_sysadmin: Any = {"user": sysadmin["name"], "ignore_auth": True}
    own, other = (
        tk.get_action("organization_create")(as_sysadmin.copy(), {"name": name, "title": f"演示{title}"})
        for name, title in (("huanbaoju", "环境保护局"), ("jiaotongju", "交通运输局"))
    )
    bureau = Bureau(app, own)
    bureau.users = {who: factories.UserWithToken() for who in ("editor", "member", "neighbour", "platform", "citizen")}
    bureau.users["sysadmin"] = sysadmin
    for who, organization, capacity in (
        ("editor", own, "editor"),
        ("member", own, "member"),
        ("neighbour", other, "editor"),
    ):
        membership = {"id": organization["id"], "username": bureau.users[who]["name"], "role": capacity}
        tk.get_action("organization_member_create")(as_sysadmin.copy(), membership)
    role.grant(bureau.users["platform"]["id"], "platform_officer", sysadmin["id"])
    model.Session.commit()
    return bureau


@pytest.fixture
def entry(bureau: Bureau) -> Iterator[dict[str, Any]]:
    """A published entry with a resource that has nothing yet."""
    queue.get_queue().empty()
    made = bureau.entry()
    yield made
    forget(made)


@pytest.fixture
def resource_id(entry: dict[str, Any]) -> str:
    return entry["resources"][0]["id"]


@pytest.fixture
def make_entry(bureau: Bureau) -> Iterator[Callable[..., dict[str, Any]]]:
    """``make_entry(**changes)``: entries that are cleaned up."""
    made: list[dict[str, Any]] = []

    def make(**changes: Any) -> dict[str, Any]:
        made.append(bureau.entry(**changes))
        return made[-1]

    queue.get_queue().empty()
    yield make
    for one in made:
        forget(one)


def forget(entry: dict[str, Any]) -> None:
    """Tables, files and jobs of an entry."""
    model.Session.rollback()
    for job in model.Session.scalars(sa.select(DataJob).where(DataJob.package_id == entry["id"])):
        uploads.remove(job.id)
    model.Session.execute(sa.delete(DataJob).where(DataJob.package_id == entry["id"]))
    model.Session.commit()
    for resource in entry["resources"]:
        tables.drop_table(resource["id"])
