"""The records of a source: what became of each, and columns that wait for a review."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Office


@pytest.fixture
def source(office: Office) -> dict[str, Any]:
    office.department.add("ZL-001", "ZL-002")
    office.department.add("ZL-003", 更新频率="每季度")
    made = office.source()
    office.run(made["id"])
    return made


@pytest.fixture
def drifted(office: Office, source: dict[str, Any]) -> dict[str, Any]:
    """A column appeared in ZL-001."""
    columns = [
        {"name": "station", "label": "站点", "type": "文本"},
        {"name": "reading", "label": "读数", "type": "数字"},
        {"name": "phone", "label": "联系电话", "type": "文本"},
    ]
    office.department.change("ZL-001", columns=columns, version="2")
    office.run(source["id"])
    return source


def address(source: dict[str, Any], query: str = "") -> str:
    return f"/harvest/source/{source['name']}/records{query}"


class TestList:
    def test_every_record_says_what_became_of_it(self, office: Office, source: dict[str, Any]) -> None:
        text = office.text("own", address(source))
        for word in ("ZL-001", "ZL-003", "已发布", "已拒收", "每季度", "怎样改正"):
            assert word in text

    def test_it_is_filtered_by_state_and_by_words(self, office: Office, source: dict[str, Any]) -> None:
        assert "ZL-001" not in office.html("own", address(source, "?state=refused"))
        found = office.html("own", address(source, "?q=ZL-002"))
        assert "ZL-002" in found
        assert "ZL-003" not in found
        assert "没有这样的记录" in office.text("own", address(source, "?q=nichts"))

    def test_a_state_that_there_is_not_shows_all(self, office: Office, source: dict[str, Any]) -> None:
        assert "ZL-001" in office.html("own", address(source, "?state=seltsam"))


class TestColumns:
    def test_what_changed_is_shown_and_who_reviews_it(self, office: Office, drifted: dict[str, Any]) -> None:
        text = office.text("own", address(drifted, "?only=columns"))
        assert "来源处有变化的列" in text
        assert "phone" in text
        assert "由平台管理员审核" in text
        assert "ZL-002" not in text
        assert "1 个数据表的列有变化" in office.text("own", "/harvest/")

    def test_the_department_itself_accepts_none(self, office: Office, drifted: dict[str, Any]) -> None:
        assert office.post("own", f"/harvest/source/{drifted['name']}/columns", key="ZL-001").status_code == 403

    def test_the_platform_officer_accepts_and_the_next_run_loads_them(
        self, office: Office, drifted: dict[str, Any]
    ) -> None:
        assert "认可这些列" in office.text("platform", address(drifted, "?only=columns"))
        answer = office.post("platform", f"/harvest/source/{drifted['name']}/columns", key="ZL-001")
        assert answer.status_code == 302
        assert office.run(drifted["id"])["changed"] == 1
        assert "没有这样的记录" in office.text("platform", address(drifted, "?only=columns"))

    def test_what_does_not_wait_is_said(self, office: Office, source: dict[str, Any]) -> None:
        answer = office.post("platform", f"/harvest/source/{source['name']}/columns", key="ZL-001", follow=True)
        assert 'class="oh-note oh-bad"' in answer.get_data(as_text=True) or answer.status_code == 404
