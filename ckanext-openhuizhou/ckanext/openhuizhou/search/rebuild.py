"""The whole index from the database, without emptying it first: whoever searches meanwhile finds everything.

Safe beside people and harvests: nobody else drains while a batch is read and sent, and what somebody was changing
meanwhile goes into the outbox. Can be stopped and started anew at any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pysolr
import sqlalchemy as sa
from ckan import model
from ckan.lib import search
from ckan.lib.search.common import make_connection

from . import outbox, walk
from .batch import index_datasets
from .solr_document import index_id

BATCH: Final = 500


@dataclass(slots=True)
class Rebuilt:
    """``indexed``: datasets sent. ``removed``: documents without a dataset. ``refused``:
    ids of datasets that cannot be indexed; they wait in the outbox."""

    indexed: int = 0
    removed: int = 0
    refused: tuple[str, ...] = ()
    seconds: float = 0.0


def rebuild(progress: Callable[[int], None] = lambda _count: None) -> Rebuilt:
    """Send every dataset, then take away what has none.

    ``progress``: is told after each batch how many were sent. Commits the session.

    Raises:
        search.SearchIndexError: Solr does not answer.
    """
    began, done = time.monotonic(), Rebuilt()
    for ids in walk.dataset_pages(BATCH):
        _send(ids, done)
        done.indexed += len(ids)
        progress(done.indexed)
    try:
        outbox.commit()
        outbox.drain()
        done.removed = sum(_remove_without_dataset(ids) for ids in walk.document_pages())
        outbox.commit()
    except pysolr.SolrError as error:
        raise search.SearchIndexError(str(error)[:1000]) from error
    done.seconds = time.monotonic() - began
    return done


def _send(ids: list[str], done: Rebuilt) -> None:
    outbox.lock()
    try:
        outbox.enqueue(index_datasets(ids))
    except Exception:  # noqa: BLE001 - the outbox finds which of them it is, and says so
        model.Session.rollback()
        outbox.commit()  # raises when it is not a dataset but Solr
        _send_through_outbox(ids, done)
    else:
        model.Session.commit()


def _send_through_outbox(ids: list[str], done: Rebuilt) -> None:
    refused: list[str] = []
    outbox.enqueue(ids)
    model.Session.commit()
    outbox.drain(refused=refused.append)
    done.refused += tuple(package_id for package_id in refused if package_id in ids)


def _remove_without_dataset(ids: list[str]) -> int:
    """Take away the documents of those that are not in the database, or are deleted there."""
    package = model.Package
    query = sa.select(package.id).where(package.id.in_(ids), package.state != model.State.DELETED)
    living = set(model.Session.scalars(query))
    model.Session.rollback()
    gone = [package_id for package_id in ids if package_id not in living]
    if gone:
        make_connection().delete(id=[index_id(package_id) for package_id in gone], commit=False)
    return len(gone)
