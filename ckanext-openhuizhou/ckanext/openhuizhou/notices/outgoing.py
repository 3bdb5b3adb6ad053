"""Which mail is due, and what becomes of it.

A row is locked while its mail is on its way, and marked in the same transaction: two schedulers never send one mail,
and a mail that was not accepted stays due.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from flask_babel import force_locale

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import KINDS, Finding
from ckanext.openhuizhou.errors import MailRefused
from ckanext.openhuizhou.model.harvest import COUNTERS, Run, RunFinding, RunNotice, Source
from ckanext.openhuizhou.notices import mail

log = logging.getLogger(__name__)

#: After an attempt that failed the next one waits so long; the last one gives up, after five days.
WAITS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440, 1440, 1440, 1440)
)  # fmt: skip
#: Mails in one call; the scheduler has other duties.
_AT_ONCE: Final = 20
_PLACE: Final = ("record", "field", "row", "column", "value")


def send_due(describe: mail.Describe, clock: Callable[[], datetime] = utcnow) -> int:
    """Send the mails that are due, each tried once; how many were accepted. Commits after each one.

    Nothing is tried without a mail server. When the server does not answer at all, the rest waits for the next call.
    Needs an application context; mails are in the site's own language.
    """
    if not mail.configured():
        return 0
    began, results = clock(), []
    with force_locale(tk.config["ckan.locale_default"]):
        while len(results) < _AT_ONCE and (result := _send_next(describe, clock, began)) is not None:
            results.append(result)
            if result == "silence":
                break
    model.Session.rollback()
    return results.count("sent")


def waiting() -> dict[str, Any]:
    """For an operator: how many mails wait, how many were given up, and whether there is a server to send them."""
    waits = sa.func.count().filter(RunNotice.next_attempt.is_not(None))
    given_up = sa.func.count().filter(RunNotice.next_attempt.is_(None), RunNotice.sent.is_(None))
    counts = model.Session.execute(sa.select(waits, given_up).select_from(RunNotice)).one()
    return {"configured": mail.configured(), "waiting": counts[0], "given_up": counts[1]}


def _send_next(
    describe: mail.Describe, clock: Callable[[], datetime], began: datetime
) -> Literal["sent", "refused", "silence"] | None:
    """What became of the oldest mail that is due; None when none is left to be tried now."""
    due = (
        sa.select(RunNotice)
        .where(RunNotice.next_attempt <= began)
        .order_by(RunNotice.next_attempt, RunNotice.run_id, RunNotice.recipient)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    notice = model.Session.scalar(due)
    if notice is None:
        return None
    result: Literal["sent", "refused", "silence"] = "refused"
    run = model.Session.get_one(Run, notice.run_id, populate_existing=True)
    if run.state not in mail.OUTCOMES:
        # a held run that was approved goes on: its end writes the notice anew
        model.Session.delete(notice)
        model.Session.commit()
        return result
    try:
        mail.send(_message(run), notice.recipient, describe)
    except MailRefused as error:
        result = "silence" if error.params["silent"] else "refused"
        _failed(notice, clock(), error.params["reason"], again=error.params["again"])
    except Exception as error:
        # a mail that cannot be made must not keep the others waiting
        log.exception("The mail about run %s cannot be made", notice.run_id)
        _failed(notice, clock(), type(error).__name__, again=True)
    else:
        result = "sent"
        notice.attempts, notice.sent, notice.next_attempt, notice.error = notice.attempts + 1, clock(), None, None
    model.Session.commit()
    return result


def _failed(notice: RunNotice, now: datetime, reason: str, *, again: bool) -> None:
    wait = WAITS[notice.attempts] if again and notice.attempts < len(WAITS) else None
    notice.attempts += 1
    notice.error = reason
    notice.next_attempt = now + wait if wait is not None else None
    run = notice.run_id
    if wait is None:
        log.error("The mail about run %s is given up after %s attempts: %s", run, notice.attempts, reason)
    else:
        log.warning("The mail about run %s was not accepted, next attempt in %s: %s", run, wait, reason)


def _message(run: Run) -> mail.RunMail:
    source = model.Session.get_one(Source, run.source_id)
    department = model.Group.get(source.organization_id)
    errors = sa.select(RunFinding).where(RunFinding.run_id == run.id, RunFinding.severity == "error")
    count = model.Session.scalar(sa.select(sa.func.count()).select_from(errors.subquery())) or 0
    table = RunFinding.__table__
    rows = model.Session.execute(
        sa.select(table)
        .where(table.c.run_id == run.id, table.c.severity == "error", table.c.kind.in_(KINDS))
        .order_by(table.c.id)
        .limit(mail.LISTED)
    ).mappings()
    return mail.RunMail(
        run.id,
        run.state,
        source.title,
        (department.title if department else None) or "",
        run.started,
        run.finished,
        {name: getattr(run, name) for name in COUNTERS},
        [(_finding(dict(row)), row["title"]) for row in rows],
        count,
    )


def _finding(row: Mapping[Any, Any]) -> Finding:
    return Finding(row["kind"], params=row["params"] or {}, **{name: row[name] for name in _PLACE})
