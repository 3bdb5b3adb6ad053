"""Loads of one small table in versions, and what is left of them."""

from __future__ import annotations

import sqlalchemy as sa
from ckan import model
from ckanext.datastore.backend.postgres import get_read_engine, get_write_engine

from ckanext.openhuizhou.data import files, tables
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.model import load

ITEMS = [Item("版本", "version", "integer"), Item("站点名称", "station", "string")]
PACKAGE = "a-package"


def rows(version: int, count: int = 50) -> list[list[object]]:
    return [[version, f"{version}号站{i}"] for i in range(count)]


def publish(resource_id: str, version: int, count: int = 50) -> tables.LoadResult:
    return tables.publish_table(tables.stage_table(resource_id, ITEMS, rows(version, count)), PACKAGE)


def live_versions(resource_id: str) -> list[int]:
    table = sa.table(resource_id, sa.column("version"))
    with get_read_engine().connect() as connection:
        return list(connection.scalars(sa.select(table.c.version)))


def leftovers(resource_id: str) -> list[str]:
    """Names of relations of the resource other than the live table and what belongs to it."""
    query = sa.text("SELECT relname FROM pg_class WHERE relname LIKE :name")
    with get_write_engine().connect() as connection:
        names = list(connection.scalars(query, {"name": f"%stage%{resource_id}%"}))
    return names + [path.name for path in files.staging_dir().glob(f"{resource_id}*")]


def verdict(resource_id: str) -> load.Load:
    model.Session.expire_all()
    found = load.load_of(resource_id)
    assert found is not None
    return found


def file_version(resource_id: str) -> str:
    return files.published_file(resource_id).read_text("utf-8-sig").splitlines()[1].split(",")[0]
