"""A request leaves no half-ended transaction to the next one.

CKAN lets go of the session in an ``after_request`` hook, which is not reached when the database goes away while the
error page is made: the next request of that thread would get the broken session, and an error of its own.
"""

from __future__ import annotations

from ckan import model
from flask import Blueprint, g

__all__ = ["blueprint"]

blueprint = Blueprint("openhuizhou_database_session", __name__)


@blueprint.before_app_request
def answered_by_us() -> None:
    """Only what is dispatched comes here. CKAN pushes bare request contexts, too, to make an address outside of any
    request, in the middle of a harvest's transaction."""
    g.openhuizhou_dispatched = True


@blueprint.teardown_app_request
def let_go(_error: BaseException | None) -> None:
    """Runs whatever happened before."""
    if g.get("openhuizhou_dispatched"):
        model.Session.remove()
