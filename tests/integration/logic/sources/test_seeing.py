"""Who sees sources and runs, and what they see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model, plugins
from ckan.tests import factories, helpers
from sqlalchemy import event

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters import lease
from ckanext.openhuizhou.harvesters.stored import add_findings, finding_values, save
from ckanext.openhuizhou.model import role
from ckanext.openhuizhou.model.harvest import Source, source_id_of


@pytest.fixture(scope="module")
def people(empty_database: Callable[[], None]) -> Iterator[dict[str, str]]:
    """Names of an editor of the department, one of another, a platform officer, an auditor and a citizen."""
    plugins.load_all()
    empty_database()
    with helpers._get_test_app().flask_app.test_request_context():
        yield build()
    plugins.unload_all()


def build() -> dict[str, str]:
    own, other = factories.User(), factories.User()
    officer, auditor, citizen, member = (factories.User() for _count in range(4))
    department = factories.Organization(
        name="own", users=[{"name": own["name"], "capacity": "editor"}, {"name": member["name"], "capacity": "member"}]
    )
    factories.Organization(name="other", users=[{"name": other["name"], "capacity": "editor"}])
    role.grant(officer["id"], "platform_officer", None)
    role.grant(auditor["id"], "auditor", None)
    source = Source(
        id=source_id_of("own-drop"),
        name="own-drop",
        title="演示目录",
        organization_id=department["id"],
        kind="csv",
        config={"url": "${own.path}", "token": "written-in", "manifest": "m.csv"},
        mapping={},
        state={},
    )
    model.Session.add(source)
    model.Session.commit()
    named = {"own": own, "member": member, "other": other, "officer": officer, "auditor": auditor, "citizen": citizen}
    return {who: user["name"] for who, user in named.items()} | {"anonymous": ""}


@pytest.fixture
def run_id(people: dict[str, str]) -> str:
    """A run that failed."""
    queued, _new = lease.queue(source_id_of("own-drop"))
    held = lease.claim(queued)
    assert held is not None
    finding = Finding("required-missing", field="title")
    denied = Finding("source-denied", params={"reason": "x", "reason_message": "{url} answers {status}",
                                              "reason_params": {"url": "http://h/", "status": 401}})  # fmt: skip
    add_findings([finding_values(queued, finding, "A-1", "标题"), finding_values(queued, denied, None)])
    held.finish("failed")
    model.Session.commit()
    return queued


@pytest.fixture
def many_sources(people: dict[str, str]) -> list[str]:
    """Names of three more sources, the first with records."""
    names = [f"more-{number}" for number in range(3)]
    organization_id = model.Session.get_one(Source, source_id_of("own-drop")).organization_id
    for name in names:
        about = {"id": source_id_of(name), "name": name, "title": name, "organization_id": organization_id}
        model.Session.add(Source(**about, kind="csv", config={}, mapping={}, state={}))
    model.Session.commit()
    for key, state in (("A", "published"), ("B", "published"), ("C", "refused")):
        save(
            source_id_of(names[0]),
            key,
            {"state": state, "last_result": state, "last_run_id": "", "last_seen": utcnow()},
        )
    model.Session.commit()
    return names


def call(who: str, action_name: str, **data: Any) -> Any:
    context = {"user": who, "ignore_auth": False}
    return helpers.call_action(action_name, context, **data)


SEEING = ("own", "member", "officer", "auditor")


class TestSourceList:
    def test_each_sees_what_is_theirs(self, people: dict[str, str]):
        for who in SEEING:
            assert [source["name"] for source in call(people[who], "openhuizhou_source_list")] == ["own-drop"]
        assert call(people["other"], "openhuizhou_source_list") == []

    def test_asks_as_often_for_many_as_for_one(self, people: dict[str, str], run_id: str, many_sources: list[str]):
        def statements() -> int:
            counted: list[str] = []

            def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
                if "openhuizhou_" in statement:
                    counted.append(statement)

            engine = model.meta.engine
            event.listen(engine, "before_cursor_execute", count)
            try:
                listed.append(call(people["officer"], "openhuizhou_source_list"))
            finally:
                event.remove(engine, "before_cursor_execute", count)
            return len(counted)

        listed: list[list[dict[str, Any]]] = []
        with_many = statements()
        for name in many_sources:
            model.Session.delete(model.Session.get_one(Source, source_id_of(name)))
        model.Session.commit()
        assert with_many == statements()
        assert (len(listed[0]), len(listed[1])) == (4, 1)
        shown = {source["name"]: source for source in listed[0]}
        assert shown["own-drop"]["last_run"]["id"] == run_id
        assert shown[many_sources[0]]["records"] == {"published": 2, "refused": 1}
        assert shown[many_sources[1]]["records"] == {}
        assert shown[many_sources[1]]["last_run"] is None

    @pytest.mark.parametrize("who", ["citizen", "anonymous"])
    def test_others_are_refused(self, people: dict[str, str], who: str):
        with pytest.raises(tk.NotAuthorized):
            call(people[who], "openhuizhou_source_list")


class TestSourceShow:
    def test_shows_no_secret(self, people: dict[str, str]):
        shown = call(people["own"], "openhuizhou_source_show", id="own-drop")
        assert shown["config"] == {"url": "${own.path}", "token": "***", "manifest": "m.csv"}

    @pytest.mark.parametrize("who", ["other", "citizen", "anonymous"])
    def test_others_are_refused(self, people: dict[str, str], who: str):
        with pytest.raises(tk.NotAuthorized):
            call(people[who], "openhuizhou_source_show", id="own-drop")

    def test_what_is_not_there_is_not_found(self, people: dict[str, str]):
        with pytest.raises(tk.ObjectNotFound):
            call(people["officer"], "openhuizhou_source_show", id="none")


class TestHarvestRunList:
    def test_each_sees_what_is_theirs(self, people: dict[str, str], run_id: str):
        for who in SEEING:
            found = call(people[who], "openhuizhou_harvest_run_list")
            assert (run_id, "failed", "own-drop") in [(r["id"], r["state"], r["source"]) for r in found["results"]]
        assert call(people["other"], "openhuizhou_harvest_run_list") == {"count": 0, "results": []}

    def test_pages(self, people: dict[str, str], run_id: str):
        count = call(people["officer"], "openhuizhou_harvest_run_list", source_id="own-drop")["count"]
        page = {"source_id": "own-drop", "limit": 1}
        assert len(call(people["officer"], "openhuizhou_harvest_run_list", **page)["results"]) == 1
        beyond = call(people["officer"], "openhuizhou_harvest_run_list", **page, offset=count)
        assert beyond == {"count": count, "results": []}

    @pytest.mark.parametrize("data", [{"limit": "many"}, {"offset": -1}])
    def test_wrong_parameters_are_named(self, people: dict[str, str], data: dict[str, Any]):
        with pytest.raises(tk.ValidationError):
            call(people["officer"], "openhuizhou_harvest_run_list", **data)

    @pytest.mark.parametrize("who", ["citizen", "anonymous"])
    def test_others_are_refused(self, people: dict[str, str], who: str):
        with pytest.raises(tk.NotAuthorized):
            call(people[who], "openhuizhou_harvest_run_list")


class TestHarvestRunShow:
    def test_findings_are_sentences(self, people: dict[str, str], run_id: str):
        shown = call(people["own"], "openhuizhou_harvest_run_show", id=run_id)
        assert shown["findings_count"] == 2
        first, second = shown["findings"]
        assert (first["kind"], first["record"], first["title"], first["severity"]) == (
            "required-missing",
            "A-1",
            "标题",
            "error",
        )
        assert "{" not in first["message"] + first["mend"]
        assert "http://h/" in second["message"]
        assert "401" in second["message"]

    @pytest.mark.parametrize("who", ["other", "citizen", "anonymous"])
    def test_others_are_refused(self, people: dict[str, str], run_id: str, who: str):
        with pytest.raises(tk.NotAuthorized):
            call(people[who], "openhuizhou_harvest_run_show", id=run_id)


class TestHarvestRun:
    def test_the_departments_editor_starts_one_and_only_one(self, people: dict[str, str]):
        started = call(people["own"], "openhuizhou_harvest_run", source_id="own-drop")
        assert (started["state"], started["mode"]) == ("queued", "normal")
        assert call(people["officer"], "openhuizhou_harvest_run", source_id="own-drop")["id"] == started["id"]

    @pytest.mark.parametrize("who", ["member", "other", "auditor", "citizen", "anonymous"])
    def test_others_are_refused(self, people: dict[str, str], who: str):
        with pytest.raises(tk.NotAuthorized):
            call(people[who], "openhuizhou_harvest_run", source_id="own-drop")

    def test_an_unknown_mode_is_refused(self, people: dict[str, str]):
        with pytest.raises(tk.ValidationError):
            call(people["officer"], "openhuizhou_harvest_run", source_id="own-drop", mode="approved")
