"""What is indexed in batches is what CKAN itself indexes; a rebuild loses nothing and leaves nothing over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import logic, model, plugins
from ckan.lib.search.common import SearchIndexError, make_connection
from ckan.tests import factories
from tests.factories import complete_entry

from ckanext.openhuizhou import schemas
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.model.load import Load
from ckanext.openhuizhou.search import batch, outbox, rebuild
from ckanext.openhuizhou.search.solr_document import index_id
from ckanext.openhuizhou.search.walk import document_pages, of_this_site

#: Solr's own.
NOT_COMPARED = ("_version_", "indexed_ts", "score")
#: Of a draft.
NOT_NEEDED = ("notes", "category", "theme", "open_type", "share_type", "share_way", "format_class", "items")
ENTRIES: dict[str, dict[str, Any]] = {
    "published": {"entry_state": "published", "tags": [{"name": "空气"}, {"name": "air quality"}]},
    "draft": {"entry_state": "draft"},
    "draft with next to nothing": {"entry_state": "draft", **dict.fromkeys(NOT_NEEDED)},
    "withdrawn": {"entry_state": "withdrawn", "withdraw_reason": "测试"},
    "conditional": {"entry_state": "published", "open_type": "conditional", "open_condition": "须申请"},
    "not open": {"entry_state": "published", "open_type": "none", "open_condition": "依据某条例不予开放"},
    "many items": {
        "entry_state": "published",
        "items": [
            {"name": f"信息项{n}", "column": f"c{n}", "data_type": "string", "length": n + 1, "is_key": n == 0}
            for n in range(300)
        ],
    },
    "every field": {
        "entry_state": "published",
        "demo": True,
        "region": "441302",
        "time_range": "2017年",
        "spatial_range": "全市",
        "industry": "N",
        "data_level": "1",
        "source_system": "演示系统",
        "contact_name": "演示",
        "contact_phone": "0752-0000000",
        "contact_email": "demo@example.org",
        "version": "1.0",
        "license_id": "cc-by",
        "author": "  spaces  ",
    },
    "strange letters": {"entry_state": "published", "notes": "😀 <b>&amp; 𠮷", "tags": [{"name": "标签"}]},
    "links": {
        "entry_state": "published",
        "resources": [
            {"url": " http://data.example.org/a b.csv ", "format": "text/csv", "name": "甲", "description": "乙"},
            {"url": "data.example.org/c", "format": "Excel", "more": "an extra of a resource"},
        ],
    },
}


@pytest.fixture(scope="module")
def datasets(empty_database: Any, reset_index: Any) -> Iterator[dict[str, str]]:
    """Name of a case → id of its dataset."""
    plugins.load_all()
    empty_database()
    reset_index()
    try:
        yield _made()
    finally:
        plugins.unload_all()


def _made() -> dict[str, str]:
    sysadmin = factories.Sysadmin()["name"]
    owner = factories.Organization(title="演示局", short_name="演局")["id"]
    made = {}
    for case, fields in ENTRIES.items():
        state = fields.get("entry_state")
        first = {**fields, "entry_state": "published"} if state == "withdrawn" else fields
        first = {name: value for name, value in first.items() if name != "withdraw_reason"}
        entry = complete_entry(type="dataset", title=f" {case} 数据", owner_org=owner, **first)
        package_id = tk.get_action("package_create")({"user": sysadmin}, entry)["id"]
        if state == "withdrawn":
            withdrawn = {"id": package_id, "reason": fields["withdraw_reason"]}
            tk.get_action("openhuizhou_entry_withdraw")({"user": sysadmin}, withdrawn)
        made[case] = package_id
    application = {
        "type": "application",
        "title": "演示应用",
        "notes": "演示",
        "url": "http://app.example.org",
        "developer": "演示",
        "platform": "web",
    }
    made["application"] = tk.get_action("package_create")({"user": sysadmin}, application)["id"]
    made["in a group"] = _plain("in a group", sysadmin, owner, groups=[{"name": factories.Group()["name"]}])
    made["with a table"] = _plain("with a table", sysadmin, owner)
    model.Session.add(
        Load(
            resource_id="r-1", package_id=made["with a table"], verdict="ok", rows=42, checked_at=utcnow(), findings=[]
        )
    )
    made["unknown extra"] = _plain("unknown extra", sysadmin, owner)
    package = model.Package.get(made["unknown extra"])
    package.notes = "a\x0bb"
    package.extras = {**package.extras, "of another time": "value", "expiry_date": "2018-03-31"}
    model.Session.commit()
    return made


def _plain(title: str, user: str, owner: str, **fields: Any) -> str:
    entry = complete_entry(type="dataset", title=title, owner_org=owner, entry_state="published", **fields)
    return tk.get_action("package_create")({"user": user}, entry)["id"]


def stored(package_id: str) -> dict[str, Any]:
    """What the index keeps of a dataset, what is only searched through not included."""
    solr = make_connection()
    solr.commit()
    [document] = solr.search("*:*", fq=[f"id:{package_id}", *of_this_site()], fl="*").docs
    for name in ("data_dict", "validated_data_dict"):
        document[name] = json.loads(document[name])
    return {name: value for name, value in document.items() if name not in NOT_COMPARED}


def remove(*package_ids: str) -> None:
    solr = make_connection()
    for package_id in package_ids:
        solr.delete(q=f"id:{package_id}")
    solr.commit()


@pytest.mark.usefixtures("with_request_context")
class TestSameAsCkan:
    @pytest.mark.parametrize("case", [*ENTRIES, "application", "in a group", "with a table", "unknown extra"])
    def test_the_document_is_the_one_that_ckan_sends(self, datasets: dict[str, str], case: str):
        package_id = datasets[case]
        remove(package_id)
        logic.index_update_package({"ignore_auth": True}, package_id)
        by_ckan = stored(package_id)
        remove(package_id)
        assert batch.index_datasets([package_id]) == set()
        assert stored(package_id) == by_ckan

    def test_all_at_once_are_what_they_are_alone(self, datasets: dict[str, str]):
        batch.index_datasets(list(datasets.values()))
        together = {case: stored(package_id) for case, package_id in datasets.items()}
        for case, package_id in datasets.items():
            batch.index_datasets([package_id])
            assert stored(package_id) == together[case]

    def test_a_batch_costs_as_many_queries_as_one(self, datasets: dict[str, str]):
        ordinary = [package_id for case, package_id in datasets.items() if case != "in a group"]
        assert _queries(ordinary) == _queries(ordinary[:1])

    def test_package_show_reads_it_as_before(self, datasets: dict[str, str]):
        for package_id in datasets.values():
            fresh = tk.get_action("package_show")({"ignore_auth": True, "use_cache": False}, {"id": package_id})
            batch.index_datasets([package_id])
            make_connection().commit()
            cached = tk.get_action("package_show")({"ignore_auth": True}, {"id": package_id})
            assert cached == json.loads(json.dumps(fresh))


def _queries(package_ids: list[str]) -> int:
    asked = []

    def count(*arguments: Any) -> None:
        asked.append(arguments)

    engine = model.Session.get_bind()
    model.Session.expire_all()
    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        batch.documents_of(list(batch.packages(package_ids).values()))
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
    return len(asked)


@pytest.mark.usefixtures("with_request_context")
class TestSomebodyElse:
    """CKAN sends what a person saves before it commits; whoever read the dataset before must not have the last word."""

    CHANGE = sa.text("UPDATE package SET title = :title, metadata_modified = now() WHERE id = :id")

    def test_who_holds_the_dataset_has_it_sent_again(self, datasets: dict[str, str]):
        package_id = datasets["published"]
        with model.meta.engine.begin() as saving:
            saving.execute(self.CHANGE, {"title": "别人正在保存", "id": package_id})
            outbox.enqueue([package_id, datasets["draft"]])
            model.Session.commit()
            outbox.drain()
            assert outbox.waiting() == 1
        assert outbox.drain() == 1
        assert outbox.waiting() == 0
        assert stored(package_id)["title"] == "别人正在保存"

    def test_who_saved_between_reading_and_sending_has_it_sent_again(
        self, datasets: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ):
        package_id = datasets["published"]
        made = batch.documents_of

        def save_meanwhile(living: Any) -> Any:
            documents = made(living)
            with model.meta.engine.begin() as saving:
                saving.execute(self.CHANGE, {"title": "别人已经保存", "id": package_id})
            return documents

        with monkeypatch.context() as patch:
            patch.setattr(batch, "documents_of", save_meanwhile)
            assert batch.index_datasets([package_id, datasets["draft"]]) == {package_id}
        outbox.enqueue(package_id)
        model.Session.commit()
        outbox.drain()
        assert stored(package_id)["title"] == "别人已经保存"

    def test_a_rebuild_meanwhile_leaves_it_to_the_outbox(self, datasets: dict[str, str]):
        package_id = datasets["conditional"]
        with model.meta.engine.begin() as saving:
            saving.execute(self.CHANGE, {"title": "保存时重建", "id": package_id})
            rebuild.rebuild()
            assert outbox.waiting() == 1
        outbox.drain()
        assert stored(package_id)["title"] == "保存时重建"


@pytest.mark.usefixtures("with_request_context")
class TestRebuild:
    def test_what_is_lacking_comes_and_what_has_no_dataset_goes(self, datasets: dict[str, str]):
        remove(datasets["published"], datasets["draft"])
        site = tk.config["ckan.site_id"]
        ghost = {"id": "gone", "index_id": index_id("gone"), "site_id": site, "entity_type": "package"}
        make_connection().add(docs=[ghost], commit=True)
        done = rebuild.rebuild()
        assert (done.indexed, done.refused) == (len(datasets), ())
        assert done.removed == 1
        assert {one for page in document_pages() for one in page} == set(datasets.values())

    def test_nothing_is_missing_while_it_works(self, datasets: dict[str, str]):
        counts: list[int] = []
        rebuild.rebuild(lambda _count: counts.append(make_connection().search("*:*", fq=of_this_site()).hits))
        assert counts
        assert set(counts) == {len(datasets)}

    def test_a_dataset_that_solr_refuses_keeps_no_other_out(self, datasets: dict[str, str]):
        bad = model.Package.get(datasets["links"])
        before = dict(bad.extras)
        bad.extras = {**before, "views_recent": "many"}  # a field of Solr's, and no number
        model.Session.commit()
        remove(*datasets.values())
        try:
            done = rebuild.rebuild()
            assert done.refused == (datasets["links"],)
            present = {one for page in document_pages() for one in page}
            assert present == set(datasets.values()) - {datasets["links"]}
        finally:
            model.Package.get(datasets["links"]).extras = before
            model.Session.commit()
            outbox.drain()
        assert outbox.waiting() == 0

    def test_a_dead_solr_is_said(self, datasets: dict[str, str], monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(tk.config, "solr_url", "http://127.0.0.1:9/solr/none")
        with pytest.raises(SearchIndexError):
            rebuild.rebuild()


@pytest.mark.usefixtures("with_request_context")
class TestSchemas:
    def test_they_are_read_anew_with_the_plugins(
        self, datasets: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        package_id = datasets["published"]
        package = model.Package.get(package_id)
        package.extras = {**package.extras, "row_count": "42"}
        model.Session.commit()
        assert _shown_in_batch(package_id)["row_count"] == 42
        changed = tmp_path / "dataset.yaml"
        schema = Path(schemas.__path__[0], "dataset.yaml").read_text("utf-8")
        changed.write_text(schema.replace("output_validators: openhuizhou_integer", ""), "utf-8")
        with monkeypatch.context() as patch:
            others = [url for url in tk.config["scheming.dataset_schemas"].split() if "dataset.yaml" not in url]
            patch.setitem(tk.config, "scheming.dataset_schemas", " ".join([f"file://{changed}", *others]))
            plugins.load_all()
            assert _shown_in_batch(package_id)["row_count"] == "42"
        plugins.load_all()
        assert _shown_in_batch(package_id)["row_count"] == 42


def _shown_in_batch(package_id: str) -> dict[str, Any]:
    [document] = batch.documents_of(list(batch.packages([package_id]).values()))
    return json.loads(document["validated_data_dict"])
