"""What tests of the scheduler do to sources, runs and Valkey, and what they look at."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from ckan import model
from ckan.lib import jobs
from ckan.lib.redis import connect_to_redis
from tests.integration.harvesters.conftest import Feed

from ckanext.openhuizhou.model.harvest import Run, Source

#: Nothing listens there.
DEAD_SOLR = "http://127.0.0.1:9/solr/none"
NOON = dt.datetime.fromisoformat("2027-03-01T04:00")


class Clock:
    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def to(self, now: dt.datetime, **later: float) -> None:
        self.now = now + dt.timedelta(**later)


def nothing(name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", ""])


def source_of(feed: Feed) -> sa.Row[Any]:
    model.Session.rollback()
    return model.Session.execute(sa.select(Source.__table__).where(Source.id == feed.source_id)).one()


def change(feed: Feed, **values: Any) -> None:
    model.Session.execute(sa.update(Source).where(Source.id == feed.source_id).values(values))
    model.Session.commit()


def execute(statement: Any, **values: Any) -> None:
    model.Session.execute(statement, values)
    model.Session.commit()


def change_run(run_id: str, **values: Any) -> None:
    execute(sa.update(Run).where(Run.id == run_id).values(values))


def work_off() -> int:
    """A worker does all that is in the queue, then ends; how many of the jobs were the harvest's."""
    count = wake_jobs()
    jobs.Worker().work(burst=True)
    return count


def restart_valkey_empty() -> None:
    """As after a crash of a server that saves nothing: every connection is cut, every key is gone."""
    connection = connect_to_redis()
    connection.flushdb()
    connection.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def runs_of(feed: Feed) -> list[sa.Row[Any]]:
    model.Session.rollback()
    table = Run.__table__
    return list(
        model.Session.execute(sa.select(table).where(table.c.source_id == feed.source_id).order_by(table.c.created))
    )


def wake_jobs() -> int:
    return len([job for job in jobs.get_queue().jobs if str(job.func_name).endswith("engine.work")])


@contextmanager
def engine_connection() -> Iterator[sa.Connection]:
    engine_ = model.meta.engine
    assert engine_ is not None
    with engine_.connect() as connection:
        yield connection
