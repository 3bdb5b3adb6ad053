"""What an entry says of its table, written when the table changes: as a harvest writes it of a record's table."""

from __future__ import annotations

import logging
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib.search import SearchIndexError
from ckan.types import Context

from ckanext.openhuizhou.data.staged import LoadResult, StagedTable
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.search import outbox

log = logging.getLogger(__name__)


def entry_of(package_id: str) -> dict[str, Any]:
    """The entry as it is in the database; raises CKAN's ``NotFound``."""
    return tk.get_action("package_show")({"ignore_auth": True, "use_cache": False}, {"id": package_id})


def write_entry(package_id: str, table: StagedTable | LoadResult) -> None:
    """Resource and entry say what the table is, and when it changed. Commits; the index follows with ``follow``.

    Raises:
        tk.ValidationError: the entry breaks a rule by now, so that it cannot be saved; nothing was written.
        tk.ObjectNotFound: there is no such entry or resource.
    """
    try:
        _write(package_id, table)
        model.Session.commit()
    except BaseException:
        model.Session.rollback()
        raise


def follow(package_id: str) -> None:
    """The index is told of a table that was published, or refused. Solr may be down: then it is told later."""
    outbox.enqueue(package_id)
    model.Session.commit()
    try:
        outbox.drain()
    except (SearchIndexError, OSError) as error:
        model.Session.rollback()
        log.warning("The index does not take changes now: %s", type(error).__name__)


def _write(package_id: str, table: StagedTable | LoadResult) -> None:
    context = _context()
    entry = tk.get_action("package_show")(Context(context, for_update=True, use_cache=False), {"id": package_id})
    resource = next((one for one in entry["resources"] if one["id"] == table.resource_id), None)
    if resource is None:
        raise tk.ObjectNotFound(table.resource_id)
    now = utcnow().replace(microsecond=0).isoformat()
    described = {
        "url": "data.csv",
        "url_type": "upload",
        "format": "CSV",
        "mimetype": "text/csv",
        "size": table.size_bytes,
        "hash": table.digest,
        "datastore_active": True,
    }
    if table.changed:
        entry["data_modified"] = described["last_modified"] = now
    entry["row_count"] = table.rows
    resource.update(described)
    # with the time of the last change, CKAN would keep it
    del entry["metadata_modified"]
    tk.get_action("package_update")(context, entry)


def _context() -> Context:
    """Deferred, because Solr may be down: the outbox tells the index. ``harvesters.writer`` says what stands beside."""
    user = tk.get_action("get_site_user")({"ignore_auth": True, "defer_commit": True}, {})["name"]
    return Context(user=user, ignore_auth=True, defer_commit=True, return_id_only=True)


def validation_findings(error: tk.ValidationError) -> list[Finding]:
    """What CKAN's validation said, by field."""
    found = []
    for name, messages in error.error_dict.items():
        texts = messages if isinstance(messages, list) else [messages]
        found += [Finding("entry-invalid", field=name, params={"reason": str(text)[:300]}) for text in texts if text]
    return found or [Finding("entry-invalid", params={"reason": str(error)[:300]})]
