"""A real mail server on this machine, and notices to be sent through it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from ckan import model, plugins
from ckan.tests import factories

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters.stored import finding_values
from ckanext.openhuizhou.model.harvest import Run, RunFinding, RunNotice, Source, source_id_of


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Mailbox:
    """What the server took. ``answers``: address → what the server says to it instead of taking it."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.answers: dict[str, str] = {}
        self.data_answer: str | None = None
        self.on_data: Any = lambda: None
        self.on_quit: Any = lambda _server: None

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.data_answer:
            return self.data_answer
        message = BytesParser(policy=default).parsebytes(envelope.content)
        for address in envelope.rcpt_tos:
            self.mails.append((address, message))
        self.on_data()
        return "250 OK"

    async def handle_QUIT(self, server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802
        self.on_quit(server)
        return "221 Bye"

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for _address, message in self.mails]

    @property
    def addresses(self) -> list[str]:
        return [address for address, _message in self.mails]


class MailServer:
    """Can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self.mailbox, self.port = Mailbox(), free_port()
        self._controller: Controller | None = None

    def start(self) -> None:
        self._controller = Controller(self.mailbox, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        controller, self._controller = self._controller, None
        if controller is not None:
            controller.stop(no_assert=True)


@pytest.fixture
def mail_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A server that the portal knows."""
    server = MailServer()
    server.start()
    monkeypatch.setitem(tk.config, "smtp.server", f"127.0.0.1:{server.port}")
    monkeypatch.setitem(tk.config, "smtp.mail_from", "portal@example.com")
    yield server
    server.stop()


@pytest.fixture(scope="package")
def _empty(empty_database: Callable[[], None]) -> None:
    plugins.load_all()
    empty_database()
    plugins.unload_all()


class Notices:
    """Runs of one source, each with a mail to be sent."""

    def __init__(self, source_id: str) -> None:
        self.source_id = source_id

    def add(self, recipient: str = "officer@example.com", **run: Any) -> str:
        values = {"state": "failed", "started": utcnow(), "finished": utcnow(), **run}
        made = Run(source_id=self.source_id, **values)
        model.Session.add(made)
        model.Session.flush()
        model.Session.add(RunNotice(run_id=made.id, recipient=recipient))
        model.Session.commit()
        return made.id

    def find(self, run_id: str, *findings: Finding, title: str | None = None) -> None:
        rows = [finding_values(run_id, finding, None, title) for finding in findings]
        model.Session.execute(sa.insert(RunFinding), rows)
        model.Session.commit()

    @staticmethod
    def of(run_id: str) -> sa.Row[Any]:
        model.Session.rollback()
        return model.Session.execute(sa.select(RunNotice.__table__).where(RunNotice.run_id == run_id)).one()

    @staticmethod
    def change(run_id: str, **values: Any) -> None:
        model.Session.execute(sa.update(RunNotice).where(RunNotice.run_id == run_id).values(values))
        model.Session.commit()


@pytest.fixture
def notices(_empty: None, with_plugins: None, with_request_context: None) -> Iterator[Notices]:
    organization = factories.Organization(title="演示市气象局")
    name = organization["name"]
    values = {"kind": "csv", "config": {}, "mapping": {}, "organization_id": organization["id"]}
    source = Source(id=source_id_of(name), name=name, title="演示来源：雨量", **values)
    model.Session.add(source)
    model.Session.commit()
    yield Notices(source.id)
    model.Session.rollback()
    model.Session.execute(sa.delete(Source))
    model.Session.commit()
