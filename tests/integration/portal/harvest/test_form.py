"""The form of a source: made from the kind's options, tried before it is saved, and nothing typed is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.integration.portal.test_pages import text_of

from .conftest import Office, form_of

NEW = "/harvest/source/new?kind=json-api"


def field_of(html: str, name: str) -> str:
    """The control of a field."""
    found = re.search(rf"<(?:input|textarea|select)[^>]*\bname=\"{re.escape(name)}\"[^>]*>", html)
    assert found, name
    return found[0]


def saved(office: Office, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 302, text_of(answer.get_data(as_text=True))
    source = office.show(answer.headers["Location"].rsplit("/", 1)[1])
    office.sources.append(source["id"])
    return source


class TestNew:
    def test_first_the_kind_is_chosen_by_links(self, office: Office) -> None:
        html = office.html("own", "/harvest/source/new")
        for kind in ("csv", "excel", "json-api", "xml-service", "sql"):
            assert f"kind={kind}" in html

    def test_every_option_of_every_kind_has_a_field(self, office: Office) -> None:
        listed = office.html("own", "/harvest/source/new")
        kinds = set(re.findall(r"kind=([\w-]+)", listed))
        assert len(kinds) >= 5
        for kind in kinds:
            html = office.html("own", f"/harvest/source/new?kind={kind}")
            assert len(re.findall(r'name="config\.', html)) >= 4, kind

    def test_a_kind_that_there_is_not_leads_to_the_choice(self, office: Office) -> None:
        assert "第 1 步" in office.text("own", "/harvest/source/new?kind=none")

    def test_what_is_typed_becomes_a_source(self, office: Office) -> None:
        source = saved(office, office.post("own", NEW, **form_of(office, title="演示目录甲")))
        assert source["title"] == "演示目录甲"
        assert source["schedule"] == "0 3 * * *"
        assert source["config"]["data"]["records"] == "list"
        assert source["config"]["covers_data"] is True
        assert source["secrets"] == ["token"]
        assert "token" not in source["config"]
        assert source["approved"] is False

    def test_a_schedule_of_ones_own_is_a_cron_expression(self, office: Office) -> None:
        typed = form_of(office, schedule_choice="custom", schedule="20 4 * * 1")
        source = saved(office, office.post("own", NEW, **typed))
        assert source["schedule"] == "20 4 * * 1"
        html = office.html("own", f"/harvest/source/{source['name']}/edit")
        assert 'value="20 4 * * 1"' in field_of(html, "schedule")
        assert "每周一 04:20" in office.text("own", f"/harvest/source/{source['name']}")

    @pytest.mark.parametrize(
        ("field", "text"),
        [
            ("title", ""),
            ("config.key", ""),
            ("config.url", ""),
            ("config.paging.per_page", "viele"),
            ("mapping", "fields: {no_such_field: {from: a}}"),
            ("mapping", "fields: [\n"),
            ("schedule", "jeden Tag"),
            ("contact_email", "kein Brief"),
        ],
    )
    def test_a_mistake_stands_beside_its_field_and_the_rest_comes_back(
        self, office: Office, field: str, text: str
    ) -> None:
        typed = form_of(office, title="演示目录乙", schedule_choice="custom", schedule="5 5 * * *")
        answer = office.post("own", NEW, **typed | {field: text})
        html = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert "尚未保存" in html
        control = field_of(html, field)
        assert 'aria-invalid="true"' in control, control
        id_ = "field-" + field.replace(".", "-")
        error = re.search(rf'id="{id_}-error"[^>]*>([^<]+)<', html)
        assert error, "no message beside the field"
        assert any("一" <= letter <= "鿿" for letter in error[1]), error[1]
        for name in ("title", "config.records", "config.key", "config.url", "schedule"):
            if name != field:
                assert f'value="{typed[name]}"' in field_of(html, name)

    def test_a_secret_is_not_given_back_and_the_reader_is_told(self, office: Office) -> None:
        typed = form_of(office, title="", **{"config.token": "ganz-geheim"})
        html = office.post("own", NEW, **typed).get_data(as_text=True)
        assert "ganz-geheim" not in html
        assert "请重新输入" in html

    def test_what_is_typed_is_escaped(self, office: Office) -> None:
        typed = form_of(office, title="<script>alert(1)</script>", contact_email="kein Brief")
        html = office.post("own", NEW, **typed).get_data(as_text=True)
        assert "<script>alert(1)" not in html

    def test_a_department_is_offered_only_itself(self, office: Office) -> None:
        select = re.search(r'<select[^>]*name="organization_id".*?</select>', office.html("own", NEW), re.DOTALL)
        assert select
        assert re.findall(r"<option[^>]*>([^<]+)", select[0]) == ["演示一局"]

    def test_another_departments_source_is_refused(self, office: Office, portal: Any) -> None:
        typed = form_of(office, organization_id=portal.entries["air"]["owner_org"])
        assert office.post("own", NEW, **typed).status_code in (200, 403)
        assert "新的演示来源" not in office.text("platform", "/harvest/")


class TestTrying:
    def test_a_test_says_that_the_source_answers_and_saves_nothing(self, office: Office) -> None:
        office.department.add("HB-01")
        answer = office.post("own", NEW, **form_of(office, do="test"))
        text = text_of(answer.get_data(as_text=True))
        assert "来源已应答" in text
        assert "HB-01" in text
        assert "新的演示来源" not in office.text("own", "/harvest/")

    def test_for_htmx_the_result_comes_alone(self, office: Office) -> None:
        office.department.add("HB-01")
        html = office.post("own", NEW, htmx=True, **form_of(office, do="test")).get_data(as_text=True)
        assert "来源已应答" in html
        assert "<html" not in html
        assert "<form" not in html

    def test_a_wrong_token_is_said_in_words_without_the_token(self, office: Office) -> None:
        office.department.add("HB-01")
        typed = form_of(office, do="test", **{"config.token": "falsches-wort"})
        html = office.post("own", NEW, htmx=True, **typed).get_data(as_text=True)
        assert "来源拒绝访问" in html
        assert "falsches-wort" not in html

    def test_an_address_that_nobody_allowed_is_not_asked(self, office: Office) -> None:
        typed = form_of(office, do="test", **{"config.url": "http://169.254.169.254/latest"})
        text = text_of(office.post("own", NEW, htmx=True, **typed).get_data(as_text=True))
        assert "169.254.169.254" in text
        assert "来源已应答" not in text

    def test_a_preview_shows_entry_columns_rows_and_what_would_be_refused(self, office: Office) -> None:
        office.department.add("HB-01")
        office.department.add("HB-02", 更新频率="每季度")
        html = office.post("own", NEW, htmx=True, **form_of(office, do="preview")).get_data(as_text=True)
        text = text_of(html)
        assert "演示一局数据HB-01" in text
        assert "将拒收" in text
        assert "每季度" in text
        assert re.search(r"<th[^>]*>站点", html)
        assert "<td>惠城</td>" in html

    def test_a_preview_of_at_most_twenty(self, office: Office) -> None:
        office.department.add(*(f"HB-{number:02}" for number in range(25)))
        html = office.post("own", NEW, htmx=True, **form_of(office, do="preview")).get_data(as_text=True)
        assert html.count("oh-previewed") == 20

    def test_hostile_texts_of_a_source_are_escaped(self, office: Office) -> None:
        office.department.add("HB-01", 名称="<script>alert(2)</script>", note="<img src=x>")
        office.department.rows["HB-01"] = [{"station": "<script>alert(3)</script>", "reading": 1}]
        html = office.post("own", NEW, htmx=True, **form_of(office, do="preview")).get_data(as_text=True)
        assert "&lt;script&gt;alert(3)" in html
        assert "<script" not in html
        assert "<img src=x" not in html


class TestEdit:
    @pytest.fixture
    def source(self, office: Office) -> dict[str, Any]:
        office.department.add("a")
        return office.source()

    def edit(self, office: Office, source: dict[str, Any], person: str = "own", **changes: str) -> Any:
        typed = form_of(office, title=source["title"], **{"config.token": ""}) | changes
        typed.setdefault("modified", office.show(source["id"])["modified"])
        return office.post(person, f"/harvest/source/{source['name']}/edit", **typed)

    def test_a_stored_secret_is_named_not_shown_and_kept_when_left_empty(
        self, office: Office, source: dict[str, Any]
    ) -> None:
        html = office.html("own", f"/harvest/source/{source['name']}/edit")
        assert office.department.token not in html
        assert "已设置，留空则不变" in field_of(html, "config.token")
        assert self.edit(office, source, title="改过的名称").status_code == 302
        changed = office.show(source["id"])
        assert (changed["title"], changed["secrets"]) == ("改过的名称", ["token"])

    def test_a_stored_secret_can_be_removed(self, office: Office, source: dict[str, Any]) -> None:
        assert self.edit(office, source, secrets_removed="token").status_code == 302
        assert office.show(source["id"])["secrets"] == []

    def test_a_change_by_the_department_has_to_be_approved_again(self, office: Office, source: dict[str, Any]) -> None:
        assert self.edit(office, source, **{"config.modified": "zeit"}).status_code == 302
        assert office.show(source["id"])["approved"] is False

    def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unseen(
        self, office: Office, source: dict[str, Any]
    ) -> None:
        seen = office.show(source["id"])["modified"]
        assert self.edit(office, source, title="先保存的").status_code == 302
        answer = self.edit(office, source, title="后保存的", modified=seen)
        html = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert 'value="后保存的"' in field_of(html, "title")
        assert "尚未保存" in html
        assert office.show(source["id"])["title"] == "先保存的"

    def test_test_and_preview_use_the_stored_secret(self, office: Office, source: dict[str, Any]) -> None:
        for do, word in (("test", "来源已应答"), ("preview", "演示一局数据a")):
            assert word in self.edit(office, source, do=do).get_data(as_text=True)
