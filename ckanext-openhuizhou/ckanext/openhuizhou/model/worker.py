"""Processes that work on what waits in the database: who they are, whether they are gone, how they are woken.

What waits stands in PostgreSQL and the queue only wakes, so that a lost wake loses nothing.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import ckan.plugins.toolkit as tk
from ckan.lib import jobs
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

#: Work takes as long as it takes; RQ's own limit would kill the worker.
_NO_LIMIT: Final = -1
#: A wake behind so many other jobs still waits; no need to look further.
_LOOKED_AT: Final = 50


def worker_name() -> str:
    """This process: host, process id, and when it started (ids are used again)."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def is_gone(worker: str | None) -> bool:
    """Whether a worker of this machine has ended, so that nobody has to wait for its lease."""
    try:
        host, pid, started = (worker or "").rsplit(":", 2)
    except ValueError:
        return True
    return host == socket.gethostname() and _started(int(pid)) != started


def wake(work: Callable[[], object], title: str) -> bool:
    """Ask a worker to call ``work``. False when Valkey does not answer: the scheduler wakes later."""
    try:
        tk.enqueue_job(work, title=title, rq_kwargs={"timeout": _NO_LIMIT})
    except (RedisError, OSError) as error:
        log.warning("No worker could be woken: %s", type(error).__name__)
        return False
    return True


def wake_waits(work: Callable[[], object]) -> bool:
    """Whether a wake to ``work`` was sent that no worker has taken yet."""
    name = f"{work.__module__}.{work.__name__}"
    try:
        queued = jobs.get_queue().get_jobs(0, _LOOKED_AT)
    except RedisError:
        return False
    return len(queued) >= _LOOKED_AT or any(job.func_name == name for job in queued)


def _started(pid: int) -> str:
    """When a process started, in the kernel's own measure; empty when it is not running (a zombie is not)."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return ""
    return "" if after_name[0] in "ZX" else after_name[19]
