"""A worker is asked to look for runs that wait."""

from __future__ import annotations

from ckanext.openhuizhou.harvesters import engine
from ckanext.openhuizhou.model import worker


def wake(title: str = "harvest") -> bool:
    """False when Valkey does not answer: the scheduler wakes later."""
    return worker.wake(engine.work, title)
