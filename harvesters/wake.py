"""The queue only wakes workers: what waits is in PostgreSQL, so that a lost job loses nothing."""

from __future__ import annotations

import logging
from typing import Final

import ckan.plugins.toolkit as tk
from redis.exceptions import RedisError

from ckanext.openhuizhou.harvesters import engine

log = logging.getLogger(__name__)

#: A run takes as long as it takes; RQ's own limit would kill the worker.
_NO_LIMIT: Final = -1


def wake(title: str = "harvest") -> bool:
    """Ask a worker to look for runs that wait. False when Valkey does not answer: the scheduler wakes later."""
    try:
        tk.enqueue_job(engine.work, title=title, rq_kwargs={"timeout": _NO_LIMIT})
    except (RedisError, OSError) as error:
        log.warning("No worker could be woken: %s", type(error).__name__)
        return False
    return True
