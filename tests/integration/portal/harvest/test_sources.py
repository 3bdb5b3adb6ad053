"""The sources at a glance, and what can be done with one: by whom, and what it answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ckan import model

from ckanext.openhuizhou.model.harvest import Source

from .conftest import Office


@pytest.fixture
def source(office: Office) -> dict[str, Any]:
    office.department.add("a", "b")
    return office.source()


class TestWhoSees:
    @pytest.mark.parametrize("address", ["/harvest/", "/harvest/source/new", "/harvest/source/{name}"])
    def test_a_visitor_is_asked_to_log_in_and_told_nothing(
        self, office: Office, source: dict[str, Any], address: str
    ) -> None:
        text = office.text("anonymous", address.format(name=source["name"]), 403)
        assert "登录" in text
        assert "演示来源" not in text

    @pytest.mark.parametrize("part", ["", "/edit", "/mapping", "/records", "/delete"])
    def test_another_department_sees_no_part_of_it(self, office: Office, source: dict[str, Any], part: str) -> None:
        assert "演示来源" not in office.text("other", f"/harvest/source/{source['name']}{part}", 403)

    def test_another_department_does_not_find_it_in_the_list(self, office: Office, source: dict[str, Any]) -> None:
        assert source["name"] in office.html("own", "/harvest/")
        assert source["name"] not in office.html("other", "/harvest/")

    @pytest.mark.parametrize("part", ["", "/mapping", "/records"])
    def test_an_auditor_reads_everything_and_is_offered_no_button(
        self, office: Office, source: dict[str, Any], part: str
    ) -> None:
        html = office.html("auditor", f"/harvest/source/{source['name']}{part}")
        main = html[html.index("<main") : html.index("</main")]
        assert "演示来源" in main
        posting = [form for form in re.findall(r"<form\b[^>]*>", main) if 'method="post"' in form]
        assert posting == [] or "readonly" in main

    def test_a_source_that_is_not_there_is_not_found(self, office: Office) -> None:
        office.get("platform", "/harvest/source/no-such-source", 404)


class TestAtAGlance:
    def test_health_is_said_in_words(self, office: Office, source: dict[str, Any]) -> None:
        assert "尚未采集" in office.text("own", "/harvest/")
        office.run(source["id"])
        text = office.text("own", "/harvest/")
        assert "正常" in text
        assert "新增 2" in text
        assert "今天" in text

    def test_what_waits_stands_on_top_and_says_for_whom(self, office: Office) -> None:
        waiting = office.source(approved=False, title="未批准的来源")
        for person, word in (("own", "等待平台管理员处理"), ("platform", "审核并批准")):
            text = office.text(person, "/harvest/")
            assert text.index("未批准的来源") < text.index("设置或映射尚未批准") < text.index(word), person
        office.post("platform", f"/harvest/source/{waiting['name']}/approve", modified=waiting["modified"])
        assert "设置或映射尚未批准" not in office.text("platform", "/harvest/")

    def test_a_filter_leaves_only_what_fits(self, office: Office, source: dict[str, Any]) -> None:
        address = f"/harvest/?department={office.department.organization['id']}&health="
        assert source["name"] in office.html("platform", address + "new")
        text = office.text("platform", address + "failing")
        assert "没有这样的来源" in text

    def test_an_official_without_sources_is_told_so(self, office: Office) -> None:
        assert "还没有来源" in office.text("other", "/harvest/")


class TestActions:
    def test_a_run_starts_and_is_shown(self, office: Office, source: dict[str, Any]) -> None:
        answer = office.post("own", f"/harvest/source/{source['name']}/run", mode="normal")
        assert answer.status_code == 302
        assert re.search(r"/harvest/run/[0-9a-f-]{36}$", answer.headers["Location"])

    def test_a_mode_that_there_is_not_is_refused_in_words(self, office: Office, source: dict[str, Any]) -> None:
        answer = office.post("own", f"/harvest/source/{source['name']}/run", mode="approved", follow=True)
        assert answer.status_code == 200
        assert 'class="oh-note oh-bad"' in answer.get_data(as_text=True)

    @pytest.mark.parametrize("person", ["other", "auditor", "anonymous"])
    @pytest.mark.parametrize("part", ["run", "approve", "schedule", "delete", "columns", "mapping", "edit"])
    def test_nobody_else_does_anything(self, office: Office, source: dict[str, Any], person: str, part: str) -> None:
        form = {"mode": "normal", "active": "false", "key": "a", "mapping": "fields: {}", "do": "save"}
        assert office.post(person, f"/harvest/source/{source['name']}/{part}", **form).status_code in (401, 403)

    def test_the_department_itself_does_not_approve(self, office: Office) -> None:
        source = office.source(approved=False)
        assert office.post("own", f"/harvest/source/{source['name']}/approve").status_code == 403
        assert not office.show(source["id"])["approved"]

    def test_the_schedule_is_paused_and_counts_again(self, office: Office, source: dict[str, Any]) -> None:
        address = f"/harvest/source/{source['name']}/schedule"
        office.post("own", address, active="false")
        assert office.show(source["id"])["active"] is False
        assert "已暂停" in office.text("own", f"/harvest/source/{source['name']}")
        office.post("own", address, active="true")
        assert office.show(source["id"])["active"] is True

    def test_what_was_changed_meanwhile_is_not_approved_unseen(self, office: Office) -> None:
        source = office.source(approved=False)
        seen = office.show(source["id"])["modified"]
        office.post(
            "own", f"/harvest/source/{source['name']}/mapping", mapping="fields: {title: {from: 名称}}", do="save"
        )
        office.post("platform", f"/harvest/source/{source['name']}/approve", modified=seen)
        assert not office.show(source["id"])["approved"]

    def test_deleting_asks_first(self, office: Office) -> None:
        source = office.source()
        address = f"/harvest/source/{source['name']}/delete"
        assert "删除来源" in office.text("own", address)
        assert model.Session.get(Source, source["id"]) is not None
        model.Session.remove()
        office.post("own", address)
        model.Session.remove()
        assert model.Session.get(Source, source["id"]) is None

    def test_a_source_with_published_entries_is_not_deleted(self, office: Office, source: dict[str, Any]) -> None:
        office.run(source["id"])
        address = f"/harvest/source/{source['name']}/delete"
        assert "还有 2 个已发布的条目" in office.text("own", address)
        assert "2" in office.post("own", address, follow=True).get_data(as_text=True)
        assert office.show(source["id"])["id"] == source["id"]


class TestAddresses:
    def test_every_posting_form_carries_a_token(self, office: Office, source: dict[str, Any]) -> None:
        for part in ("", "/edit", "/mapping", "/delete"):
            html = office.html("platform", f"/harvest/source/{source['name']}{part}")
            for form in re.findall(r"<form\b.*?</form>", html, re.DOTALL):
                assert 'method="post"' not in form or "_csrf_token" in form, form[:200]

    def test_no_script_stands_in_a_page(self, office: Office, source: dict[str, Any]) -> None:
        for part in ("", "/edit", "/mapping", "/records"):
            html = office.html("platform", f"/harvest/source/{source['name']}{part}")
            assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", html) == []
            assert re.findall(r"\son\w+=\"", html) == []
