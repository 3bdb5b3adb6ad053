"""Two sources that speak for one department: what tests do with them and see of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.data import datastore_tables, files
from ckanext.openhuizhou.model.harvest import Run, Source, resource_id_of, source_id_of
from ckanext.openhuizhou.model.load import load_of

TITLE = "演示河流水位"


def second_source(feed: Any, department: Any, **changes: Any) -> Any:
    first = model.Session.get_one(Source, feed.source_id)
    name = f"{first.name}-second"
    config = {**first.config, "url": f"{department.web.url}/catalog"}
    config["data"] = {**config["data"], "url": department.web.url + "/data/{key}"}
    values = {"organization_id": first.organization_id, "kind": first.kind, "mapping": first.mapping, "state": {}}
    changes = {"title": "演示第二来源", "approved": True, **changes}
    model.Session.add(Source(id=source_id_of(name), name=name, config=config, **values, **changes))
    model.Session.commit()
    return type(feed)(source_id_of(name), name)


def change_source(feed: Any, **values: Any) -> None:
    model.Session.execute(sa.update(Source).where(Source.id == feed.source_id).values(values))
    model.Session.commit()


def entry_of(feed: Any, key: str) -> dict[str, Any]:
    context = {"ignore_auth": True, "use_cache": False}
    return tk.get_action("package_show")(context, {"id": feed.record(key)["dataset_id"]})


def identity(entry: dict[str, Any]) -> tuple[str, ...]:
    return entry["id"], entry["name"], entry["catalogue_code"]


def kinds(run: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(finding.kind, finding.record) for finding in run["findings"]]


def has_table(feed: Any, key: str) -> bool:
    resource_id = resource_id_of(feed.source_id, key)
    there = {
        datastore_tables.live_mark(resource_id) is not None,
        files.published_file(resource_id).exists(),
        load_of(resource_id) is not None,
    }
    assert len(there) == 1, "table, file and verdict go together"
    return there.pop()


def abandon(feed: Any) -> None:
    """The worker of the source's run is gone."""
    model.Session.execute(
        sa.update(Run).where(Run.source_id == feed.source_id, Run.state == "running").values(lease_until=sa.func.now())
    )
    model.Session.commit()


def run_elsewhere(feed: Any, hosts: list[str], request: pytest.FixtureRequest, folder: Path) -> None:
    """Run a source in a worker of its own, to its end."""
    ini = folder / "worker.ini"
    base = Path(request.config.getoption("--ckan-ini")).resolve()
    ini.write_text(f"[app:main]\nuse = config:{base}\nckanext.openhuizhou.allowed_hosts = {' '.join(hosts)}\n", "utf-8")
    command = [str(Path(sys.executable).with_name("ckan")), "-c", str(ini), "openhuizhou", "harvest", "run", feed.name]
    subprocess.run(command, check=True, capture_output=True)
