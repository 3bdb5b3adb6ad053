"""The end of a run, in one transaction: its state, the source's, its findings, and whom to tell."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import insert

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.model.harvest import RunFinding, RunNotice, Source

_CHANGES: Final = ("added", "changed", "withdrawn")
_ERRORS: Final = ("refused", "failed")


def end(lease: Lease, source: Source, state: str) -> None:
    """Close the run, in the session's transaction. A dry run leaves its source as it was and tells nobody."""
    if lease.mode != "dry":
        if state == "done":
            done = sa.update(Source).where(Source.id == source.id).values(last_good_run_at=utcnow())
            model.Session.execute(done.execution_options(synchronize_session=False))
        if source.contact_email and worth_telling(source.notify, state, _counters(lease)):
            _tell(lease.run_id, source.contact_email)
    lease.finish(state)


def _counters(lease: Lease) -> dict[str, int]:
    """What is counted for a mail: a record that waits because another source comes first is refused, but nobody's
    mistake."""
    wrong = sa.exists().where(RunFinding.run_id == lease.run_id, RunFinding.severity == "error")
    if model.Session.execute(sa.select(wrong)).scalar_one():
        return lease.counters
    return {**lease.counters, "refused": 0}


def worth_telling(notify: str, state: str, counters: dict[str, int]) -> bool:
    """Whether the department wants a mail of a run that ended so (``model.harvest.NOTIFY``).

    A run that failed, or waits for a decision, is told of to everybody who wants mail at all.
    """
    if notify == "never":
        return False
    if notify == "always" or state in ("failed", "held"):
        return True
    counted = _CHANGES if notify == "change" else _ERRORS
    return any(counters[name] for name in counted)


def _tell(run_id: str, recipient: str) -> None:
    """A run that was held ends twice: its second mail replaces the first."""
    now = utcnow()
    again = {"created": now, "attempts": 0, "next_attempt": now, "sent": None, "error": None}
    statement = insert(RunNotice).values(run_id=run_id, recipient=recipient, **again)
    model.Session.execute(
        statement.on_conflict_do_update(index_elements=[RunNotice.run_id, RunNotice.recipient], set_=again)
    )
