"""Index many datasets with one request: the same documents as CKAN's, read with a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import pysolr
import sqlalchemy as sa
from ckan import logic, model
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckan.types import Context

from ckanext.openhuizhou.model.database import engine

from .package_dicts import package_dicts, packages
from .shown import shown
from .solr_document import index_id, solr_document
from .surroundings import looked_up


def index_datasets(package_ids: Collection[str]) -> set[str]:
    """Send the documents of these datasets, and take away those of datasets that are deleted or not there. Does not
    commit in Solr.

    Returns the ids of those that somebody was changing meanwhile: CKAN sends a dataset before it commits, so that what
    was sent here may have taken the place of something newer. They have to be sent once more.

    Raises:
        search.SearchIndexError: Solr did not take the batch; nothing of it was committed.
        Exception: whatever is wrong with one of the datasets; whoever sends them must then send them one by one.
    """
    found = packages(package_ids)
    living = [package for package in found.values() if package.state != model.State.DELETED]
    versions = {package.id: package.metadata_modified for package in living}
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
    return _changing(versions)


def _changing(versions: Mapping[str, datetime]) -> set[str]:
    """Of these versions, those that are not the committed ones any more, or that somebody holds to change them."""
    package = model.Package
    query = sa.select(package.id, package.metadata_modified).where(package.id.in_(versions))
    with engine().begin() as connection:
        rows = connection.execute(query.with_for_update(read=True, skip_locked=True))
        now = {row.id: row.metadata_modified for row in rows}
    return {package_id for package_id, version in versions.items() if now.get(package_id) != version}


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
