"""One load of ckanext-xloader: ``xloader.py FILE csv|table`` prints its seconds and rows.

The functions of its job run one after the other in this process, as the job does it, without queue, download and
messages to CKAN: ``csv`` is its COPY of everything as text, ``table`` its reader that guesses types.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import ckan.plugins.toolkit as tk
from _app import answer, application, timed

log = logging.getLogger("bench")


def resource_of(user: str) -> str:
    """A resource for the table; the first call makes the data set."""
    context = {"ignore_auth": True, "user": user}
    try:
        package = tk.get_action("package_show")(dict(context), {"id": "bench"})
    except tk.ObjectNotFound:
        organization = tk.get_action("organization_create")(dict(context), {"name": "bench"})
        values = {"name": "bench", "owner_org": organization["id"], "resources": [{"url": "http://example.org/x.csv"}]}
        package = tk.get_action("package_create")(dict(context), values)
    return package["resources"][0]["id"]


def load(path: str, resource_id: str, way: str) -> None:
    from ckanext.xloader import loader

    if way == "csv":
        fields = loader.load_csv(path, resource_id=resource_id, mimetype="CSV", logger=log)
        loader.calculate_record_count(resource_id=resource_id, logger=log)
        loader.create_column_indexes(fields=fields, resource_id=resource_id, logger=log)
    else:
        loader.load_table(path, resource_id=resource_id, mimetype=Path(path).suffix[1:].upper(), logger=log)
        loader.calculate_record_count(resource_id=resource_id, logger=log)


with application():
    from ckanext.xloader import loader

    site_user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    resource = resource_of(site_user)
    loader.delete_datastore_resource(resource)
    seconds, _nothing = timed(lambda: load(sys.argv[1], resource, sys.argv[2]))
    query = {"resource_id": resource, "limit": 1}
    found = tk.get_action("datastore_search")({"ignore_auth": True, "user": site_user}, query)
    answer(seconds=seconds, rows=found["total"], fields=[field["id"] for field in found["fields"]])
