"""Every dataset of the database, every document of the index: in pages, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.lib.search.common import make_connection

PAGE: Final = 1000


def dataset_pages(size: int = PAGE) -> Iterator[list[str]]:
    """Ids of datasets that are not deleted, in their order. Each page is a transaction of its own."""
    after = ""
    while page := _page(after, size):
        yield page
        after = page[-1]


def document_pages() -> Iterator[list[str]]:
    """Ids of this site's datasets that the index has, in the order of its keys.

    Raises:
        pysolr.SolrError: Solr does not answer.
    """
    mark, following = "*", ""
    while mark != following:
        answer = make_connection().search(
            "*:*", fq=of_this_site(), rows=PAGE, fl="id", sort="index_id asc", cursorMark=following or mark
        )
        mark, following = following, answer.nextCursorMark
        if answer.docs:
            yield [document["id"] for document in answer.docs]


def of_this_site() -> list[str]:
    """The filters that select this site's datasets."""
    return [f'site_id:"{tk.config["ckan.site_id"]}"', "entity_type:package"]


def _page(after: str, size: int) -> list[str]:
    package = model.Package
    query = sa.select(package.id).where(package.id > after, package.state != model.State.DELETED)
    found = list(model.Session.scalars(query.order_by(package.id).limit(size)))
    model.Session.rollback()
    return found
