"""A request leaves no half-ended transaction to the next one.

CKAN lets go of the session in an ``after_request`` hook, which is not reached when the database goes away while the
error page is made: the next request of that thread would get the broken session, and an error of its own.

Not at the teardown of every request context: commands and workers make such contexts inside of their transactions.
"""

from __future__ import annotations

from ckan import model
from flask import Blueprint, Flask, got_request_exception
from flask.blueprints import BlueprintSetupState

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_database_session", __name__)


@blueprint.record
def listen(state: BlueprintSetupState) -> None:
    """Flask tells of an error that nothing has handled before it answers it."""
    got_request_exception.connect(let_go, state.app)


def let_go(_app: Flask, **_more: object) -> None:
    """Whatever the failed request has left; what is asked next begins anew."""
    model.Session.remove()
