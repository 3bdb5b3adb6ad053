"""The editor of a mapping: mistakes by line, one record while it is typed, and nothing overwritten unseen."""

from __future__ import annotations

import html as html_module
import json
import re
from typing import Any

import pytest
from tests.integration.portal.test_pages import text_of

from .conftest import Office

GOOD = """fields:
  title: {from: 名称}
  notes: {const: 演示数据}
items:
  from: columns
  name: {from: label}
  column: {from: name}
"""


@pytest.fixture
def source(office: Office) -> dict[str, Any]:
    office.department.add("ZL-001", "ZL-002")
    return office.source()


def address(source: dict[str, Any], part: str = "") -> str:
    return f"/harvest/source/{source['name']}/mapping{part}"


def payload_of(html: str) -> dict[str, Any]:
    found = re.search(r'name="payload" value="([^"]*)"', html)
    assert found
    return json.loads(html_module.unescape(found[1]))


class TestText:
    def test_the_stored_mapping_is_shown_as_yaml(self, office: Office, source: dict[str, Any]) -> None:
        html = office.html("own", address(source))
        assert "title: {from: 名称}" in html_module.unescape(html)

    def test_the_help_lists_fields_and_codes(self, office: Office, source: dict[str, Any]) -> None:
        text = text_of(office.html("own", address(source)))
        for word in ("信息资源名称", "update_cycle", "daily", "每日"):
            assert word in text

    def test_a_mistake_is_told_with_its_line(self, office: Office, source: dict[str, Any]) -> None:
        wrong = GOOD.replace("notes: {const: 演示数据}", "notes: {konst: 演示数据}")
        html = office.post("own", address(source), htmx=True, mapping=wrong, do="check").get_data(as_text=True)
        assert 'data-line="3"' in html
        assert "第 3 行" in html

    def test_broken_yaml_is_told_with_its_line(self, office: Office, source: dict[str, Any]) -> None:
        html = office.post("own", address(source), htmx=True, mapping="fields:\n  title: [\n").get_data(as_text=True)
        assert "data-line=" in html
        assert "文本有错误" in html

    def test_what_is_wrong_is_not_saved_and_comes_back(self, office: Office, source: dict[str, Any]) -> None:
        before = office.show(source["id"])["mapping"]
        answer = office.post("own", address(source), mapping="fields: {unbekannt: {from: a}}", do="save")
        assert answer.status_code == 200
        assert "unbekannt: {from: a}" in html_module.unescape(answer.get_data(as_text=True))
        assert office.show(source["id"])["mapping"] == before

    def test_what_is_right_is_saved(self, office: Office, source: dict[str, Any]) -> None:
        modified = office.show(source["id"])["modified"]
        answer = office.post("own", address(source), mapping=GOOD, do="save", modified=modified)
        assert answer.status_code == 302
        assert office.show(source["id"])["mapping"]["fields"] == {
            "title": {"from": "名称"},
            "notes": {"const": "演示数据"},
        }

    def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unseen(
        self, office: Office, source: dict[str, Any]
    ) -> None:
        seen = office.show(source["id"])["modified"]
        office.post("own", address(source), mapping=GOOD, do="save", modified=seen)
        other = GOOD.replace("演示数据", "后来的")
        answer = office.post("own", address(source), mapping=other, do="save", modified=seen)
        assert answer.status_code == 200
        assert "后来的" in answer.get_data(as_text=True)
        assert office.show(source["id"])["mapping"]["fields"]["notes"] == {"const": "演示数据"}

    def test_an_auditor_reads_it_only(self, office: Office, source: dict[str, Any]) -> None:
        html = office.html("auditor", address(source))
        assert re.search(r'<textarea[^>]*name="mapping"[^>]*\breadonly\b', html)
        assert 'value="save"' not in html


class TestOneRecord:
    def test_it_is_read_from_the_source_and_shown_as_it_would_be_published(
        self, office: Office, source: dict[str, Any]
    ) -> None:
        answer = office.post("own", address(source, "/record"), htmx=True, mapping=GOOD, key="ZL-002")
        html = answer.get_data(as_text=True)
        assert payload_of(html)["id"] == "ZL-002"
        assert "演示一局数据ZL-002" in text_of(html)
        assert "<html" not in html

    def test_while_it_is_typed_the_source_is_not_asked_again(self, office: Office, source: dict[str, Any]) -> None:
        html = office.post("own", address(source, "/record"), htmx=True, mapping=GOOD, key="ZL-001").get_data(
            as_text=True
        )
        payload = json.dumps(payload_of(html), ensure_ascii=False)
        asked = len(office.department.paths())
        typed = GOOD.replace("演示数据", "新的摘要")
        again = office.post("own", address(source), htmx=True, mapping=typed, payload_key="ZL-001", payload=payload)
        assert "新的摘要" in again.get_data(as_text=True)
        assert len(office.department.paths()) == asked

    def test_what_would_be_refused_is_told(self, office: Office, source: dict[str, Any]) -> None:
        typed = GOOD + "\n".join(
            ["datasets:", "  ZL-001:", "    fields:", "      update_cycle: {from: 更新频率, codes: {每年: yearly}}"]
        )
        html = office.post("own", address(source, "/record"), htmx=True, mapping=typed, key="ZL-001").get_data(
            as_text=True
        )
        text = text_of(html)
        assert "这条记录将被拒收" in text
        assert "每日" in text

    def test_a_key_that_the_source_has_not_is_told(self, office: Office, source: dict[str, Any]) -> None:
        html = office.post("own", address(source, "/record"), htmx=True, mapping=GOOD, key="ZL-999").get_data(
            as_text=True
        )
        assert 'class="oh-note oh-bad"' in html

    def test_without_javascript_the_page_comes_back_whole(self, office: Office, source: dict[str, Any]) -> None:
        html = office.post("own", address(source, "/record"), mapping=GOOD, key="ZL-001").get_data(as_text=True)
        assert "<html" in html
        assert "演示一局数据ZL-001" in html
        assert "title: {from: 名称}" in html_module.unescape(html)
