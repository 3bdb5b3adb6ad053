"""Faults that are made for real, and what a comparison makes of them."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.lib.search.common import make_connection
from ckanext.datastore.backend.postgres import get_write_engine

from ckanext.openhuizhou.domain.discrepancies import CLEAN, LEFT, REPAIRED
from ckanext.openhuizhou.harvesters.reconcile import reconcile
from ckanext.openhuizhou.model.harvest import dataset_id_of

#: Nothing listens there.
DEAD_SOLR = "http://127.0.0.1:9/solr/none"
KEYS = ("D-1", "D-2", "D-3")


def found(**options: Any) -> dict[str, int]:
    report = reconcile(**options)
    model.Session.remove()
    return dict(report.counts)


def documents(package_id: str) -> list[dict[str, Any]]:
    return make_connection().search("*:*", fq=[f"id:{package_id}"]).docs


def document(package_id: str) -> dict[str, Any]:
    [found_one] = documents(package_id)
    return found_one


def execute(statement: Any) -> None:
    model.Session.execute(statement)
    model.Session.commit()


def purge(feed: Any, key: str) -> None:
    """As a person does; CKAN leaves the table, its file and its load."""
    tk.get_action("dataset_purge")({"ignore_auth": True}, {"id": dataset_id_of(feed.source_id, key)})


def delete(package_id: str) -> None:
    """As a person does; the entry may come back."""
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    tk.get_action("package_delete")({"ignore_auth": True, "user": user}, {"id": package_id})


def change_entry(feed: Any, key: str, **values: Any) -> None:
    execute(sa.update(model.Package).where(model.Package.id == dataset_id_of(feed.source_id, key)).values(values))


def in_datastore(statement: str) -> None:
    with get_write_engine().begin() as connection:
        connection.exec_driver_sql(statement)


def heals(feed: Any, **kinds: int) -> None:
    """A dry comparison finds it and changes nothing, the next one repairs it, the third finds nothing."""
    wanted = {kind.replace("_", "-"): count for kind, count in kinds.items()}
    dry = reconcile(dry=True)
    assert (dict(dry.counts), dry.status) == (wanted, LEFT)
    report = reconcile()
    assert (dict(report.counts), dict(report.left), report.status) == (wanted, {}, REPAIRED)
    assert reconcile().status == CLEAN
    model.Session.remove()
    run = feed.run()
    assert run["state"] == "done"
    assert feed.inconsistencies() == []
    assert reconcile(deep=True).status == CLEAN
