"""One mail about one run, as plain text in the site's own language, sent through CKAN's mailer.

What comes from a source (titles, values) can be anything: headers hold one line without control characters, and the
address is one that CKAN's own rule takes, as a whole.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import ckan.plugins.toolkit as tk
from ckan.lib.mailer import MailerException, mail_recipient
from ckan.logic.validators import email_pattern

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.city_time import to_city
from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.errors import MailRefused

#: A finding with its sentences, ``message`` and ``mend``, in the language in force.
Describe = Callable[[Finding], Mapping[str, Any]]

#: Errors that a mail lists; the rest is on the run's page.
LISTED: Final = 20
#: RFC 5321.
_ADDRESS_LENGTH: Final = 254
_SUBJECT_LENGTH: Final = 150
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
#: Seconds that the mail server may take for one answer; CKAN's mailer itself waits for ever.
_PATIENCE: Final = 15.0

#: What is said of a run, by its state; of a run that is under way, nothing.
OUTCOMES: Final = {
    "done": N_("the harvest is done"),
    "failed": N_("the harvest failed"),
    "held": N_("the harvest waits for the platform's approval"),
    "cancelled": N_("the harvest was cancelled"),
}
_COUNTERS: Final = {
    "added": N_("{count} added"),
    "changed": N_("{count} changed"),
    "unchanged": N_("{count} unchanged"),
    "withdrawn": N_("{count} withdrawn"),
    "refused": N_("{count} refused"),
    "failed": N_("{count} failed"),
}


@dataclass(frozen=True, slots=True)
class RunMail:
    """What is told of a run. ``errors``: the first ``LISTED``, each with the title of its record; times are UTC."""

    run_id: str
    state: str
    source_title: str
    department: str
    started: datetime | None
    finished: datetime | None
    counters: Mapping[str, int]
    errors: Sequence[tuple[Finding, str | None]]
    error_count: int

    @property
    def subject(self) -> str:
        text = tk._("{source}: {outcome}").format(source=self.source_title, outcome=tk._(OUTCOMES[self.state]))
        if self.error_count:
            text += tk._(" ({count} problems)").format(count=self.error_count)
        return f"[{tk.config['ckan.site_title']}] {text}"

    def body(self, describe: Describe) -> str:
        """The text; ``describe`` makes the sentences of findings."""
        lines = [
            tk._("Source: {title}").format(title=self.source_title),
            tk._("Department: {title}").format(title=self.department),
            tk._("Result: {outcome}").format(outcome=tk._(OUTCOMES[self.state])),
            *self._times(),
            tk._("Records: {counts}").format(counts=tk._(", ").join(self._counts())),
        ]
        if self.error_count:
            lines += ["", tk._("To be mended ({count}):").format(count=self.error_count)]
            for number, (finding, title) in enumerate(self.errors, 1):
                lines += _error_lines(number, finding, title, describe)
            left = self.error_count - len(self.errors)
            if left > 0:
                lines.append(tk._("… and {count} more on the page of the run.").format(count=left))
        if self.state == "held":
            lines += ["", tk._("Nothing was withdrawn. The list of what would go is on the page of the run.")]
        lines += [
            "",
            tk._("Report: {address}").format(address=f"{config.site_url()}/harvest/run/{self.run_id}"),
            "",
            tk._("This mail was sent by a program. When mail is sent is set in the form of the source."),
        ]
        return "\n".join(lines) + "\n"

    def _times(self) -> Iterator[str]:
        if self.started is not None:
            yield tk._("Began: {time}").format(time=f"{to_city(self.started):%Y-%m-%d %H:%M:%S}")
        if self.finished is not None:
            yield tk._("Ended: {time}").format(time=f"{to_city(self.finished):%Y-%m-%d %H:%M:%S}")

    def _counts(self) -> Iterator[str]:
        for name, message in _COUNTERS.items():
            yield tk._(message).format(count=self.counters[name])


def _error_lines(number: int, finding: Finding, title: str | None, describe: Describe) -> list[str]:
    sentences = describe(finding)
    place = " ".join(filter(None, (finding.record, title)))
    head = f"{number}. {place}" if place else f"{number}. " + tk._("the source as a whole")
    mend = tk._("How to mend it: {mend}").format(mend=sentences["mend"])
    return [one_line(head, 300), f"   {one_line(sentences['message'], 600)}", f"   {one_line(mend, 600)}"]


def configured() -> bool:
    """Whether there is a mail server. CKAN's default is this machine, so that only the sender's address tells."""
    return bool(tk.config.get("smtp.server")) and bool(tk.config.get("smtp.mail_from"))


def is_address(text: str) -> bool:
    """Whether this is one mail address, by CKAN's rule."""
    return len(text) <= _ADDRESS_LENGTH and email_pattern.fullmatch(text) is not None


def one_line(text: str, length: int) -> str:
    """Without line breaks, control characters, marks that turn the direction of a text, and half characters."""
    text = _CONTROL.sub(" ", text).encode("utf-8", "replace").decode()
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def send(message: RunMail, recipient: str, describe: Describe) -> None:
    """Send one mail.

    The message's id comes from the run, its state and the recipient: should it be sent twice, because this process was
    killed between the server's answer and the commit, mail programs show it once.

    Raises:
        MailRefused: the server did not take it.
    """
    if not is_address(recipient):
        raise MailRefused("The address is not valid", reason="the address is not valid", again=False, silent=False)
    digest = hashlib.sha256(f"{message.run_id} {message.state} {recipient}".encode()).hexdigest()[:32]
    headers = {
        "Message-ID": f"<run.{digest}@{urlsplit(config.site_url()).hostname or 'localhost'}>",
        # so that no absence note comes back (RFC 3834)
        "Auto-Submitted": "auto-generated",
    }
    subject, body = one_line(message.subject, _SUBJECT_LENGTH), message.body(describe)
    with _patience():
        try:
            mail_recipient(one_line(message.department, 100), recipient, subject, body, headers=headers)
        except (MailerException, smtplib.SMTPException, OSError) as error:
            if _accepted(error):
                return
            first = _first(error)
            params = {"reason": one_line(f"{type(first).__name__}: {first}", 300), "again": True}
            # an answer of the server has a status; everything else is no answer
            silent = not isinstance(first, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused)
            raise MailRefused("The mail server did not take it: {reason}", silent=silent, **params) from error


@contextmanager
def _patience() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _accepted(error: Exception) -> bool:
    """CKAN's mailer says goodbye outside of its own error handling: an error there, after no other, means that the
    server had taken the message."""
    return isinstance(error, (smtplib.SMTPException, OSError)) and error.__context__ is None and _said_goodbye(error)


def _said_goodbye(error: Exception) -> bool:
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code is smtplib.SMTP.quit.__code__:
            return True
        frame = frame.tb_next
    return False


def _first(error: BaseException) -> BaseException:
    """The error that the others of the chain follow from."""
    while error.__context__ is not None:
        error = error.__context__
    return error
