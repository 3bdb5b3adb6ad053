"""Fill 惠东县's portal, whose ini ``$CKAN_INI`` names: tables, one organization, data sets with their tables and files.

Ends at once when the portal already holds these data.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import psycopg2
import requests
import sqlalchemy as sa
import yaml

HERE = Path(__file__).resolve().parent
MARK = "demo.fingerprint"
ORGANIZATION = "huidong"


def fingerprint() -> str:
    """Changes with the list of data sets and with what makes their rows."""
    summary = hashlib.sha256()
    for name in ("datasets.yaml", "tables.py", "fill.py"):
        summary.update((HERE / name).read_bytes())
    return summary.hexdigest()


def is_filled(ini: str) -> bool:
    """Whether database and index hold these data; asked without loading CKAN, which takes seconds."""
    options = RawConfigParser()
    options.read(ini, encoding="utf-8")
    site = options["app:main"]
    try:
        with psycopg2.connect(site["sqlalchemy.url"]) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT value FROM system_info WHERE key = %s", (MARK,))
            found = cursor.fetchone()
    except psycopg2.errors.UndefinedTable:
        return False
    indexed = requests.get(f"{site['solr_url']}/select", params={"q": "*:*", "rows": 0}, timeout=30).json()
    return found is not None and found[0] == fingerprint() and indexed["response"]["numFound"] > 0


def fill() -> None:
    """Everything through CKAN's own actions."""
    from ckan import model
    from ckan.lib.search import clear_all
    from ckan.plugins import toolkit as tk
    from werkzeug.datastructures import FileStorage

    model.repo.upgrade_db()
    names = ("sqlalchemy.url", "ckan.datastore.write_url", "ckan.datastore.read_url")
    _set_permissions(*(tk.config[name] for name in names))
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]

    def act(action: str, /, **data: Any) -> Any:
        return tk.get_action(action)({"user": user, "ignore_auth": True}, data)

    content = yaml.safe_load((HERE / "datasets.yaml").read_text("utf-8"))
    if not model.Group.get(ORGANIZATION):
        act("organization_create", name=ORGANIZATION, **content["organization"])
    for group in content["groups"]:
        if not model.Group.get(group["name"]):
            act("group_create", **group)
    # a list of before, or an index of another database
    for (package_id,) in model.Session.query(model.Package.id).all():
        act("dataset_purge", id=package_id)
    clear_all()
    for dataset in content["datasets"]:
        _create(act, FileStorage, dataset)
    model.set_system_info(MARK, fingerprint())
    model.repo.commit()


def _set_permissions(main_url: str, write_url: str, read_url: str) -> None:
    """Run what ``ckan datastore set-permissions`` prints, as the owner of the database."""
    from ckanext.datastore.cli import permissions_sql

    main, write, read = (sa.make_url(url) for url in (main_url, write_url, read_url))
    script = permissions_sql(
        main.database or "", write.database or "", main.username or "", write.username or "", read.username or ""
    )
    # psql's own commands; we are connected to the database already
    statements = "\n".join(line for line in script.splitlines() if not line.startswith("\\"))
    with psycopg2.connect(write_url) as connection, connection.cursor() as cursor:
        cursor.execute(statements)


def _create(act: Any, file_storage: Any, dataset: dict[str, Any]) -> None:
    table = dataset.pop("table", None)
    resources = dataset.pop("resources", [])
    extras = [{"key": key, "value": str(value)} for key, value in dataset.pop("extras", {}).items()]
    tags = [{"name": tag} for tag in dataset.pop("tags", [])]
    groups = [{"name": group} for group in dataset.pop("groups", [])]
    package = act(
        "package_create",
        **dataset,
        owner_org=ORGANIZATION,
        extras=extras,
        tags=tags,
        groups=groups,
        resources=resources,
    )
    if table is None:
        return
    from tables import TABLES, csv_of

    rows = list(TABLES[table["rows"]]())
    fields = table["fields"]
    upload = file_storage(io.BytesIO(csv_of(fields, rows)), filename=f"{dataset['name']}.csv")
    resource = act(
        "resource_create",
        package_id=package["id"],
        name=table["name"],
        format="CSV",
        url=f"{dataset['name']}.csv",
        upload=upload,
    )
    act(
        "datastore_create",
        resource_id=resource["id"],
        force=True,
        fields=[{key: field[key] for key in ("id", "type", "info") if key in field} for field in fields],
        records=[dict(zip((field["id"] for field in fields), row, strict=True)) for row in rows],
    )


def main() -> None:
    """Load CKAN only when there is something to do."""
    ini = os.environ["CKAN_INI"]
    if is_filled(ini):
        return
    sys.path.insert(0, str(HERE))
    from ckan.cli import CKANConfigLoader
    from ckan.config.middleware import make_app

    application = make_app(CKANConfigLoader(ini).get_config())
    with application._wsgi_app.test_request_context():
        fill()


if __name__ == "__main__":
    main()
