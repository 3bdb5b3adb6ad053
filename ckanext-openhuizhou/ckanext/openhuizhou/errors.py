"""Every exception that this project defines.

    OpenHuizhouError
    ├── ConfigurationError        a file in config/ or an option is wrong; nothing starts
    ├── StackError                a part of the embedded stack did not start or stop
    ├── SourceError               a source as a whole cannot be read; the run fails, other sources go on
    │   ├── SourceUnreachable     no answer, refused, timed out
    │   ├── SourceDenied          wrong token, wrong password, no permission
    │   ├── SourceMalformed       an answer that is not what the kind of source promises
    │   ├── SourceGone            it answered, and then no more; carries the finding of its last record
    │   └── AddressRefused        an address that nobody approved
    ├── ValueRefused              a value does not fit its rule of the mapping; carries its finding, the record goes on
    ├── RecordRefused             one record cannot become an entry; carries findings, the rest goes on
    ├── TableRefused              a table's rows break its rules; carries findings, the old table stays
    ├── NothingHeld               no table waits for the decision that a person made
    ├── ReadTimedOut              a reader's question about a table takes longer than a page may
    ├── UploadTooLarge            a person's file has more bytes than the portal takes
    ├── StorageFull               no room on the disk; the old table stays, the next run tries again
    ├── DecodingError             bytes that are in no encoding that we accept
    ├── LeaseLost                 another worker has the run now; what was not committed is not written
    ├── MailRefused               the mail server did not take a mail; tried again, or given up with the reason
    ├── RunStopped                a person paused or cancelled the run that is being worked on
    ├── TakeoverLost              the entry that a record was to take over belongs to nobody, or another, by now
    └── WrongRunState             a run in this state does not take what a person asked of it

A module's private exceptions (a name with an underscore in front) never leave it and are not drawn here.
Actions translate these into CKAN's own four (ValidationError, NotFound, NotAuthorized, Invalid).
Each carries data, never a sentence glued together: the sentence is made where it is shown, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class OpenHuizhouError(Exception):
    """Base of all. ``message`` is an English msgid with ``{placeholders}`` filled from ``params``."""

    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.params = params

    def __str__(self) -> str:
        return self.message.format(**self.params)


class ConfigurationError(OpenHuizhouError):
    """A file in ``config/``, a schema or an option is wrong. ``params`` names the file and the place."""


class StackError(OpenHuizhouError):
    """A part of the embedded stack did not start or stop; ``params["log"]`` is the tail of its log."""


class SourceError(OpenHuizhouError):
    """A source cannot be read as a whole."""


class SourceUnreachable(SourceError):
    """No answer, connection refused, or out of time."""


class SourceDenied(SourceError):
    """The source answered that we may not read it."""


class SourceMalformed(SourceError):
    """The source answered something that its kind does not allow."""


class SourceGone(SourceError):
    """The source stopped answering in the middle of a run; ``finding`` says how."""

    def __init__(self, finding: Any) -> None:
        super().__init__("The source stopped answering")
        self.finding = finding


class AddressRefused(SourceError):
    """A request to an address that nobody approved; nothing was sent."""


class _WithFindings(OpenHuizhouError):
    """Shared by errors that carry findings (``domain.findings.Finding``)."""

    def __init__(self, findings: Sequence[Any]) -> None:
        super().__init__("{count} findings", count=len(findings))
        self.findings = tuple(findings)


class ValueRefused(_WithFindings):
    """A value of a source record does not fit its rule."""


class RecordRefused(_WithFindings):
    """One source record cannot become a catalogue entry."""


class TableRefused(_WithFindings):
    """The rows behind an entry break its rules; what was published before stays."""


class NothingHeld(OpenHuizhouError):
    """No table of this resource waits, or not any more."""


class ReadTimedOut(OpenHuizhouError):
    """A reader's question about a table (a chart, a count) takes longer than a page may."""


class UploadTooLarge(OpenHuizhouError):
    """A file is larger than uploads may be. ``params``: ``most``, in bytes."""


class StorageFull(OpenHuizhouError):
    """The disk, or the database's, is full. Nothing is wrong with what was to be stored."""


class DecodingError(OpenHuizhouError):
    """Bytes in no accepted encoding; ``params`` has ``offset`` of the first bad byte."""


class MailRefused(OpenHuizhouError):
    """A mail was not accepted. ``params``: ``reason``; ``again``, whether another attempt may help; ``silent``, whether
    the server did not answer at all."""


class LeaseLost(OpenHuizhouError):
    """A run belongs to another worker, or was cancelled; the session must be rolled back. ``params``: ``run_id``."""

    def __init__(self, run_id: str) -> None:
        super().__init__("Run {run_id} belongs to another worker", run_id=run_id)


class RunStopped(OpenHuizhouError):
    """A person wants the run to stop here; what was committed stays. ``params``: ``control`` (pause, cancel)."""

    def __init__(self, control: str) -> None:
        super().__init__("The run is to stop: {control}", control=control)
        self.control = control


class TakeoverLost(OpenHuizhouError):
    """Between reading and writing the entry changed hands. Nothing was written; the next run decides anew."""


class WrongRunState(OpenHuizhouError):
    """A run in this state cannot be paused, resumed, cancelled or decided on. ``params``: ``state`` and ``action``."""
