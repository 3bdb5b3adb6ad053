"""Everything that a run may change: rows of both databases, documents of the index, files of the storage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.lib.search.common import make_connection

#: What a dry run writes of itself.
OF_THE_RUN = frozenset({"openhuizhou_run", "openhuizhou_finding", "openhuizhou_difference"})


def world() -> dict[str, Any]:
    """``ckan/<table>`` and ``datastore/<table>``: number of rows and digest of their contents; ``index``; ``files``."""
    found: dict[str, Any] = {}
    for name, option in (("ckan", "sqlalchemy.url"), ("datastore", "ckan.datastore.write_url")):
        engine = sa.create_engine(tk.config[option], poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            for table in sorted(sa.inspect(connection).get_table_names()):
                query = f"SELECT count(*), md5(string_agg(t::text, '\n' ORDER BY t::text)) FROM \"{table}\" t"
                found[f"{name}/{table}"] = tuple(connection.execute(sa.text(query)).one())
    documents = make_connection().search("*:*", fl="id,_version_", rows=100_000)
    found["index"] = (documents.hits, sorted((doc["id"], doc["_version_"]) for doc in documents))
    root = Path(tk.config["ckan.storage_path"])
    files = (path for path in root.rglob("*") if path.is_file())
    found["files"] = sorted((path.relative_to(root).as_posix(), path.stat().st_mtime_ns) for path in files)
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """What differs between two moments."""
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}
