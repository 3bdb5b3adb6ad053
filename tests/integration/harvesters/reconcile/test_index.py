"""Documents of the index: missing, outdated, superfluous."""

from __future__ import annotations

import hashlib
from typing import Any

import ckan.plugins.toolkit as tk
import pysolr
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib import search
from ckan.lib.search.common import make_connection
from tests.integration.harvesters.reconcile.steps import (
    DEAD_SOLR,
    change_entry,
    document,
    documents,
    execute,
    found,
    heals,
    purge,
)

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.discrepancies import CLEAN
from ckanext.openhuizhou.harvesters.reconcile import last_report, reconcile
from ckanext.openhuizhou.model import load
from ckanext.openhuizhou.model.harvest import Source, dataset_id_of, resource_id_of
from ckanext.openhuizhou.search import outbox, walk


class TestIndex:
    def test_a_missing_document_comes_back(self, harvested: Any):
        make_connection().delete(id=document(dataset_id_of(harvested.source_id, "D-1"))["index_id"], commit=True)
        heals(harvested, document_missing=1)
        assert len(harvested.found()) == 3

    @pytest.mark.parametrize("ghost", ["of no entry", "of no entry, under another key", "a second one of an entry"])
    def test_a_ghost_goes(self, harvested: Any, ghost: str):
        real = document(dataset_id_of(harvested.source_id, "D-1"))
        package_id = real["id"] if ghost.startswith("a second") else "ghost-1"
        own_key = hashlib.md5(f"{package_id}{real['site_id']}".encode()).hexdigest()
        index_id = own_key if ghost == "of no entry" else "another-key"
        fields = {name: real[name] for name in ("site_id", "entity_type", "dataset_type", "name", "title", "state")}
        make_connection().add([{**fields, "id": package_id, "index_id": index_id}], commit=True)
        heals(harvested, document_superfluous=1)
        assert documents("ghost-1") == []
        assert document(real["id"])["index_id"] == real["index_id"]

    @pytest.mark.parametrize(
        "tampered",
        [
            {"title": "演示：另一个名称"},
            {"metadata_modified": utcnow().replace(year=2020)},
            {"private": True},
            {"extras": sa.func.jsonb_set(model.Package.extras, ["open_type"], '"none"')},
        ],
        ids=["title", "modified", "private", "open-type"],
    )
    def test_a_document_that_tells_otherwise_is_written_anew(self, harvested: Any, tampered: dict[str, Any]):
        """Whatever the time of change says."""
        change_entry(harvested, "D-2", **tampered)
        assert found(dry=True) == {"document-outdated": 1}
        assert found() == {"document-outdated": 1}
        assert found() == {}

    def test_a_verdict_that_the_index_does_not_know_reaches_it(self, harvested: Any):
        with_failed = sa.update(load.Load).where(load.Load.resource_id == resource_id_of(harvested.source_id, "D-1"))
        execute(with_failed.values(verdict="failed"))
        assert document(dataset_id_of(harvested.source_id, "D-1"))["openhuizhou_data_ok"] is True
        assert found() == {"document-outdated": 1}
        assert document(dataset_id_of(harvested.source_id, "D-1"))["openhuizhou_data_ok"] is False

    def test_a_purged_entry_in_the_outbox_is_taken_out_of_both(self, harvested: Any):
        package_id = dataset_id_of(harvested.source_id, "D-3")
        outbox.enqueue(["never-there", "never-there"])
        model.Session.commit()
        tk.get_action("dataset_purge")({"ignore_auth": True}, {"id": package_id})
        outbox.enqueue(package_id)
        model.Session.commit()
        counts = found()
        assert counts["outbox-gone"] == 2
        assert outbox.waiting() == 0
        assert documents(package_id) == []
        assert found() == {}

    def test_pages_meet_at_their_edges(self, harvested: Any, monkeypatch: pytest.MonkeyPatch):
        """With pages of two, nothing is passed over or met twice."""
        monkeypatch.setattr(walk, "PAGE", 2)
        monkeypatch.setattr(walk.dataset_pages, "__defaults__", (2,))
        report = reconcile()
        entries = model.Session.scalar(
            sa.select(sa.func.count()).select_from(model.Package).where(model.Package.state != "deleted")
        )
        assert report.status == CLEAN
        assert report.looked_at["entries"] == report.looked_at["documents"] == entries

    def test_a_change_that_waits_for_its_index_is_no_discrepancy(self, harvested: Any):
        change_entry(harvested, "D-1", title="演示：改名")
        outbox.enqueue(dataset_id_of(harvested.source_id, "D-1"))
        model.Session.commit()
        assert found(dry=True) == {}

    def test_a_dead_index_is_said_and_the_rest_is_repaired(self, harvested: Any, monkeypatch: pytest.MonkeyPatch):
        purge(harvested, "D-1")
        monkeypatch.setitem(tk.config, "solr_url", DEAD_SOLR)
        with pytest.raises((search.SearchIndexError, pysolr.SolrError)):
            reconcile()
        model.Session.remove()
        assert harvested.record("D-1")["state"] == "pending"


class TestReport:
    def test_the_last_report_is_kept(self, harvested: Any):
        make_connection().delete(id=document(dataset_id_of(harvested.source_id, "D-1"))["index_id"], commit=True)
        reconcile()
        kept = last_report()
        assert kept is not None
        assert kept["counts"] == {"document-missing": 1}
        assert kept["found"][0]["what"] == dataset_id_of(harvested.source_id, "D-1")
        reconcile(dry=True)
        assert last_report() == kept

    def test_sources_are_untouched_by_a_clean_comparison(self, department: Any, harvested: Any):
        department.conditional = True
        harvested.run()
        before = model.Session.get_one(Source, harvested.source_id).state
        reconcile()
        model.Session.remove()
        assert model.Session.get_one(Source, harvested.source_id).state == before
