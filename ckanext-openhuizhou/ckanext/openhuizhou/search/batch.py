"""Index many datasets with one request: the same documents as CKAN's, read with a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pysolr
from ckan import logic, model
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckan.types import Context

from .package_dicts import package_dicts, packages
from .shown import shown
from .solr_document import index_id, solr_document
from .surroundings import looked_up


def index_datasets(package_ids: Collection[str]) -> int:
    """Send the documents of these datasets, and take away those of datasets that are deleted or not there; how many
    were sent. Does not commit in Solr.

    Raises:
        search.SearchIndexError: Solr did not take the batch; nothing of it was committed.
        Exception: whatever is wrong with one of the datasets; whoever sends them must then send them one by one.
    """
    found = packages(package_ids)
    living = [package for package in found.values() if package.state != model.State.DELETED]
    documents = documents_of(living)
    made = {document["id"] for document in documents}
    try:
        solr = make_connection()
        if documents:
            solr.add(docs=documents, commit=False)
        gone = [index_id(package_id) for package_id in set(package_ids) - {one.id for one in living}]
        if gone:
            solr.delete(id=gone, commit=False)
    except (pysolr.SolrError, OSError) as error:
        raise search.SearchIndexError(str(error)[:1000]) from error
    for package in living:
        if package.id not in made:
            logic.index_update_package(Context(ignore_auth=True), package.id, defer_commit=True)
    return len(living)


def documents_of(living: Collection[model.Package]) -> list[dict[str, Any]]:
    """The documents of these datasets; of those that need CKAN's own way there is none."""
    dicts = package_dicts(living)
    by_id = {package.id: package for package in living}
    documents = []
    with looked_up(dicts.values()):
        for package_id, package_dict in dicts.items():
            package = by_id[package_id]
            context = Context(ignore_auth=True, use_cache=False, package=package, session=model.Session)
            documents.append(solr_document(package, *shown(package_dict, context)))
    return documents
