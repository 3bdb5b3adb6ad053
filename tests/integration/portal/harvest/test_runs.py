"""A run's page: what it did and found, what it would do, who may steer it, who decides."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from urllib.parse import unquote

import pytest
from ckan import model
from tests.integration.portal.test_pages import text_of

from ckanext.openhuizhou.harvesters import lease
from ckanext.openhuizhou.model.harvest import Run

from .conftest import Office


@pytest.fixture
def source(office: Office) -> dict[str, Any]:
    office.department.add(*(f"ZL-{number:03}" for number in range(12)))
    return office.source()


@pytest.fixture
def queued(office: Office, source: dict[str, Any]) -> str:
    """A run that nobody has taken yet."""
    with office.app.flask_app.test_request_context():
        run_id, _new = lease.queue(source["id"])
        return run_id


@pytest.fixture
def held(office: Office, source: dict[str, Any]) -> dict[str, Any]:
    """A run that would withdraw nine of twelve."""
    office.run(source["id"])
    office.department.remove(*(f"ZL-{number:03}" for number in range(9)))
    run = office.run(source["id"])
    assert run["state"] == "held"
    return run


def read_csv(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


class TestReport:
    def test_a_finished_run_says_what_it_did_and_which_rule_told(self, office: Office, source: dict[str, Any]) -> None:
        run = office.run(source["id"])
        html = office.html("own", f"/harvest/run/{run['id']}")
        text = text_of(html)
        assert "12 新增" in text
        assert "变化是怎样发现的" in text
        assert "hx-trigger" not in html

    def test_findings_stand_with_their_record_and_how_to_mend_them(self, office: Office) -> None:
        office.department.add("HB-07", 更新频率="每季度", 名称="没有译码<b>的")
        source = office.source()
        run = office.run(source["id"])
        html = office.html("own", f"/harvest/run/{run['id']}")
        text = text_of(html)
        assert "没有译码&lt;b&gt;的" in html
        assert "HB-07" in text
        assert "怎样改正" in text

    def test_findings_are_filtered_by_kind_and_severity(self, office: Office) -> None:
        office.department.add("HB-07", 更新频率="每季度")
        office.department.add("HB-08", 提供单位="没有这个局")
        run = office.run(office.source()["id"])
        kinds = {finding["record"]: finding["kind"] for finding in run["findings"]}
        assert kinds["HB-07"] != kinds["HB-08"]
        html = office.html("own", f"/harvest/run/{run['id']}?kind={kinds['HB-07']}")
        assert "HB-07" in html
        assert "HB-08" not in html
        assert "HB-07" not in office.html("own", f"/harvest/run/{run['id']}?severity=info")

    def test_another_department_does_not_see_it(self, office: Office, source: dict[str, Any]) -> None:
        run = office.run(source["id"])
        for part in ("", "/progress", "/differences", "/findings.csv", "/differences.csv"):
            office.get("other", f"/harvest/run/{run['id']}{part}", 403)

    @pytest.mark.parametrize("part", ["", "/progress", "/differences", "/decide", "/findings.csv"])
    def test_a_run_that_is_not_there_is_not_found(self, office: Office, part: str) -> None:
        office.get("platform", f"/harvest/run/none{part}", 404)


class TestMoving:
    def test_the_part_that_moves_asks_for_itself_and_stops_at_the_end(self, office: Office, queued: str) -> None:
        page = office.html("own", f"/harvest/run/{queued}")
        assert f"/harvest/run/{queued}/progress" in page
        assert 'hx-trigger="every 2s"' in page
        assert "刷新页面" in page
        with office.app.flask_app.test_request_context():
            model.Session.get_one(Run, queued).state = "cancelled"
            model.Session.commit()
        answer = office.get("own", f"/harvest/run/{queued}/progress", htmx=True)
        assert answer.headers["HX-Refresh"] == "true"
        assert "hx-trigger" not in answer.get_data(as_text=True)

    def test_news_is_told_once(self, office: Office, queued: str) -> None:
        first = office.get("own", f"/harvest/run/{queued}/progress", htmx=True).get_data(as_text=True)
        assert 'id="run-news"' in first
        again = re.search(r'hx-get="([^"]+)"', first)
        assert again
        second = office.get("own", again[1], htmx=True).get_data(as_text=True)
        assert 'id="run-news"' not in second
        assert 'id="run-actions"' not in second

    def test_it_is_paused_goes_on_and_is_cancelled(self, office: Office, queued: str) -> None:
        address = f"/harvest/run/{queued}"
        for action, state, word in (
            ("pause", "paused", "继续"),
            ("resume", "queued", "暂停"),
            ("cancel", "cancelled", "已取消"),
        ):
            assert office.post("own", f"{address}/control", action=action).status_code == 302
            with office.app.flask_app.test_request_context():
                assert model.Session.get_one(Run, queued).state == state
            assert word in office.text("own", address)

    @pytest.mark.parametrize("person", ["other", "auditor", "anonymous"])
    def test_nobody_else_steers_it(self, office: Office, queued: str, person: str) -> None:
        assert office.post(person, f"/harvest/run/{queued}/control", action="cancel").status_code in (401, 403)

    def test_what_cannot_be_is_said(self, office: Office, source: dict[str, Any]) -> None:
        run = office.run(source["id"])
        answer = office.post("own", f"/harvest/run/{run['id']}/control", action="pause", follow=True)
        assert 'class="oh-note oh-bad"' in answer.get_data(as_text=True)


class TestDry:
    def test_differences_stand_field_by_field(self, office: Office, source: dict[str, Any]) -> None:
        office.run(source["id"])
        office.department.change("ZL-003", 名称="改过的名称", version="2")
        office.department.add("ZL-100")
        run = office.run(source["id"], "dry")
        html = office.html("own", f"/harvest/run/{run['id']}/differences")
        text = text_of(html)
        assert "演示一局数据ZL-003" in text
        assert "改过的名称" in text
        assert "将新增" in text
        only = office.html("own", f"/harvest/run/{run['id']}/differences?action=added")
        assert "ZL-100" in only
        assert "改过的名称" not in only
        rows = read_csv(office.get("own", f"/harvest/run/{run['id']}/differences.csv"))
        assert ["ZL-003", "改过的名称"] in [[row[0], row[-1]] for row in rows]

    def test_a_dry_run_says_that_it_wrote_nothing(self, office: Office, source: dict[str, Any]) -> None:
        run = office.run(source["id"], "dry")
        assert "试运行" in office.text("own", f"/harvest/run/{run['id']}")
        assert office.show(source["id"])["records"] == {}


class TestHeld:
    def test_the_department_sees_what_would_go_and_decides_nothing(self, office: Office, held: dict[str, Any]) -> None:
        html = office.html("own", f"/harvest/run/{held['id']}")
        assert "由平台管理员决定" in html
        assert "ZL-000" in html
        assert "/decide" not in html
        office.get("own", f"/harvest/run/{held['id']}/decide?decision=approved", 403)
        assert office.post("own", f"/harvest/run/{held['id']}/decide", decision="approved").status_code == 403

    def test_the_platform_officer_reads_how_many_of_how_many_first(self, office: Office, held: dict[str, Any]) -> None:
        text = office.text("platform", f"/harvest/run/{held['id']}/decide?decision=approved")
        assert "12 个条目中的 9 个要下架" in text
        assert "ZL-008" in text

    def test_approving_withdraws_and_says_by_whom(self, office: Office, held: dict[str, Any]) -> None:
        assert office.post("platform", f"/harvest/run/{held['id']}/decide", decision="approved").status_code == 302
        with office.app.flask_app.test_request_context():
            run = model.Session.get_one(Run, held["id"])
            assert (run.state, run.decision) == ("queued", "approved")
        assert "同意下架" in office.text("own", f"/harvest/run/{held['id']}")

    def test_refusing_keeps_everything(self, office: Office, held: dict[str, Any]) -> None:
        assert office.post("platform", f"/harvest/run/{held['id']}/decide", decision="refused").status_code == 302
        assert office.show(held["source_id"])["records"]["published"] == 12
        assert "决定保留" in office.text("own", f"/harvest/run/{held['id']}")

    def test_a_second_decision_is_too_late_and_said_so(self, office: Office, held: dict[str, Any]) -> None:
        address = f"/harvest/run/{held['id']}/decide"
        office.post("platform", address, decision="refused")
        answer = office.post("platform", address, decision="approved", follow=True)
        assert 'class="oh-note oh-bad"' in answer.get_data(as_text=True)
        assert office.get("platform", address, 302).headers["Location"].endswith(held["id"])


class TestCsv:
    def test_findings_are_a_file_with_a_chinese_name(self, office: Office) -> None:
        office.department.add("=HB-07", 更新频率="每季度")
        run = office.run(office.source()["id"])
        answer = office.get("own", f"/harvest/run/{run['id']}/findings.csv")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        disposition = answer.headers["Content-Disposition"]
        assert "演示来源" in unquote(disposition.split("filename*=UTF-8''")[1])
        assert answer.get_data().startswith(b"\xef\xbb\xbf")
        rows = read_csv(answer)
        assert rows[0][0] == "记录"
        assert rows[1][0] == "'=HB-07"
        assert any("每季度" in cell for cell in rows[1])

    def test_it_is_sent_while_it_is_read(self, office: Office, source: dict[str, Any]) -> None:
        run = office.run(source["id"])
        answer = office.get("own", f"/harvest/run/{run['id']}/findings.csv")
        assert answer.is_streamed
        assert "Content-Length" not in answer.headers
