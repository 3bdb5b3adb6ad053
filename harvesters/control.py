"""What a person asks of a run: pause it, go on, cancel it, decide whether a held one may withdraw.

Whoever works on the run sees ``control`` when it renews its lease, and stops at the next record. A run that nobody
works on changes at once.
"""

from __future__ import annotations

from typing import Final, Literal

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.errors import WrongRunState
from ckanext.openhuizhou.harvesters.lease import abandoned, stop_here
from ckanext.openhuizhou.model.harvest import ACTIVE_STATES, Run

Action = Literal["pause", "resume", "cancel"]
Decision = Literal["approved", "refused"]

ACTIONS: Final[tuple[Action, ...]] = ("pause", "resume", "cancel")
DECISIONS: Final[tuple[Decision, ...]] = ("approved", "refused")


def request(run_id: str, action: Action, by: str | None) -> str:
    """Pause, resume or cancel a run and commit; the run's state afterwards (still ``running`` while a worker has it).

    ``by``: id of the user, kept as who asked for a resumed run. Asking twice is asking once.

    Raises:
        LookupError: there is no such run.
        WrongRunState: the run has ended, is held, or (resume) is not paused.
    """
    run = _locked(run_id)
    try:
        if action == "resume":
            _resume(run, by)
        else:
            _stop(run, action)
    except WrongRunState:
        model.Session.rollback()
        raise
    state = run.state
    model.Session.commit()
    return state


def decide(run_id: str, decision: Decision, by: str | None) -> str:
    """Approve or refuse what a held run would withdraw, and commit; the run's state afterwards.

    ``approved``: the run is queued once more; a worker withdraws the entries that were listed with it, without reading
    the source. ``refused``: the run is cancelled, nothing is withdrawn.

    Raises:
        LookupError: there is no such run.
        WrongRunState: the run is not held, or its source is being read: that reading decides anew.
    """
    run = _locked(run_id)
    other = sa.select(Run.id).where(Run.source_id == run.source_id, Run.state.in_(ACTIVE_STATES))
    if run.state != "held" or (decision == "approved" and model.Session.execute(other).first()):
        state = run.state
        model.Session.rollback()
        raise WrongRunState("A run in state {state} cannot be decided on", state=state, action=decision)
    run.decision, run.decided_by, run.decided_at = decision, by, utcnow()
    run.state = "queued" if decision == "approved" else "cancelled"
    state = run.state
    model.Session.commit()
    return state


def _locked(run_id: str) -> Run:
    query = sa.select(Run).where(Run.id == run_id).with_for_update()
    run = model.Session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if run is None:
        model.Session.rollback()
        raise LookupError(run_id)
    return run


def _resume(run: Run, by: str | None) -> None:
    if run.state == "running" and run.control == "pause":
        run.control = None
    elif run.state == "paused":
        run.state, run.control, run.requested_by = "queued", None, by or run.requested_by
    elif run.state not in ("queued", "running"):
        raise _refused(run, "resume")


def _stop(run: Run, action: str) -> None:
    if run.state not in ACTIVE_STATES:
        raise _refused(run, action)
    if run.state == "running" and not abandoned(run):
        # a cancelled run is not to be paused any more
        run.control = "cancel" if "cancel" in (action, run.control) else action
        return
    stop_here(run, action)


def _refused(run: Run, action: str) -> WrongRunState:
    return WrongRunState("A run in state {state} does not take: {action}", state=run.state, action=action)
