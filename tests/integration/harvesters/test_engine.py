"""Runs of the engine against a real database, a real index and a real service."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import logic, model
from ckan.tests import factories
from ckanext.activity.model import Activity
from stdnum.cn import ric

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.harvesters import bulk, control, engine, lease
from ckanext.openhuizhou.model.harvest import Outbox, Run, Source, dataset_id_of
from ckanext.openhuizhou.model.load import load_of


def kinds(run: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(finding.kind, finding.record) for finding in run["findings"]]


class TestFirstRun:
    def test_entry_table_dictionary_and_index_are_there(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        run = feed.run()
        assert (run["state"], run["counts"], run["findings"]) == ("done", {"added": 2}, [])
        entry = feed.entry("D-1")
        assert (entry["entry_state"], entry["private"], entry["row_count"]) == ("published", False, 2)
        assert entry["catalogue_code"].startswith("211001/")
        assert entry["name"] == entry["catalogue_code"].lower().replace("/", "-")
        assert entry["resources"][0]["datastore_active"]
        assert feed.table("D-1") == [{"station": "惠城", "reading": 1.5}, {"station": "博罗", "reading": 2.5}]
        assert feed.found() == {entry["title"], feed.entry("D-2")["title"]}

    def test_a_source_that_nobody_approved_makes_drafts(self, department: Any, feed: Any):
        model.Session.execute(sa.update(Source).where(Source.id == feed.source_id).values(approved=False))
        model.Session.commit()
        department.add("D-1")
        assert feed.run()["counts"] == {"added": 1}
        assert feed.entry("D-1")["entry_state"] == "draft"
        assert feed.found() == set()

    @pytest.mark.parametrize("of", ["batches", "passage"])
    def test_more_than_one_batch(self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch, of: str):
        monkeypatch.setattr(f"ckanext.openhuizhou.harvesters.{of}.BATCH", 2)
        department.add("D-1", "D-2", "D-3")
        assert feed.run()["counts"] == {"added": 3}


class TestRerun:
    def test_without_a_change_nothing_is_written(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        feed.run()
        before = (feed.entry("D-1"), activities(feed), load_of(feed.entry("D-1")["resources"][0]["id"]).loaded_at)
        model.Session.remove()
        department.web.requests.clear()
        run = feed.run()
        assert run["counts"] == {"unchanged": 2}
        assert (feed.entry("D-1"), activities(feed)) == before[:2]
        assert load_of(before[0]["resources"][0]["id"]).loaded_at == before[2]
        assert department.paths() == ["/catalog"]
        assert model.Session.scalar(sa.select(sa.func.count()).select_from(Outbox)) == 0

    def test_a_source_that_says_so_is_one_request(self, department: Any, feed: Any):
        department.conditional = True
        department.add("D-1", "D-2")
        department.add("D-3", 提供单位="")
        feed.run()
        department.web.requests.clear()
        run = feed.run()
        assert run["counts"] == {"unchanged": 2, "refused": 1}
        assert kinds(run) == [("provider-missing", "D-3")]
        assert len(department.web.requests) == 1
        assert feed.run("full")["counts"] == {"unchanged": 2, "refused": 1}

    def test_a_changed_word_changes_the_entry_and_leaves_the_table(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        feed.run()
        before = feed.entry("D-1")
        department.change("D-1", 更新频率="每周")
        department.web.requests.clear()
        assert feed.run()["counts"] == {"changed": 1, "unchanged": 1}
        after = feed.entry("D-1")
        differing = {key for key in after if after[key] != before.get(key)}
        assert differing == {"update_cycle", "metadata_modified"}
        assert department.paths() == ["/catalog"]
        assert len(activities(feed)) == 3

    def test_changed_rows_change_the_table(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        department.change("D-1", version="2")
        department.rows["D-1"].append({"station": "龙门", "reading": None})
        assert feed.run()["counts"] == {"changed": 1}
        assert len(feed.table("D-1")) == 3
        assert feed.entry("D-1")["row_count"] == 3

    def test_an_officers_words_stay_where_the_source_says_nothing(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        entry = feed.entry("D-1")
        tk.get_action("package_patch")({"ignore_auth": True, "user": site_user()}, {"id": entry["id"], "version": "3"})
        department.change("D-1", 更新频率="每周")
        feed.run()
        assert (feed.entry("D-1")["version"], feed.entry("D-1")["update_cycle"]) == ("3", "weekly")

    def test_a_change_of_the_mapping_is_a_change(self, department: Any, feed: Any):
        department.conditional = True
        department.add("D-1")
        feed.run()
        source = model.Session.get_one(Source, feed.source_id)
        source.mapping = {**source.mapping, "fields": {**source.mapping["fields"], "notes": {"const": "改过的摘要"}}}
        model.Session.commit()
        assert feed.run()["counts"] == {"changed": 1}
        assert feed.entry("D-1")["notes"] == "改过的摘要"


class TestRefused:
    def test_each_refusal_says_why_and_the_rest_goes_on(self, department: Any, feed: Any):
        department.add("good", "pii")
        department.add("nobody", 提供单位="")
        department.add("mars", 提供单位="火星局")
        department.add("twice", 名称=department.records[0]["名称"].replace("数据", " 数据 "))
        department.add("cycle", 更新频率="偶尔")
        department.add("wrong")
        department.rows["pii"] = [{"station": made_up_resident_id(), "reading": 1} for _row in range(5)]
        department.rows["wrong"] = [{"station": "惠城", "reading": "很高"}]
        run = feed.run()
        assert run["state"] == "done"
        assert run["counts"] == {"added": 1, "refused": 6}
        assert {record: kind for kind, record in kinds(run)} == {
            "pii": "personal-data",
            "nobody": "provider-missing",
            "mars": "provider-unknown",
            "twice": "title-duplicate",
            "cycle": "code-unknown",
            "wrong": "cell-type",
        }
        assert len(feed.found()) == 1
        assert feed.keys("published") == {"good"}
        department.web.requests.clear()
        again = feed.run()
        assert (again["counts"], kinds(again)) == ({"unchanged": 1, "refused": 6}, kinds(run))
        assert department.paths() == ["/catalog"]

    def test_a_record_without_key_and_one_that_comes_twice(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        department.records += [{**department.records[1]}, {"名称": "无编号"}]
        run = feed.run()
        assert run["counts"] == {"added": 2, "refused": 2}
        assert sorted(kinds(run), key=str) == [("key-duplicate", "D-2"), ("key-missing", None)]

    def test_another_departments_record_is_refused(self, department: Any, feed: Any):
        other = factories.Organization(title="演示别的局")
        department.add("D-1", 提供单位=other["title"])
        assert kinds(feed.run()) == [("provider-other", "D-1")]

    def test_what_was_published_stays_when_the_new_rows_are_refused(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        department.change("D-1", version="2", 更新频率="每周")
        department.rows["D-1"] = [{"station": "惠城", "reading": "很高"}]
        assert feed.run()["counts"] == {"refused": 1}
        assert feed.entry("D-1")["update_cycle"] == "daily"
        assert feed.table("D-1")[0] == {"station": "惠城", "reading": 1.5}
        assert load_of(feed.entry("D-1")["resources"][0]["id"]).verdict == "failed"
        department.change("D-1", version="1", 更新频率="每日")
        department.rows["D-1"] = [{"station": "惠城", "reading": 1.5}, {"station": "博罗", "reading": "2.5"}]
        assert feed.run()["counts"] == {"unchanged": 1}
        assert load_of(feed.entry("D-1")["resources"][0]["id"]).verdict == "ok"

    def test_a_column_that_nobody_reviewed_is_held_back(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        memo = {"name": "memo", "label": "备注", "type": "文本"}
        department.change("D-1", version="2", columns=[*department.records[0]["columns"], memo])
        run = feed.run()
        assert kinds(run) == [("columns-changed", "D-1")]
        assert run["findings"][0].params["change"] == "+memo"
        assert "memo" not in feed.table("D-1")[0]

    def test_an_exception_that_nobody_foresaw_ends_its_record_only(
        self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch
    ):
        department.add("D-1", "D-2")
        publish = tk.get_action("package_create")

        def failing(context: Any, data: Any) -> Any:
            if data["title"].endswith("D-1"):
                raise ZeroDivisionError("secret s3cret")
            return publish(context, data)

        def failing_at_once(entries: Any, _context: Any) -> Any:
            return [failing({}, data) for data in entries if data["title"].endswith("D-1")]

        monkeypatch.setitem(logic._actions, "package_create", failing)
        monkeypatch.setattr(bulk, "create", failing_at_once)
        run = feed.run()
        assert run["counts"] == {"added": 1, "failed": 1}
        assert kinds(run) == [("unexpected", "D-1")]
        assert run["findings"][0].params == {"reason": "ZeroDivisionError"}
        monkeypatch.undo()
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [department.web.host])
        assert feed.run()["counts"] == {"added": 1, "unchanged": 1}

    def test_validation_of_ckan_spoils_no_other_record(self, department: Any, feed: Any):
        """CKAN rolls the whole transaction back; the other records of the batch are written again."""
        department.add("D-1", "D-2", "D-3")
        mapping = {**feed_mapping(feed), "datasets": {"D-2": {"fields": {"contact_email": {"const": "no address"}}}}}
        source = model.Session.get_one(Source, feed.source_id)
        source.mapping = mapping
        model.Session.commit()
        run = feed.run()
        assert run["counts"] == {"added": 2, "refused": 1}
        assert [(f.kind, f.record, f.field) for f in run["findings"]] == [("entry-invalid", "D-2", "contact_email")]
        assert feed.keys("published") == {"D-1", "D-3"}


class TestSweep:
    def test_what_is_gone_is_withdrawn_and_comes_back_with_its_name(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        feed.run()
        gone, taken = feed.entry("D-2"), department.records[1]
        department.remove("D-2")
        assert feed.run()["counts"] == {"unchanged": 1, "withdrawn": 1}
        assert feed.entry("D-2")["entry_state"] == "withdrawn"
        assert feed.found() == {feed.entry("D-1")["title"]}
        department.records.append(taken)
        assert feed.run()["counts"] == {"unchanged": 1, "changed": 1}
        back = feed.entry("D-2")
        assert (back["entry_state"], back["name"], back["id"]) == ("published", gone["name"], gone["id"])
        assert len(feed.found()) == 2

    def test_what_a_person_withdrew_stays_withdrawn(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        context = {"ignore_auth": True, "user": site_user()}
        tk.get_action("openhuizhou_entry_withdraw")(context, {"id": feed.entry("D-1")["id"], "reason": "演示"})
        department.change("D-1", version="2")
        feed.run()
        assert feed.entry("D-1")["entry_state"] == "withdrawn"

    def test_the_brake_holds_the_run_until_a_person_releases_it(self, department: Any, feed: Any):
        department.add(*(f"D-{number}" for number in range(8)))
        feed.run()
        department.remove(*(f"D-{number}" for number in range(6)))
        run = feed.run()
        assert (run["state"], run["counts"]) == ("held", {"unchanged": 2})
        assert kinds(run) == [("run-held-withdrawals", None)]
        assert len(feed.found()) == 8
        control.decide(run["id"], "approved", "演示管理员")
        assert engine.work() == 1
        after = feed.report(run["id"])
        assert (after["state"], after["counts"]) == ("done", {"unchanged": 2, "withdrawn": 6})
        assert len(feed.found()) == 2

    def test_an_empty_source_is_held(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        department.remove("D-1")
        run = feed.run()
        assert (run["state"], kinds(run)) == ("held", [("run-held-empty", None)])
        assert feed.entry("D-1")["entry_state"] == "published"


class TestBrokenSource:
    def test_a_wrong_token_fails_the_run_and_changes_nothing(self, department: Any, feed: Any):
        department.add("D-1")
        feed.run()
        department.token = "another"
        run = feed.run()
        assert (run["state"], kinds(run)) == ("failed", [("source-denied", None)])
        assert "t0ken" not in str(run)
        assert feed.entry("D-1")["entry_state"] == "published"
        department.token = "t0ken"
        assert feed.run()["counts"] == {"unchanged": 1}

    def test_a_truncated_answer_fails_the_run(self, department: Any, feed: Any):
        department.add("D-1")
        department.broken = b'{"list": [{"id": "D-1", "'
        run = feed.run()
        assert (run["state"], kinds(run)) == ("failed", [("source-malformed", None)])
        department.broken = None
        assert feed.run()["counts"] == {"added": 1}

    def test_an_address_that_nobody_approved_is_refused(
        self, department: Any, feed: Any, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setitem(tk.config, "ckanext.openhuizhou.allowed_hosts", [])
        run = feed.run()
        assert (run["state"], kinds(run)) == ("failed", [("address-refused", None)])
        assert department.web.requests == []

    def test_a_wrong_mapping_fails_the_run_with_its_place(self, department: Any, feed: Any):
        source = model.Session.get_one(Source, feed.source_id)
        source.mapping = {"fields": {"titel": {"from": "名称"}}}
        model.Session.commit()
        run = feed.run()
        assert kinds(run) == [("source-misconfigured", None)]
        assert "mapping.fields.titel" in run["findings"][0].params["reason"]

    def test_rows_that_do_not_come_fail_their_record_only(self, department: Any, feed: Any):
        department.add("D-1", "D-2")
        department.web.pages["/data/D-1"] = b'{"list": [{"sta'
        run = feed.run()
        assert (run["counts"], kinds(run)) == ({"added": 1, "failed": 1}, [("source-malformed", "D-1")])

    def test_tables_that_are_not_for_us_fail_their_records_only(self, department: Any, feed: Any):
        department.add("D-1", "D-2", "D-3", "D-4", "D-5")
        for number in (1, 2, 3, 4):
            department.web.pages[f"/data/D-{number}"] = lambda _handler: (403, {}, b"")
        run = feed.run()
        assert (run["state"], run["counts"]) == ("done", {"added": 1, "failed": 4})
        assert {kind for kind, _record in kinds(run)} == {"source-denied"}

    def test_a_source_that_stops_answering_fails_the_run(self, department: Any, feed: Any):
        department.add("D-1", "D-2", "D-3", "D-4", "D-5")
        for number in (2, 3, 4):
            department.web.pages[f"/data/D-{number}"] = lambda _handler: (503, {"Retry-After": "0"}, b"")
        run = feed.run()
        assert (run["state"], run["counts"]) == ("failed", {"added": 1, "failed": 3})
        assert kinds(run)[-1] == ("source-unreachable", None)
        assert "/data/D-5" not in department.paths()


class TestLease:
    def test_a_source_that_is_being_read_is_left_alone(self, department: Any, feed: Any):
        run_id, _new = lease.queue(feed.source_id)
        held = lease.claim(run_id)
        assert held is not None
        assert lease.claim(run_id) is None
        assert lease.queue(feed.source_id) == (run_id, False)
        held.finish("cancelled")
        model.Session.commit()

    def test_who_lost_the_lease_commits_nothing(self, department: Any, feed: Any):
        department.add("D-1", "D-2")

        def take_over(key: str) -> None:
            if key == "D-2":
                database = model.meta.engine
                assert database is not None
                with database.begin() as connection:
                    connection.execute(
                        sa.update(Run).where(Run.source_id == feed.source_id).values(worker="another:1:1")
                    )

        department.before_rows = take_over
        run = feed.run()
        assert (run["state"], run["counts"]) == ("running", {})
        assert feed.keys("published", "pending") == set()
        assert feed.found() == set()
        department.before_rows = lambda _key: None
        model.Session.execute(sa.update(Run).where(Run.source_id == feed.source_id).values(lease_until=utcnow()))
        model.Session.commit()
        assert feed.run()["counts"] == {"added": 2}


def made_up_resident_id() -> str:
    """With a right check digit, of a day and a place that nobody was born in."""
    number = "44139119000101000"
    return number + ric.calc_check_digit(number + "0")


def feed_mapping(feed: Any) -> dict[str, Any]:
    return model.Session.get_one(Source, feed.source_id).mapping


def activities(feed: Any) -> list[tuple[str, str]]:
    """Type and time of what happened to the first two entries."""
    ids = [dataset_id_of(feed.source_id, key) for key in ("D-1", "D-2")]
    query = sa.select(Activity.activity_type, Activity.object_id).where(Activity.object_id.in_(ids))
    return sorted(tuple(row) for row in model.Session.execute(query))


def site_user() -> str:
    return tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
