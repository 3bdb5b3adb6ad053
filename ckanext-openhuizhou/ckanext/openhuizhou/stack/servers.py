"""The parts that run CKAN itself: web server, job workers and scheduler."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack import databases, valkey
from ckanext.openhuizhou.stack.ini import site_url
from ckanext.openhuizhou.stack.layout import Layout, Secrets
from ckanext.openhuizhou.stack.ports import HOST
from ckanext.openhuizhou.stack.process import Part, PidFile

QUEUES = ("default",)
# each takes about 150 MiB
MOST_WORKERS = 32


def _environment(layout: Layout, fingerprint: str) -> dict[str, str]:
    # the fingerprint is there so that changed settings or code restart the part
    return {"CKAN_INI": str(layout.ini), "OPENHUIZHOU_SETTINGS": fingerprint, "PYTHONWARNINGS": "ignore"}


def web(layout: Layout, fingerprint: str) -> Part:
    """gunicorn: two processes with four threads each."""
    return Part(
        name="web",
        argv=[
            sys.executable,
            "-m",
            "gunicorn",
            "--bind",
            f"{HOST}:{layout.web_port}",
            "--workers",
            os.environ.get("OPENHUIZHOU_WEB_WORKERS", "2"),
            "--worker-class",
            "gthread",
            "--threads",
            "4",
            "--max-requests",
            "5000",
            "--max-requests-jitter",
            "500",
            "--timeout",
            "60",
            "--graceful-timeout",
            "10",
            "--log-level",
            "warning",
            "--no-control-socket",
            "ckanext.openhuizhou.stack.wsgi:application",
        ],
        environment=_environment(layout, fingerprint),
        cwd=layout.data,
        healthy=lambda: answers(f"{site_url(layout)}/api/3/action/status_show"),
        address=site_url(layout),
        start_seconds=90,
        stop_seconds=15,
    )


def worker_names() -> list[str]:
    """``worker``, ``worker-2`` …: as many as OPENHUIZHOU_WORKERS says (one when it says nothing).

    :raises StackError: it is no number of workers
    """
    text = os.environ.get("OPENHUIZHOU_WORKERS") or "1"
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise StackError(
            "OPENHUIZHOU_WORKERS is {value}; it may be 1 to {most}", value=text, most=MOST_WORKERS
        )  # fmt: skip
    return ["worker", *(f"worker-{number}" for number in range(2, int(text) + 1))]


def worker(layout: Layout, secrets: Secrets, valkey_port: int, fingerprint: str, name: str = "worker") -> Part:
    """CKAN's RQ worker. It serves when it has registered itself and is no older than its heartbeat allows."""
    return Part(
        name=name,
        argv=[str(Path(sys.executable).with_name("ckan")), "-c", str(layout.ini), "jobs", "worker", *QUEUES],
        environment=_environment(layout, fingerprint),
        cwd=layout.data,
        healthy=lambda: worker_registered(layout, valkey.url(valkey_port, secrets["valkey"]), name),
        address="queue " + ", ".join(QUEUES),
        start_seconds=60,
        # a job that runs is given time to end; RQ ends at once at the second signal
        stop_seconds=15,
    )


def worker_registered(layout: Layout, address: str, name: str = "worker") -> bool:
    """Whether the worker of the pid file is among those that RQ knows."""
    import redis
    from rq import Worker

    process, _ = PidFile(layout.run, name).read()
    if process is None:
        return False
    try:
        pids = {known.pid for known in Worker.all(connection=redis.Redis.from_url(address, socket_timeout=3))}
    except (redis.RedisError, OSError):
        return False
    return process.pid in pids


def scheduler(layout: Layout, secrets: Secrets, postgres_port: int, fingerprint: str) -> Part:
    """Starts what is due. It serves when it asked the database for the lead, or kept it, a moment ago."""
    address = databases.url(databases.CKAN_ROLE, secrets["ckan_database"], postgres_port, databases.CKAN_DATABASE)
    command = ["openhuizhou", "harvest", "schedule"]
    return Part(
        name="scheduler",
        argv=[str(Path(sys.executable).with_name("ckan")), "-c", str(layout.ini), *command],
        environment=_environment(layout, fingerprint),
        cwd=layout.data,
        healthy=lambda: scheduler_ticks(layout, address),
        address="what is due",
        start_seconds=60,
        stop_seconds=10,
    )


def scheduler_ticks(layout: Layout, address: str) -> bool:
    """Whether the scheduler of the pid file was heard of by the database lately (its connection bears its number)."""
    import psycopg2

    process, _ = PidFile(layout.run, "scheduler").read()
    if process is None:
        return False
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE starts_with(application_name, 'openhuizhou scheduler ')"
        " AND right(application_name, %s) = %s AND state_change > now() - interval '60 seconds'"
    )
    end = f":{process.pid}"
    try:
        with closing(psycopg2.connect(address, connect_timeout=3)) as connection, connection.cursor() as cursor:
            cursor.execute(query, (len(end), end))
            row = cursor.fetchone()
    except psycopg2.Error:
        return False
    return row is not None and row[0] > 0


def answers(address: str) -> bool:
    """Whether an address answers with a status below 400."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  always http on 127.0.0.1
            return answer.status < 400
    except (urllib.error.URLError, OSError, ValueError):
        return False
