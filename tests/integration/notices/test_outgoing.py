"""Mail about runs on a real mail server: one that works, is down, refuses, hangs up; and a sender that is killed."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from flask import current_app

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.logic.findings import described_finding
from ckanext.openhuizhou.model.harvest import RunNotice, Source
from ckanext.openhuizhou.notices import mail, outgoing

ERROR = Finding("key-duplicate", record="D-1", value="D-1")


def send(later: dt.timedelta | None = None) -> int:
    moment = utcnow() + (later or dt.timedelta())
    return outgoing.send_due(described_finding, lambda: moment)


class TestSent:
    def test_once_in_chinese_with_what_is_to_be_mended(self, notices: Any, mail_server: Any):
        run_id = notices.add(added=2, refused=1)
        notices.find(run_id, ERROR, title="雨量站")
        assert send() == 1
        assert send() == 0
        [(address, message)] = mail_server.mailbox.mails
        assert address == "officer@example.com"
        assert message["Subject"] == "[开放惠州] 演示来源：雨量：采集失败（1 个问题）"
        assert "portal@example.com" in message["From"]
        assert message["Auto-Submitted"] == "auto-generated"
        text = message.get_content()
        for part in (
            "提供部门：演示市气象局",
            "新增 2，有变化 0，无变化 0，下架 0，拒收 1，失败 0",
            "1. D-1 雨量站",
            f"/harvest/run/{run_id}",
            "怎样改正：",
        ):
            assert part in text
        with current_app.test_request_context(environ_overrides={"CKAN_LANG": "zh_Hans_CN"}):
            described = described_finding(ERROR)
        assert described["message"] in text
        assert described["mend"] in text
        row = notices.of(run_id)
        assert (row.attempts, row.next_attempt, row.error) == (1, None, None)
        assert row.sent is not None

    def test_twenty_errors_and_how_many_more(self, notices: Any, mail_server: Any):
        run_id = notices.add(refused=25)
        notices.find(run_id, *(Finding("key-duplicate", record=f"D-{number}", value="x") for number in range(25)))
        notices.find(run_id, Finding("index-waiting", params={"count": 1}))
        send()
        text = mail_server.mailbox.mails[0][1].get_content()
        assert text.count("怎样改正：") == 20
        assert "其余 5 个" in text
        assert text.index("D-0\n") < text.index("D-19\n")

    @pytest.mark.parametrize("state", ["done", "held", "cancelled", "failed"])
    def test_each_end_has_its_words(self, notices: Any, mail_server: Any, state: str):
        notices.add(state=state)
        send()
        [subject] = mail_server.mailbox.subjects
        assert subject.startswith("[开放惠州] 演示来源：雨量：采集")
        assert ("下架的条目清单" in mail_server.mailbox.mails[0][1].get_content()) == (state == "held")

    def test_a_held_run_that_goes_on_is_not_told_of_yet(self, notices: Any, mail_server: Any):
        notices.add(state="running")
        assert send() == 0
        assert mail_server.mailbox.mails == []
        assert model.Session.scalar(sa.select(sa.func.count()).select_from(RunNotice)) == 0

    def test_the_readers_language_is_the_sites_whatever_the_caller_speaks(self, notices: Any, mail_server: Any):
        notices.add()
        with current_app.test_request_context(environ_overrides={"CKAN_LANG": "en"}):
            send()
        assert "采集失败" in mail_server.mailbox.subjects[0]


class TestHostileTexts:
    EVIL = "雨量\r\nBcc: everybody@example.com\r\n\r\n<b>x\x00\u2028\u202e"

    def test_no_header_can_be_put_in(self, notices: Any, mail_server: Any):
        model.Session.execute(sa.update(Source).values(title=self.EVIL.replace("\x00", "\x01")))
        run_id = notices.add()
        notices.find(run_id, Finding("key-duplicate", record="D\r\n.\r\nQUIT", value="x"), title="t\r\nBcc: a@b.cn")
        assert send() == 1
        assert mail_server.mailbox.addresses == ["officer@example.com"]
        message = mail_server.mailbox.mails[0][1]
        assert message["Bcc"] is None
        assert message.keys().count("Subject") == 1
        assert "\n" not in message["Subject"]
        assert "Bcc: everybody" in message["Subject"]

    @pytest.mark.parametrize(
        "address",
        ["a@b.cn\nBcc: c@d.cn", "a@b.cn\n", "a@b.cn, c@d.cn", "<a@b.cn>", "x", "", "a@b.cn>\r\nDATA", "演示@例子.中国",
         "a" * 250 + "@b.cn", "..@b.cn"],
    )  # fmt: skip
    def test_what_is_no_address_is_given_up_at_once(self, notices: Any, mail_server: Any, address: str):
        run_id = notices.add(recipient=address)
        other = notices.add()
        assert send() == 1
        row = notices.of(run_id)
        assert (row.attempts, row.next_attempt, row.sent) == (1, None, None)
        assert row.error == "the address is not valid"
        assert notices.of(other).sent is not None

    def test_half_a_character_is_sent_as_a_question_mark(self):
        assert mail.one_line("雨\ud800量", 10) == "雨?量"


class TestServerThatFails:
    def test_down_and_up_again(self, notices: Any, mail_server: Any):
        run_ids = [notices.add(), notices.add(recipient="second@example.com")]
        mail_server.stop()
        assert send() == 0
        attempts = sorted(notices.of(run_id).attempts for run_id in run_ids)
        # the second one is not tried at a server that does not answer
        assert attempts == [0, 1]
        assert any("Refused" in (notices.of(run_id).error or "") for run_id in run_ids)
        mail_server.start()
        assert send() == 1
        assert send(outgoing.WAITS[0]) == 1
        assert sorted(mail_server.mailbox.addresses) == ["officer@example.com", "second@example.com"]
        assert send(dt.timedelta(days=30)) == 0

    def test_refuses_one_recipient(self, notices: Any, mail_server: Any):
        mail_server.mailbox.answers["gone@example.com"] = "550 no such mailbox"
        refused, taken = notices.add(recipient="gone@example.com"), notices.add()
        assert send() == 1
        assert notices.of(taken).sent is not None
        row = notices.of(refused)
        assert (row.attempts, row.sent) == (1, None)
        assert "550" in row.error
        assert "no such mailbox" in row.error

    def test_gives_up_after_the_last_attempt_and_keeps_the_reason(self, notices: Any, mail_server: Any):
        mail_server.mailbox.answers["gone@example.com"] = "450 try later"
        run_id = notices.add(recipient="gone@example.com")
        now = utcnow()
        waits = []
        while (due := notices.of(run_id).next_attempt) is not None:
            waits.append(due - now)
            now = max(now, due)
            outgoing.send_due(described_finding, lambda: now)  # noqa: B023
        assert waits[1:] == list(outgoing.WAITS)
        row = notices.of(run_id)
        assert (row.attempts, row.sent) == (len(outgoing.WAITS) + 1, None)
        assert "try later" in row.error
        assert outgoing.waiting()["given_up"] == 1

    def test_refuses_the_text(self, notices: Any, mail_server: Any):
        mail_server.mailbox.data_answer = "554 looks like spam"
        run_id = notices.add()
        assert send() == 0
        assert "looks like spam" in notices.of(run_id).error

    def test_hangs_up_after_it_took_the_mail(self, notices: Any, mail_server: Any):
        """The goodbye fails, the mail is there: it must not be sent again."""
        mail_server.mailbox.on_quit = lambda server: server.transport.abort()
        run_id = notices.add()
        assert send() == 1
        assert notices.of(run_id).sent is not None
        assert send(dt.timedelta(days=9)) == 0
        assert len(mail_server.mailbox.mails) == 1

    def test_never_answers(self, notices: Any, monkeypatch: pytest.MonkeyPatch):
        import socket

        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            monkeypatch.setitem(tk.config, "smtp.server", f"127.0.0.1:{silent.getsockname()[1]}")
            monkeypatch.setitem(tk.config, "smtp.mail_from", "portal@example.com")
            monkeypatch.setattr(mail, "_PATIENCE", 0.2)
            run_id = notices.add()
            before = socket.getdefaulttimeout()
            assert send() == 0
            assert socket.getdefaulttimeout() == before
        assert "timed out" in notices.of(run_id).error

    @pytest.mark.parametrize("option", ["smtp.server", "smtp.mail_from"])
    def test_no_server_is_no_failure(
        self, notices: Any, mail_server: Any, monkeypatch: pytest.MonkeyPatch, option: str
    ):
        run_id = notices.add()
        with monkeypatch.context() as without:
            without.setitem(tk.config, option, "")
            assert send() == 0
            row = notices.of(run_id)
            assert (row.attempts, row.error) == (0, None)
            assert outgoing.waiting() == {"configured": False, "waiting": 1, "given_up": 0}
        assert send() == 1


SENDER = """
from ckan.cli import cli
import sys
sys.argv = ["ckan", "-c", sys.argv[1], "openhuizhou", "harvest", "schedule"]
cli.ckan()
"""


class TestSeveralSenders:
    def start(self, mail_server: Any, request: pytest.FixtureRequest, folder: Path) -> subprocess.Popen[bytes]:
        """A scheduler in a process of its own."""
        ini = folder / "scheduler.ini"
        base = Path(str(request.config.getoption("--ckan-ini"))).resolve()
        ini.write_text(
            f"[app:main]\nuse = config:{base}\nsmtp.server = 127.0.0.1:{mail_server.port}\n"
            "smtp.mail_from = portal@example.com\nckanext.openhuizhou.scheduler_interval = 1\n"
        )
        return subprocess.Popen([sys.executable, "-c", SENDER, str(ini)], stderr=subprocess.DEVNULL)

    def test_a_mail_that_is_on_its_way_is_nobody_else_s(self, notices: Any, mail_server: Any):
        run_id = notices.add()
        engine = model.meta.engine
        assert engine is not None
        with engine.connect() as sending:
            sending.execute(sa.select(RunNotice.run_id).where(RunNotice.run_id == run_id).with_for_update())
            assert send() == 0
            sending.rollback()
        assert send() == 1

    def test_killed_while_the_server_takes_it_the_mail_is_sent_after_all(
        self, notices: Any, mail_server: Any, request: pytest.FixtureRequest, tmp_path: Path
    ):
        """At the worst moment: the server has it, the sender does not know. Both copies bear one id."""
        processes: list[subprocess.Popen[bytes]] = []

        def kill() -> None:
            mail_server.mailbox.on_data = lambda: None
            os.kill(processes[0].pid, signal.SIGKILL)

        mail_server.mailbox.on_data = kill
        run_id = notices.add()
        processes.append(self.start(mail_server, request, tmp_path))
        try:
            assert processes[0].wait(60) == -signal.SIGKILL
        finally:
            processes[0].kill()
        assert notices.of(run_id).sent is None
        assert send() == 1
        ids = {str(message["Message-ID"]) for _address, message in mail_server.mailbox.mails}
        assert len(ids) == 1
        # also in a process without request, mails are in the site's language
        assert set(mail_server.mailbox.subjects) == {"[开放惠州] 演示来源：雨量：采集失败"}
        assert len(mail_server.mailbox.mails) == 2
        assert send() == 0
