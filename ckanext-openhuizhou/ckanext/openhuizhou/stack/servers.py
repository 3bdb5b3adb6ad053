"""The parts that run CKAN itself: web server and job worker."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from ckanext.openhuizhou.stack import valkey
from ckanext.openhuizhou.stack.ini import site_url
from ckanext.openhuizhou.stack.layout import Layout, Secrets
from ckanext.openhuizhou.stack.ports import HOST
from ckanext.openhuizhou.stack.process import Part

QUEUES = ("default",)


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


def worker(layout: Layout, secrets: Secrets, valkey_port: int, fingerprint: str) -> Part:
    """CKAN's RQ worker. It serves when it has registered itself and is no older than its heartbeat allows."""
    return Part(
        name="worker",
        argv=[str(Path(sys.executable).with_name("ckan")), "-c", str(layout.ini), "jobs", "worker", *QUEUES],
        environment=_environment(layout, fingerprint),
        cwd=layout.data,
        healthy=lambda: worker_registered(layout, valkey.url(valkey_port, secrets["valkey"])),
        address="queue " + ", ".join(QUEUES),
        start_seconds=60,
        # a job that runs is given time to end; RQ ends at once at the second signal
        stop_seconds=15,
    )


def worker_registered(layout: Layout, address: str) -> bool:
    """Whether the worker of the pid file is among those that RQ knows."""
    import redis
    from rq import Worker

    from ckanext.openhuizhou.stack.process import PidFile

    process, _ = PidFile(layout.run, "worker").read()
    if process is None:
        return False
    try:
        pids = {known.pid for known in Worker.all(connection=redis.Redis.from_url(address, socket_timeout=3))}
    except (redis.RedisError, OSError):
        return False
    return process.pid in pids


def answers(address: str) -> bool:
    """Whether an address answers with a status below 400."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  always http on 127.0.0.1
            return answer.status < 400
    except (urllib.error.URLError, OSError, ValueError):
        return False
