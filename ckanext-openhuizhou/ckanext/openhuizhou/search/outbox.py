"""From the database to the index, after the commit: datasets whose change waits in ``openhuizhou_outbox``.

The row is written in the transaction of the change (``enqueue``), so that neither exists without the other. ``drain``
sends what waits in batches, one Solr commit per batch, and deletes a row only when Solr has taken its dataset: a dead
Solr costs time, never an entry. A dataset that cannot be indexed though Solr answers waits behind the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any, cast

import ckan.plugins.toolkit as tk
import pysolr
import sqlalchemy as sa
from ckan import logic, model
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckan.lib.search.index import PackageSearchIndex
from ckan.types import Context

from ckanext.openhuizhou.model.harvest import Outbox

from .batch import index_datasets

log = logging.getLogger(__name__)

BATCH = 500
_LOCK = 5_400_002


def enqueue(package_ids: str | Iterable[str]) -> None:
    """Put datasets into the outbox, in the session's transaction."""
    ids = [package_ids] if isinstance(package_ids, str) else list(package_ids)
    if ids:
        model.Session.execute(sa.insert(Outbox), [{"package_id": package_id} for package_id in ids])


def written(context: Context, package_id: str) -> None:
    """To be called by ``IPackageController`` after a dataset is created or updated, before the commit.

    CKAN indexes by itself unless its caller defers the commit; then this row does. It also tells the activity plugin
    that something changed, as CKAN does on the path that commits.
    """
    if context.get("defer_commit"):
        enqueue(package_id)
        changed = cast(dict[str, Any], context).setdefault("changed_entities", {})
        changed.setdefault("packages", set()).add(package_id)


def waiting() -> int:
    """How many rows wait."""
    return model.Session.execute(sa.select(sa.func.count()).select_from(Outbox)).scalar_one()


def drain(limit: int | None = None, refused: Callable[[str], None] = lambda _package_id: None) -> int:
    """Index what waits and return how many datasets were sent.

    ``limit``: batches at most. ``refused``: is told the id of each dataset that cannot be indexed; it waits for the
    next drain. The session must have no open changes: this commits.

    Raises:
        search.SearchIndexError: Solr does not answer; the rows of the batch and all later ones stay.
    """
    # what is put behind the others in this drain is left to the next
    last = model.Session.execute(sa.select(sa.func.max(Outbox.id))).scalar()
    sent = 0
    batches = 0
    while last is not None and (limit is None or batches < limit):
        count = _drain_batch(last, refused)
        if count is None:
            break
        sent += count
        batches += 1
    return sent


def _drain_batch(last: int, refused: Callable[[str], None]) -> int | None:
    """How many datasets were sent; None when nothing waits up to row ``last``."""
    session = model.Session
    lock()
    waits = sa.select(Outbox.id, Outbox.package_id).where(Outbox.id <= last).order_by(Outbox.id)
    rows = session.execute(waits.limit(BATCH).with_for_update(skip_locked=True)).all()
    if not rows:
        session.rollback()
        return None
    try:
        package_ids = list(dict.fromkeys(row.package_id for row in rows))
        failed, changing = _sent_at_once(package_ids)
        if tk.config.get("ckan.search.solr_commit", True):
            commit()
        session.execute(sa.delete(Outbox).where(Outbox.id.in_([row.id for row in rows])))
        enqueue([*failed, *changing])
        session.commit()
    except BaseException:
        session.rollback()
        raise
    for package_id in failed:
        refused(package_id)
    return len(package_ids) - len(failed)


def lock() -> None:
    """Until the end of the session's transaction nobody else sends what he read before.

    Two that send at once would race, and an older document could win.
    """
    model.Session.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _sent_at_once(package_ids: Collection[str]) -> tuple[list[str], set[str]]:
    """Send a batch; ids of those that cannot be indexed, and of those that have to be sent again (``batch``).

    If it is not taken at once, its datasets are sent one by one, to find which of them is at fault.

    Raises:
        search.SearchIndexError: Solr does not answer at all.
    """
    savepoint = model.Session.begin_nested()
    try:
        changing = index_datasets(package_ids)
    except Exception:
        savepoint.rollback()
        commit()  # raises when it is not a dataset but Solr
        log.warning("A batch of %s datasets is sent one by one", len(package_ids), exc_info=True)
        return [one for one in package_ids if not _sent(one)], set()
    savepoint.commit()
    return [], changing


def _sent(package_id: str) -> bool:
    """Whether the dataset was sent; what is wrong with one dataset must not keep the others out of the index.

    Raises:
        search.SearchIndexError: Solr does not answer at all.
    """
    savepoint = model.Session.begin_nested()
    try:
        _send(package_id)
    except Exception:
        savepoint.rollback()
        commit()  # raises when it is not the dataset but Solr
        log.exception("Dataset %s cannot be indexed", package_id)
        return False
    savepoint.commit()
    return True


def _send(package_id: str) -> None:
    package = model.Package.get(package_id)
    if package is None or package.state == model.State.DELETED:
        _index().remove_dict({"id": package_id})
        return
    try:
        logic.index_update_package(cast(Context, {"ignore_auth": True}), package_id, defer_commit=True)
    except tk.ObjectNotFound:
        _index().remove_dict({"id": package_id})


def commit() -> None:
    """Unlike CKAN's own, waits for the new searcher: whoever is told that a run is done finds what it brought."""
    try:
        make_connection().commit()
    except pysolr.SolrError as error:
        raise search.SearchIndexError(str(error)) from error


def _index() -> PackageSearchIndex:
    return cast(PackageSearchIndex, search.index_for("Package"))
