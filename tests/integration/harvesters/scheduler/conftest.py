"""A scheduler that leads, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan.lib import jobs
from tests.integration.harvesters.conftest import Feed
from tests.integration.harvesters.scheduler.steps import (
    NOON,
    Clock,
    execute,
    nothing,
)

from ckanext.openhuizhou.harvesters.daily import Daily
from ckanext.openhuizhou.harvesters.scheduler import Scheduler
from ckanext.openhuizhou.model.harvest import ACTIVE_STATES, Outbox, Run


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def ticking(feed: Feed, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    """A scheduler that leads, and computes no scores: they would fill the outbox."""
    monkeypatch.setitem(tk.config, "ckanext.openhuizhou.scores_interval", 0)
    jobs.get_queue().empty()
    # other tests leave runs that nobody works on
    execute(sa.update(Run).where(Run.state.in_(ACTIVE_STATES)).values(state="cancelled"))
    execute(sa.delete(Outbox))
    made = Scheduler(lambda: None, Daily(start=nothing), clock)
    yield made
    made.leader.give_up()
    jobs.get_queue().empty()
